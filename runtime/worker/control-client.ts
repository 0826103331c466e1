// Puts a question to the workers of this machine, by way of their socket files. Socket files that nobody
// listens on any more are passed over.

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { askSocket } from "../connect/socket-question.ts";
import { isControlSocket } from "./control.ts";

export interface ControlAnswer {
  /** The socket file of the worker that answered. */
  readonly worker: string;
  /** What it answered; null when it knows nothing by that name. */
  readonly answer: unknown;
}

function socketsIn(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter(isControlSocket)
      .sort()
      .map((name) => join(folder, name));
  } catch {
    return [];
  }
}

async function ask(socketPath: string, path: string): Promise<ControlAnswer | null> {
  const said = await askSocket(socketPath, path);
  if (said === null) return null;
  const answer: unknown = said.status === 200 ? JSON.parse(said.text) : null;
  return { worker: socketPath, answer };
}

export interface ProbeAnswer {
  readonly ok: boolean;
  /** Why not. */
  readonly reasons: readonly string[];
}

/** What each worker that is there says to a probe, `/readyz`; those that know no such question are no workers. */
export async function probeWorkers(folder: string, path: string): Promise<readonly ProbeAnswer[]> {
  const said = await Promise.all(socketsIn(folder).map((socket) => askSocket(socket, path)));
  return said.flatMap((each) =>
    each === null || each.status === 404
      ? []
      : [{ ok: each.status === 200, reasons: each.text.trimEnd().split("\n").slice(1) }],
  );
}

/** The answers of all workers whose socket files are in `folder` and who are there. */
export async function askWorkers(folder: string, path: string): Promise<readonly ControlAnswer[]> {
  const answers = await Promise.all(socketsIn(folder).map((socket) => ask(socket, encodeURI(path))));
  return answers.filter((each) => each !== null);
}
