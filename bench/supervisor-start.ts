// Part of the `supervisor` benchmark: how soon workers run that are not there yet, at first and after a start of the machine
// without a network, and what their supervisor takes meanwhile. Real processes of the bundle.

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { limits } from "../runtime/limits.ts";
import { sleep, stopwatch, wallClock } from "../runtime/clock.ts";
import type { SupervisorStatus } from "../runtime/supervisor/status.ts";
import { askWorkers } from "../runtime/worker/control-client.ts";
import { judge, type Report } from "./report.ts";

const builder: string = join(import.meta.dirname, "../deploy/bundle.ts");
const start_ms_wanted = 5_000;
const settled_ms = limits.supervisor_tidy_ms * 2;
const supervisor_mb_wanted = 90;
const looks_ms = 100;

/** A host of its own: pipelines, state and sockets in one folder. */
class Site {
  readonly folder: string = mkdtempSync(join(tmpdir(), "weir-bench-"));
  readonly #program: string;
  #supervisor: ChildProcess | null = null;

  constructor(program: string, workers: number) {
    this.#program = program;
    mkdirSync(join(this.folder, "p"));
    for (let place = 0; place < workers; place++) {
      const text = `name: pulse-${place}
placement: { isolation: worker }
source: { host: { every: 1s } }
steps:
  - sink: { nothing: {}, format: json }
`;
      writeFileSync(join(this.folder, "p", `pulse-${place}.yaml`), text);
    }
  }

  /** Starts a supervisor, and resolves with how long it takes (ms) until all pipelines run. */
  async start(workers: number, folder: readonly string[]): Promise<number> {
    const env = { ...process.env, WEIR_RUN_FOLDER: join(this.folder, "r") };
    const started = stopwatch();
    this.#supervisor = spawn(
      process.execPath,
      [this.#program, "supervise", ...folder, "--state", join(this.folder, "s")],
      { cwd: this.folder, env, stdio: "ignore" },
    );
    for (;;) {
      const status = await this.status();
      const running = status?.pipelines.filter(({ state }) => state === "running") ?? [];
      if (running.length === workers) return stopwatch() - started;
      // Every question is answered on the processors that workers start on.
      await sleep(wallClock, looks_ms);
    }
  }

  async status(): Promise<SupervisorStatus | null> {
    const answers = await askWorkers(join(this.folder, "r"), "/supervisor");
    const [status] = answers.flatMap(({ answer }) => (answer === null ? [] : [answer as SupervisorStatus]));
    return status ?? null;
  }

  /** The most of its memory for so long, MB; null on systems that do not tell. */
  async mostMemory(ms: number): Promise<number | null> {
    let most: number | null = null;
    for (let past = 0; past < ms; past += looks_ms) {
      const memory = this.#memory();
      if (memory !== null) most = Math.max(most ?? 0, memory);
      await sleep(wallClock, looks_ms);
    }
    return most;
  }

  #memory(): number | null {
    try {
      const text = readFileSync(`/proc/${this.#supervisor?.pid}/status`, "utf8");
      return Number(/^VmRSS:\s+(\d+) kB$/m.exec(text)?.[1]) / 1024;
    } catch {
      return null;
    }
  }

  /** As a machine does that loses its power: nothing runs any more, and nothing was settled. */
  async losePower(): Promise<void> {
    const status = await this.status();
    await this.#end("SIGKILL");
    for (const { process: number } of status?.workers ?? [])
      if (number !== null) process.kill(number, "SIGKILL");
  }

  async close(): Promise<void> {
    await this.#end("SIGINT");
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  async #end(signal: "SIGKILL" | "SIGINT"): Promise<void> {
    const supervisor = this.#supervisor;
    if (supervisor === null) return;
    const ended = new Promise((resolve) => supervisor.once("close", resolve));
    supervisor.kill(signal);
    await ended;
  }
}

export async function benchStarts({ quick }: { readonly quick: boolean }, report: Report): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "weir-bench-bundle-"));
  try {
    execFileSync(process.execPath, [builder, folder], { stdio: "inherit" });
    for (const workers of quick ? [4] : [8, 20]) {
      const site = new Site(join(folder, "weir.js"), workers);
      try {
        const first = await site.start(workers, [join(site.folder, "p")]);
        judge(report, `0 → ${workers} workers`, "ms", [first], start_ms_wanted);
        await site.losePower();
        const again = await site.start(workers, []);
        judge(
          report,
          `${workers} workers after a start of the machine, offline`,
          "ms",
          [again],
          start_ms_wanted,
        );
        // What starting them took is given back a while later.
        await sleep(wallClock, settled_ms);
        const memory = await site.mostMemory(limits.supervisor_tidy_ms);
        if (memory !== null)
          judge(report, `the supervisor of ${workers} workers`, "MB", [memory], supervisor_mb_wanted);
      } finally {
        await site.close();
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
