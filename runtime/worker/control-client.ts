// Puts a question to the workers of this machine, by way of their socket files. Socket files that nobody
// listens on any more are passed over.

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { limits } from "../limits.ts";
import { isControlSocket } from "./control.ts";

// As in control.ts: an import would load far more.
const { request } = process.getBuiltinModule("node:http");

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

function ask(socketPath: string, path: string): Promise<ControlAnswer | null> {
  return new Promise((resolve) => {
    const asked = request({ socketPath, path, timeout: limits.control_answer_ms_max }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", () => resolve(null));
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString();
        const answer: unknown = response.statusCode === 200 ? JSON.parse(text) : null;
        resolve({ worker: socketPath, answer });
      });
    });
    asked.on("timeout", () => asked.destroy());
    asked.on("error", () => resolve(null));
    asked.end();
  });
}

/** The answers of all workers whose socket files are in `folder` and who are there. */
export async function askWorkers(folder: string, path: string): Promise<readonly ControlAnswer[]> {
  const answers = await Promise.all(socketsIn(folder).map((socket) => ask(socket, encodeURI(path))));
  return answers.filter((each) => each !== null);
}
