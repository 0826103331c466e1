// A worker's own door for questions about it: HTTP on a socket file that only its user can open. It
// answers and never changes anything; nothing listens on a network.

import { chmodSync, existsSync, lstatSync, rmSync } from "node:fs";
import type { Server } from "node:http";
import { join } from "node:path";
import { wallClock } from "../clock.ts";
import { messageOf, WeirError } from "../errors.ts";
import { makeFolder } from "../folder.ts";
import { limits } from "../limits.ts";

/** The answer to the question at a path such as `/pipelines`, as data or as it is, now or later; undefined where there is none. */
export type Answers = (path: string) => unknown;

/** An answer that is more than data with the code 200. */
export class WrittenAnswer {
  readonly code: number;
  readonly type: string;
  readonly text: string;

  constructor(code: number, type: string, text: string) {
    this.code = code;
    this.type = type;
    this.text = text;
  }
}

// An import reads all that the module exports, its whole client for the web too: 45 ms and 2 MB.
const { createServer } = process.getBuiltinModule("node:http");

const ending = ".sock";

/** Makes the folder for socket files, or sees that the one there is the user's own and closed to others. */
export function prepareRunFolder(folder: string): void {
  makeFolder(folder, 0o700);
  const facts = lstatSync(folder);
  const own = process.getuid === undefined || facts.uid === process.getuid();
  if (!facts.isDirectory() || !own || (facts.mode & 0o077) !== 0) {
    throw new WeirError("WEIR_FILE", `${folder} is open to others or not a folder of this user's`, {
      remedy: `remove it, or name another folder in WEIR_RUN_FOLDER`,
    });
  }
}

/** The socket files in a folder. */
export function isControlSocket(name: string): boolean {
  return name.endsWith(ending);
}

export interface Control {
  readonly path: string;
  close(): Promise<void>;
}

/** Answers questions on a socket file in `folder` that is named after `identity`. */
export async function openControl(folder: string, identity: string, answers: Answers): Promise<Control> {
  prepareRunFolder(folder);
  const path = join(folder, `${identity}${ending}`);
  if (Buffer.byteLength(path) > limits.socket_path_bytes_max) {
    throw new WeirError("WEIR_FILE", `${path} is longer than a socket's path may be`, {
      remedy: "name a shorter folder in WEIR_RUN_FOLDER",
    });
  }
  let server = await listening(path, answers);
  let opening: Promise<void> | null = null;
  const openAgain = async (): Promise<void> => {
    // Closing removes the file of that path, whoever's it is by then.
    await closed(server);
    prepareRunFolder(folder);
    server = await listening(path, answers);
  };
  // Such files lie where others tidy up: with what is temporary, or with what is a user's until he logs out.
  const endChecks = wallClock.every(limits.control_check_ms, () => {
    if (opening !== null || existsSync(path)) return;
    // Where it cannot be opened just now, the next check finds it missing as well.
    opening = openAgain()
      .catch(() => undefined)
      .finally(() => {
        opening = null;
      });
  });
  return {
    path,
    close: async () => {
      endChecks();
      await opening;
      await closed(server);
    },
  };
}

async function listening(path: string, answers: Answers): Promise<Server> {
  rmSync(path, { force: true });
  const server = serving(answers);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  });
  chmodSync(path, 0o600);
  server.unref();
  return server;
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.closeAllConnections();
    server.close(() => resolve());
  });
}

/** A server that answers and changes nothing; not listening yet. */
export function serving(answers: Answers): Server {
  // Without the second, who asks too slowly is only looked for every half minute.
  const slow = {
    requestTimeout: limits.control_answer_ms_max,
    connectionsCheckingInterval: limits.control_check_ms,
  };
  return createServer(slow, (request, response) => {
    const say = (code: number, body: unknown): void => {
      const { type, text } =
        body instanceof WrittenAnswer ? body : { type: "application/json", text: JSON.stringify(body) };
      response
        .writeHead(body instanceof WrittenAnswer ? body.code : code, { "content-type": type })
        .end(text);
    };
    request.resume();
    if (request.method !== "GET") return say(405, { error: "this door only answers GET" });
    const path = pathOf(request.url ?? "/");
    if (path === null) return say(400, { error: "this is no path" });
    const reply = async (): Promise<void> => {
      const answer = await answers(path);
      if (answer === undefined) say(404, { error: "there is nothing by that name" });
      else say(200, answer);
    };
    reply().catch((error: unknown) => say(500, { error: messageOf(error) }));
  });
}

/** What is asked for; null where nothing could be meant by it. */
function pathOf(url: string): string | null {
  try {
    return decodeURIComponent(new URL(url, "http://worker").pathname);
  } catch {
    return null;
  }
}
