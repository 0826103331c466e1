// The `startup` benchmark: how soon a command of the bundle answers and a worker has sent its first row, and
// how much memory workers take that have nothing to do. Real processes, against a real nats-server.

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { sleep, stopwatch, wallClock } from "../runtime/clock.ts";
import { startNatsServer } from "../runtime/connect/nats-server.ts";
import { judge, type Report } from "./report.ts";

export interface StartupOptions {
  readonly quick: boolean;
}

const builder: string = join(import.meta.dirname, "../deploy/bundle.ts");
const help_ms_wanted = 100;
const record_ms_wanted = 400;
const resident_mb_wanted = 90;
const private_mb_wanted = 32;
/** Workers share the pages of their Node, as those of one image do; one alone would have them for itself. */
const idleWorkers = 2;
/** From the first record on, which every worker has handled. */
const idle_ms = 30_000;
const stream = "STARTUP";

/** What is started and measured: the bundle in a folder of its own, pipelines beside it. */
interface Stage {
  readonly folder: string;
  readonly program: string;
  readonly url: string;
  readonly nats: NatsConnection;
}

function start({ folder, program }: Stage, parameters: readonly string[]): ChildProcess {
  // A home of its own, so that compiled code is kept, and only that of earlier runs.
  const env = { ...process.env, HOME: folder, XDG_CACHE_HOME: "", WEIR_RUN_FOLDER: join(folder, "run") };
  return spawn(process.execPath, [program, ...parameters], { cwd: folder, env, stdio: "ignore" });
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", () => resolve());
  });
}

/** A pipeline with a source of its own, an expression and a window, which sends every reading on as well. */
function writePipeline({ folder }: Stage, name: string): string {
  const file = join(folder, `${name}.yaml`);
  const text = `name: ${name}
source:
  nats: { subject: "startup.${name}.{device}", stream: ${stream} }
  format: json
  schema: { ts: time, temp: float64 }
  time: { field: ts, lateness: 5s, ahead: 5m }
steps:
  - filter: temp > -60 && temp < 60
  - branch:
      all:
        - sink: { nats: { subject: "rows.${name}.{device}" }, format: json }
      means:
        - window: { tumbling: 1m, by: device, select: { mean: mean(temp), max: max(temp), n: count() } }
        - sink: { nats: { subject: "means.${name}.{device}" }, format: json }
`;
  writeFileSync(file, text);
  return file;
}

/** Starts a worker for whom a record waits, and lets it run; resolves when its row has come. */
async function firstRow(
  stage: Stage,
  name: string,
): Promise<{ readonly worker: ChildProcess; readonly ms: number }> {
  const { nats, url } = stage;
  const file = writePipeline(stage, name);
  const rows = nats.subscribe(`rows.${name}.>`, { max: 1 });
  nats.publish(`startup.${name}.boiler`, JSON.stringify({ ts: wallClock.now(), temp: 21.5 }));
  await nats.flush();
  const started = stopwatch();
  const worker = start(stage, ["run", file, "--nats", url]);
  const row = (async () => {
    for await (const _row of rows) return stopwatch() - started;
    throw new Error("the connection closed before a row came");
  })();
  const early = ended(worker).then(() => {
    throw new Error(`weir run ended before its first row; try it: ${file}`);
  });
  early.catch(() => undefined);
  return { worker, ms: await Promise.race([row, early]) };
}

async function helpTime(stage: Stage): Promise<number> {
  const started = stopwatch();
  await ended(start(stage, ["--help"]));
  return stopwatch() - started;
}

async function recordTime(stage: Stage, run: number): Promise<number> {
  const { worker, ms } = await firstRow(stage, `first-${run}`);
  worker.kill("SIGTERM");
  await ended(worker);
  return ms;
}

/** Resident memory and what of it is the process's own, MB; null on systems that do not tell. */
function memoryOf(worker: ChildProcess): { readonly resident: number; readonly own: number } | null {
  let facts: string;
  try {
    facts = readFileSync(`/proc/${worker.pid}/smaps_rollup`, "utf8");
  } catch {
    return null;
  }
  const of = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(facts)![1]) / 1024;
  return { resident: of("Rss"), own: of("Private_Clean") + of("Private_Dirty") };
}

async function repeated(runs: number, run: (place: number) => Promise<number>): Promise<number[]> {
  // The first fills the caches, of the machine and of compiled code.
  await run(0);
  const values: number[] = [];
  for (let place = 1; place <= runs; place++) values.push(await run(place));
  return values;
}

async function reportIdle(stage: Stage, report: Report): Promise<void> {
  const workers: ChildProcess[] = [];
  try {
    for (let place = 0; place < idleWorkers; place++) {
      workers.push((await firstRow(stage, `idle-${place}`)).worker);
    }
    await sleep(wallClock, idle_ms);
    const memories = workers.map(memoryOf).filter((each) => each !== null);
    if (memories.length === 0)
      return report.note("  this system does not tell what memory is a process's own");
    const values = (of: "resident" | "own"): number[] => memories.map((each) => each[of]);
    judge(report, "an idle worker, resident", "MB", values("resident"), resident_mb_wanted);
    judge(report, "an idle worker, its own", "MB", values("own"), private_mb_wanted);
  } finally {
    for (const worker of workers) worker.kill("SIGKILL");
  }
}

export async function benchStartup({ quick }: StartupOptions, report: Report): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), "weir-startup-"));
  execFileSync(process.execPath, [builder, join(folder, "weir")]);
  const server = await startNatsServer({ name: "bench-startup" }, process.env);
  const nats = await connect({ servers: server.url });
  const stage = { folder, program: join(folder, "weir", "weir.js"), url: server.url, nats };
  try {
    await (await jetstreamManager(nats)).streams.add({ name: stream, subjects: ["startup.>"] });
    report.note("the bundle: how soon it is there, and what it takes when idle");
    const runs = quick ? 3 : 11;
    judge(report, "weir --help", "ms", await repeated(runs, () => helpTime(stage)), help_ms_wanted);
    const first = await repeated(runs, (run) => recordTime(stage, run));
    judge(report, "weir run to its first row", "ms", first, record_ms_wanted);
    await reportIdle(stage, report);
  } finally {
    await nats.close();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
  return true;
}
