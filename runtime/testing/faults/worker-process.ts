// `weir run` with a state folder, or a supervisor, as a process of its own that can be killed, stopped, and run under another
// program. Ends when whoever started it is gone. Says nothing of whether it does what it should.

import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { partUrl } from "../../layout.ts";
import type { WorkerStatus } from "../../worker/worker.ts";

const leash: string = partUrl("demo-leash.js").href;
const saidLinesMax = 400;

export interface WorkerCommand {
  /** Files. */
  readonly pipelines: readonly string[];
  /** A folder of them in place of those, each change of which it follows. */
  readonly follows?: string;
  /** A supervisor in place of a worker, with these options beside those of a worker. Its workers outlive it. */
  readonly supervises?: readonly string[];
  readonly state: string;
  /** `name=url`, or a url for the default connection. */
  readonly connections: readonly string[];
  /** The weir that is run; this one where none is named. */
  readonly weir?: URL;
  /** A file of device settings. */
  readonly config?: string;
  /** A program that runs it, with its arguments: strace, say. */
  readonly under?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export class WorkerProcess {
  readonly #child: ChildProcess;
  readonly ended: Promise<Ended>;
  readonly #lines: string[] = [];
  #forgotten = 0;
  #half = "";
  hasEnded = false;
  /** It has opened its state, its sources and its sinks. */
  isRunning = false;

  constructor(command: WorkerCommand) {
    const {
      pipelines,
      follows,
      supervises,
      state,
      connections,
      config,
      under = [],
      environment = {},
    } = command;
    const program = fileURLToPath(command.weir ?? partUrl("weir.js"));
    const runs = follows === undefined ? ["run", ...pipelines, "--json"] : ["worker", follows];
    const what = supervises === undefined ? runs : ["supervise", ...supervises];
    const weir = ["--import", leash, program, ...what, "--state", state, "--log", "text"];
    const nats = connections.flatMap((each) => ["--nats", each]);
    const settings = config === undefined ? [] : ["--config", config];
    const [first, ...rest] = [...under, process.execPath, ...weir, ...nats, ...settings];
    this.#child = spawn(first!, rest, {
      env: { ...process.env, NO_COLOR: "1", ...environment },
      // A group of its own: what it runs under is stopped and killed with it.
      stdio: ["pipe", "ignore", "pipe"],
      detached: true,
    });
    this.#child.stdin?.on("error", () => {});
    this.#child.stderr?.on("data", (bytes: Buffer) => this.#hear(bytes.toString()));
    this.ended = new Promise((resolve) => {
      this.#child.once("error", (error) => {
        this.#lines.push(error.message);
        this.hasEnded = true;
        resolve({ code: null, signal: null });
      });
      this.#child.once("close", (code, signal) => {
        this.hasEnded = true;
        resolve({ code, signal });
      });
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  signal(signal: NodeJS.Signals): void {
    if (this.hasEnded || this.#child.pid === undefined) return;
    try {
      process.kill(-this.#child.pid, signal);
    } catch {
      // It ended this moment.
    }
  }

  /** SIGKILL, as a crash is. */
  kill(): Promise<Ended> {
    this.signal("SIGKILL");
    return this.ended;
  }

  /** The end of what it said. */
  said(lines = 12): string {
    return this.#lines.slice(-lines).join("\n");
  }

  /** Lines that it has said so far. */
  get heard(): number {
    return this.#forgotten + this.#lines.length;
  }

  /** True once a line of it holds `text`; `since`: one behind so many lines. */
  hasSaid(text: string, since = 0): boolean {
    return this.#lines.slice(Math.max(0, since - this.#forgotten)).some((line) => line.includes(text));
  }

  /** What each pipeline and its connectors counted; null unless it ended in order. */
  statusAtEnd(): readonly WorkerStatus[] | null {
    const line = this.#lines.findLast((each) => each.startsWith("[{"));
    return line === undefined ? null : (JSON.parse(line) as WorkerStatus[]);
  }

  #hear(text: string): void {
    const lines = `${this.#half}${text}`.split("\n");
    this.#half = lines.pop() ?? "";
    for (const line of lines) {
      if (line.includes("running: ")) this.isRunning = true;
      this.#lines.push(line);
    }
    this.#forgotten += this.#lines.splice(0, Math.max(0, this.#lines.length - saidLinesMax)).length;
  }
}
