// A peer that is a server of its own: started once, on a port of its own on loopback, asked over HTTP, and ended with
// the process that opened it. Knows nothing of what it is asked.

import { type ChildProcess, spawn } from "node:child_process";
import { sleep, stopwatch, wallClock } from "../../runtime/clock.ts";
import { messageOf } from "../../runtime/errors.ts";
import { processorSeconds, treeOf } from "../side-by-side/processes.ts";

const start_ms_max = 180_000;
const startPoll_ms = 100;
const said_bytes_max = 4_096;

export interface Service {
  readonly program: string;
  readonly parameters: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Where it runs. */
  readonly folder: string;
  readonly port: number;
  /** Answers once it serves. */
  readonly ready: string;
}

export interface Request {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  readonly path: string;
  readonly body?: unknown;
}

export class Served {
  readonly #child: ChildProcess;
  readonly #url: string;
  #said = "";
  #ended: string | null = null;

  private constructor({ program, parameters, environment, folder, port }: Service) {
    this.#url = `http://127.0.0.1:${port}`;
    this.#child = spawn(program, parameters, {
      cwd: folder,
      env: { ...process.env, ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) {
      stream.on(
        "data",
        (text: Buffer) => (this.#said = (this.#said + text.toString()).slice(-said_bytes_max)),
      );
    }
    this.#child.on("error", (error) => (this.#ended = messageOf(error)));
    this.#child.on("exit", (code, signal) => (this.#ended = String(signal ?? code)));
    process.once("SIGTERM", this.#endAlong);
  }

  static async start(service: Service): Promise<Served> {
    const served = new Served(service);
    const started = stopwatch();
    while (!(await served.#answers(service.ready))) {
      if (served.#ended === null && stopwatch() - started < start_ms_max) {
        await sleep(wallClock, startPoll_ms);
        continue;
      }
      served.end();
      const why = served.#ended === null ? "does not answer" : `ended with ${served.#ended}`;
      throw new Error(`${service.program} ${why}\n${served.#said}`);
    }
    return served;
  }

  /** Of it and all that it started; null where that is not told. */
  processorSeconds(): number | null {
    return processorSeconds(treeOf(this.#child.pid!));
  }

  /** The answer: what its JSON says, or its text. Throws where it is a refusal. */
  async ask({ method, path, body }: Request): Promise<unknown> {
    const response = await fetch(`${this.#url}${path}`, {
      method,
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    try {
      return JSON.parse(text);
    } catch {
      return text;
    }
  }

  end(): void {
    process.off("SIGTERM", this.#endAlong);
    this.#child.kill("SIGKILL");
  }

  async #answers(path: string): Promise<boolean> {
    try {
      return (await fetch(`${this.#url}${path}`)).ok;
    } catch {
      return false;
    }
  }

  /** Nobody else would end it. */
  readonly #endAlong = (): void => {
    this.end();
    process.kill(process.pid, "SIGTERM");
  };
}
