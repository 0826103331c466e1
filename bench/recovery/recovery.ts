// `npm run bench -- recovery`: how soon a worker with much state goes on after SIGKILL. Real processes of the bundle and a
// real nats-server; then, on copies of the folder that the kills left, what each part of a start costs the processor.

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { sleep, stopwatch, wallClock } from "../../runtime/clock.ts";
import { startNatsServer } from "../../runtime/connect/nats-server.ts";
import { WeirError } from "../../runtime/errors.ts";
import { spreadOf } from "../pairs.ts";
import { Program } from "../program.ts";
import { judge, type Report } from "../report.ts";
import { seeded } from "../seeded.ts";
import { processorSeconds } from "../side-by-side/processes.ts";
import type { PhaseAnswer } from "./phases.ts";

const builder: string = join(import.meta.dirname, "../../deploy/bundle.ts");
const wanted_ms = 2_000;
const keysAll = 1_000_000;
const keysQuick = 100_000;
const kills = 12;
const killsQuick = 3;
/** Records of one message. */
const lines = 2_000;
/** How far the publisher is ahead of the rows, in records. */
const ahead = 60_000;
const look_ms = 5;
/** Records between two kills, of a key: at least, and how many more at most. */
const least = 0.05;
const more = 0.8;
/** Every hundredth record has the value that is forwarded at once. */
const sampled = 100;

export interface RecoveryOptions {
  readonly quick: boolean;
}

/** A window a year long that no run ends: all its keys are state. */
function pipelineText(keys: number): string {
  return `name: recovery
source:
  nats: { subject: "recovery.in", stream: RECOVERY }
  framing: lines
  format: json
  schema: { device: string, seq: float64, ts: time, value: float64 }
  time: { field: ts, unit: ms, lateness: 2s }
limits: { keys: { max: ${keys} }, memory: 1GiB }
steps:
  - branch:
      raw:
        - filter: value == 0
        - sink: { nats: { subject: "recovery.rows", stream: ROWS }, format: json }
      windows:
        - window: { tumbling: 365d, by: device, select: { n: count(), total: sum(value), least: min(value), most: max(value) } }
        - sink: { nats: { subject: "recovery.windows", stream: WINDOWS }, format: json }
`;
}

/** The world of one run: streams, and records that come as long as their rows do. */
class World {
  readonly folder: string;
  readonly #url: string;
  readonly #nats: NatsConnection;
  readonly #keys: number;
  readonly #random = seeded(1);
  #published = 0;
  #stopped = false;
  #worker: ChildProcess | null = null;
  /** The greatest number of a record whose row is there. */
  arrived = 0;

  constructor(folder: string, url: string, nats: NatsConnection, keys: number) {
    this.folder = folder;
    this.#url = url;
    this.#nats = nats;
    this.#keys = keys;
    writeFileSync(join(folder, "recovery.yaml"), pipelineText(keys));
  }

