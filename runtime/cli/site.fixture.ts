// A place for tests in which a supervisor and its workers run as real processes, and commands that find each other there.

import { type ChildProcess, spawn } from "node:child_process";
import { globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { sleep, wallClock } from "../clock.ts";
import type { SupervisorStatus } from "../supervisor/status.ts";
import { askWorkers } from "../worker/control-client.ts";

const program = resolve(import.meta.dirname, "weir.mjs");

/** A folder with room for pipelines and state, whose commands find each other's sockets. */
export class Site {
  readonly folder: string;
  readonly pipelines: string;
  readonly state: string;
  readonly #environment: NodeJS.ProcessEnv;
  readonly #children: ChildProcess[] = [];

  readonly #through: readonly string[];

  /** `parent`: a folder of the test's. `through`: what programs are started by; as they are without it. */
  constructor(parent: string, name: string, through: readonly string[] = []) {
    this.#through = through;
    this.folder = join(parent, name);
    this.pipelines = join(this.folder, "p");
    this.state = join(this.folder, "s");
    mkdirSync(this.pipelines, { recursive: true });
    this.#environment = { ...process.env, NO_COLOR: "1", WEIR_RUN_FOLDER: join(this.folder, "r") };
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.pipelines, `${name}.yaml`), text);
  }

  spawn(...args: readonly string[]): ChildProcess {
    const [first, ...rest] = [...this.#through, process.execPath, program, ...args];
    const child = spawn(first!, rest, { cwd: this.folder, env: this.#environment });
    this.#children.push(child);
    return child;
  }

  supervise(...more: readonly string[]): ChildProcess {
    const child = this.spawn("supervise", "--state", this.state, "--log", "text", ...more);
    child.stdout?.resume();
    child.stderr?.resume();
    return child;
  }

  async weir(...args: readonly string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
    const child = this.spawn(...args);
    let stdout = "";
    let stderr = "";
    child.stdout?.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr?.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    const code = await new Promise<number | null>((done) => child.once("close", done));
    return { code, stdout, stderr };
  }

  /** What `weir status --json` says, without a process for each time that it is asked. */
  async status(): Promise<SupervisorStatus | null> {
    const answers = await askWorkers(join(this.folder, "r"), "/supervisor");
    const [found] = answers.flatMap(({ answer }) => (answer === null ? [] : [answer as SupervisorStatus]));
    return found ?? null;
  }

  /** Asks until it is so. */
  async until(condition: (status: SupervisorStatus) => boolean): Promise<SupervisorStatus> {
    for (;;) {
      const status = await this.status();
      if (status !== null && condition(status)) return status;
      await sleep(wallClock, 50);
    }
  }

  /** What a test that failed has left behind. */
  kill(): void {
    for (const child of this.#children) child.kill("SIGKILL");
    const processes = join(this.state, "supervisor", "processes");
    for (const file of globSync(join(processes, "*", "process"))) {
      const pid = Number(readFileSync(file, "utf8").split("\n", 1)[0]);
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // It has ended.
      }
    }
  }

  /** Ends the supervisor and all workers in order. */
  async drain(supervisor: ChildProcess): Promise<void> {
    const gone = ended(supervisor);
    supervisor.kill("SIGINT");
    await gone;
  }
}

export function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((done) => child.once("close", () => done()));
}

export function runs(name: string): (status: SupervisorStatus) => boolean {
  return ({ pipelines }) => pipelines.find((each) => each.name === name)?.state === "running";
}
