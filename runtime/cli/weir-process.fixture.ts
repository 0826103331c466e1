// weir as a process, for tests of the command line: started in a folder, listened to, and killed with the test that
// started it. Never judges what it says.

import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { sleep, wallClock } from "../clock.ts";
import { partUrl } from "../layout.ts";
import { startedPart } from "../testing/started.ts";

export const program: string = fileURLToPath(startedPart("weir.js"));

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves once standard error holds the text; rejects when the process ends before. */
  says(text: string): Promise<void>;
}

export interface ProcessOptions {
  /** Beside that of the test. */
  readonly environment?: NodeJS.ProcessEnv;
  /** What programs are started by; as they are without it. */
  readonly through?: readonly string[];
  /** For what only the sources can do. */
  readonly sources?: boolean;
}

/** Processes of one folder. */
export class WeirProcesses {
  readonly #running = new Set<ChildProcess>();
  readonly #folder: string;
  readonly #environment: NodeJS.ProcessEnv;
  readonly #command: readonly string[];

  constructor(folder: string, { environment = {}, through = [], sources = false }: ProcessOptions = {}) {
    this.#folder = folder;
    this.#environment = { NO_COLOR: "1", ...environment };
    this.#command = [...through, process.execPath, sources ? fileURLToPath(partUrl("weir.js")) : program];
  }

  start(args: readonly string[], environment: NodeJS.ProcessEnv = {}): Started {
    const [first = "", ...rest] = [...this.#command, ...args];
    const child = spawn(first, rest, {
      cwd: this.#folder,
      env: { ...process.env, ...this.#environment, ...environment },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#running.add(child);
    let stdout = "";
    let stderr = "";
    let isOver = false;
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    const ended = new Promise<Ended>((done) =>
      child.once("close", (code, signal) => {
        isOver = true;
        this.#running.delete(child);
        done({ code, signal, stdout, stderr });
      }),
    );
    const says = async (text: string): Promise<void> => {
      while (!stderr.includes(text)) {
        if (isOver) throw new Error(`it ended before it said ${text}:\n${stderr}`);
        await sleep(wallClock, 20);
      }
    };
    return { child, ended, says };
  }

  /** Runs a command to its end. */
  weir(...args: readonly string[]): Promise<Ended> {
    return this.start(args).ended;
  }

  /** What a test that failed has left behind. */
  kill(): void {
    for (const child of this.#running) child.kill("SIGKILL");
  }
}