  async open(): Promise<void> {
    const { streams } = await jetstreamManager(this.#nats);
    for (const [name, subject] of [
      ["RECOVERY", "recovery.in"],
      ["ROWS", "recovery.rows"],
      ["WINDOWS", "recovery.windows"],
    ] as const)
      await streams.add({ name, subjects: [subject] });
    this.#nats.subscribe("recovery.rows", {
      callback: (_error, message) => {
        const { seq } = JSON.parse(message.string()) as { seq: number };
        if (seq > this.arrived) this.arrived = seq;
      },
    });
  }

  start(): number {
    const [program, leash] = ["weir.js", "demo-leash.js"].map((part) => join(this.folder, "weir", part));
    const environment = { HOME: this.folder, XDG_CACHE_HOME: "", WEIR_RUN_FOLDER: join(this.folder, "run") };
    const parameters = ["run", "recovery.yaml", "--state", "state", "--nats", this.#url, "--log", "text"];
    this.#worker = spawn(process.execPath, ["--import", leash!, program!, ...parameters], {
      cwd: this.folder,
      env: { ...process.env, ...environment },
      // It ends when this program does, however that ends.
      stdio: ["pipe", "ignore", "ignore"],
    });
    return this.#worker.pid!;
  }

  async kill(): Promise<void> {
    const worker = this.#worker;
    if (worker === null || worker.exitCode !== null) return;
    const gone = new Promise((resolve) => worker.once("close", resolve));
    worker.kill("SIGKILL");
    await gone;
  }

  /** Every key once, and then any; never far ahead of the rows. */
  async publish(): Promise<void> {
    const stream = jetstream(this.#nats);
    while (!this.#stopped) {
      if (this.#published - this.arrived > ahead) await sleep(wallClock, look_ms);
      else await stream.publish("recovery.in", this.#text());
    }
  }

  #text(): string {
    const records: string[] = [];
    for (let place = 0; place < lines; place++) {
      const seq = this.#published++;
      const key = seq < this.#keys ? seq : Math.floor(this.#random() * this.#keys);
      const value = seq % sampled === 0 ? 0 : 1 + Math.floor(this.#random() * 1_000);
      records.push(
        `{"device":"device-${key}","seq":${seq},"ts":${1_700_000_000_000 + seq},"value":${value}}`,
      );
    }
    return `${records.join("\n")}\n`;
  }

  /** Resolves once the row of a record behind number `seq` is there. */
  async reach(seq: number): Promise<void> {
    while (this.arrived <= seq) {
      if (this.#worker?.exitCode !== null)
        throw new WeirError("WEIR_INTERNAL", `weir run ended; try it in ${this.folder}`);
      await sleep(wallClock, 1);
    }
  }

  stop(): void {
    this.#stopped = true;
  }
}

interface Start {
  readonly ms: number;
  /** Of the processor; null where the system does not tell. */
  readonly cpu_ms: number | null;
}

/** From the start of a worker to the row of a record that no worker had seen. */
async function started(world: World): Promise<Start> {
  const before = world.arrived;
  const watch = stopwatch();
  const pid = world.start();
  await world.reach(before);
  const ms = stopwatch() - watch;
  const seconds = processorSeconds([pid]);
  return { ms, cpu_ms: seconds === null ? null : seconds * 1_000 };
}

function megabytesIn(folder: string, prefix: string): number {
  const names = readdirSync(folder).filter((name) => name.startsWith(prefix));
  return names.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0) / 1e6;
}

function textOf({ ms, cpu_ms }: Start): string {
  return `${ms.toFixed(0)} ms${cpu_ms === null ? "" : `, ${cpu_ms.toFixed(0)} ms of the processor`}`;
}

async function reportPhases(world: World, report: Report): Promise<void> {
  // On a copy: a start begins a new segment.
  const copy = join(world.folder, "copy");
  rmSync(copy, { recursive: true, force: true });
  cpSync(join(world.folder, "state"), copy, { recursive: true });
  const program = new Program<PhaseAnswer>(
    new URL("phases.ts", import.meta.url),
    [copy, join(world.folder, "recovery.yaml")],
    { name: "recovery" },
  );
  const { phases } = await program.next("phases");
  for (const { name, cpu_ms, ms } of phases)
    report.note(
      `    ${name.padEnd(36)} ${cpu_ms.toFixed(0).padStart(6)} ms of the processor, ${ms.toFixed(0)} ms`,
    );
}

async function benchKills(world: World, keys: number, times: number, report: Report): Promise<number[]> {
  report.note(`  a worker without state: ${textOf(await started(world))}`);
  await world.reach(keys);
  const random = seeded(2);
  const taken: Start[] = [];
  const folder = join(world.folder, "state", "recovery");
  for (let kill = 0; kill < times; kill++) {
    await world.reach(world.arrived + keys * (least + more * random()));
    await world.kill();
    const log = megabytesIn(folder, "segment-");
    const held = `${log.toFixed(0)} MB of log`;
    if (kill === times - 1) await reportPhases(world, report);
    const start = await started(world);
    taken.push(start);
    report.note(`  ${held}: ${textOf(start)}`);
  }
  report.note(`  a snapshot of ${(megabytesIn(folder, "snapshot-") / 2).toFixed(0)} MB`);
  return taken.map(({ ms }) => ms);
}

export async function benchRecovery({ quick }: RecoveryOptions, report: Report): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), "weir-recovery-"));
  execFileSync(process.execPath, [builder, join(folder, "weir")]);
  const server = await startNatsServer({ name: "bench-recovery" }, process.env);
  const nats = await connect({ servers: server.url });
  const keys = quick ? keysQuick : keysAll;
  const world = new World(folder, server.url, nats, keys);
  report.note(`from SIGKILL to the first new row, with the state of ${keys} keys`);
  try {
    await world.open();
    const publishing = world.publish();
    const values = await benchKills(world, keys, quick ? killsQuick : kills, report);
    world.stop();
    await publishing;
    judge(report, "going on, p50", "ms", values, wanted_ms);
    // Of so few the 99th percentile is the largest.
    judge(report, "going on, p99", "ms", [spreadOf(values).max], wanted_ms);
  } finally {
    world.stop();
    await world.kill();
    await nats.close();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
  return true;
}
