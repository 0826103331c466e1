// A place for tests in which a supervisor and its workers run as real processes, and commands that find each other there.

import type { ChildProcess } from "node:child_process";
import { globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { sleep, wallClock } from "../clock.ts";
import type { SupervisorStatus } from "../supervisor/status.ts";
import { askWorkers } from "../worker/control-client.ts";
import { type Ended, WeirProcesses } from "./weir-process.fixture.ts";

/** A folder with room for pipelines and state, whose commands find each other's sockets. */
export class Site {
  readonly folder: string;
  readonly pipelines: string;
  readonly state: string;
  readonly #processes: WeirProcesses;

  /** `parent`: a folder of the test's. `through`: what programs are started by; as they are without it. */
  constructor(parent: string, name: string, through: readonly string[] = []) {
    this.folder = join(parent, name);
    this.pipelines = join(this.folder, "p");
    this.state = join(this.folder, "s");
    mkdirSync(this.pipelines, { recursive: true });
    const environment = { WEIR_RUN_FOLDER: join(this.folder, "r") };
    this.#processes = new WeirProcesses(this.folder, { environment, through });
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.pipelines, `${name}.yaml`), text);
  }

  spawn(...args: readonly string[]): ChildProcess {
    return this.#processes.start(args).child;
  }

  supervise(...more: readonly string[]): ChildProcess {
    return this.spawn("supervise", "--state", this.state, "--log", "text", ...more);
  }

  weir(...args: readonly string[]): Promise<Ended> {
    return this.#processes.weir(...args);
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

  /** What a test has left behind: also what its supervisor had begun to start when it was killed. */
  kill(): void {
    this.#processes.kill();
    for (const file of globSync("/proc/[0-9]*/cmdline")) {
      try {
        if (readFileSync(file, "latin1").includes(this.folder))
          process.kill(Number(file.split("/")[2]), "SIGKILL");
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

/** Resolves once it has ended, to its exit code. */
export function ended(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode);
  return new Promise((done) => child.once("close", (code) => done(code)));
}

export function runs(name: string): (status: SupervisorStatus) => boolean {
  return ({ pipelines }) => pipelines.find((each) => each.name === name)?.state === "running";
}
