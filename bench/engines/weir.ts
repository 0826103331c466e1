// weir from the file to the sink's payloads, as a worker runs it: its file source, its decoder, its engine
// with ledger and law, its pool where threads are given. Only the sink is memory, and the file where that is asked for.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { PayloadBatch } from "../../runtime/batch/payloads.ts";
import { type Clock, VirtualClock, wallClock } from "../../runtime/clock.ts";
import { LineSplitter } from "../../runtime/codec/kernel/line-splitter.ts";
import { fileSource } from "../../runtime/connect/file-source.ts";
import { type LineFile, LineReader } from "../../runtime/connect/line-reader.ts";
import { GroupRunner } from "../../runtime/engine/group-runner.ts";
import { type LoadedPipeline, loadInput, readInput } from "../../runtime/engine/loader.ts";
import { DecodePool } from "../../runtime/engine/pool.ts";
import { SourceGroup } from "../../runtime/engine/source-group.ts";
import { WeirError } from "../../runtime/errors.ts";
import { limits } from "../../runtime/limits.ts";
import type { PipelinePlan } from "../../runtime/pipeline/pipeline.ts";
import { lawFaults } from "../../runtime/testing/harness.ts";
import { Connections } from "../../runtime/worker/connections.ts";
import { ReferenceTask } from "../../runtime/worker/reference-task.ts";
import { type Assignment, type Engine, type Pass, RowCount, type Session } from "../side-by-side/engine.ts";

async function load(program: URL, file: string): Promise<LoadedPipeline & { readonly plan: PipelinePlan }> {
  const loaded = await loadInput(readInput(fileURLToPath(program), { RECORDS: file }));
  const { plan, diagnostics } = loaded;
  if (plan !== null) return { ...loaded, plan };
  throw new WeirError("WEIR_CONFIG", `${program.pathname}: ${diagnostics[0]?.message ?? "no plan"}`);
}

function checkLaw(runner: GroupRunner, letters: number): void {
  const faults = lawFaults(runner.status().flatMap(({ branches }) => branches));
  if (letters > 0) faults.push(`${letters} records went to the dead letter`);
  if (faults.length > 0) throw new WeirError("WEIR_INTERNAL", faults.join("; "));
}

/** What look-ups read, as a worker brings it. */
async function refer(runner: GroupRunner, plan: PipelinePlan): Promise<ReferenceTask> {
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const connections = new Connections({}, log, wallClock);
  const references = new ReferenceTask(log);
  await references.load([plan], { connections, clock: wallClock, log, subjects: new Map() });
  await references.start(runner);
  return references;
}

/** The clock of a pass: where windows follow it, it stands still, so that a pass that takes longer has no other rows. */
function clockOf({ inputs }: PipelinePlan): Clock {
  return inputs.some(({ spec }) => spec.time === null) ? new VirtualClock(wallClock.now()) : wallClock;
}

/** The payloads of the file, batch by batch, each valid until the next. */
type Reading = (clock: Clock) => AsyncIterable<PayloadBatch>;

const want = {
  rows: limits.batch_rows_max,
  bytes: limits.batch_bytes_max,
  wait_ms: 0,
  age_ms: limits.batch_age_ms_max,
};

function fromFile(path: string): Reading {
  return async function* (clock) {
    const source = fileSource({ path, format: "lines", clock });
    await source.open();
    for (let delivery = await source.read(want); delivery !== "end"; delivery = await source.read(want))
      if (delivery !== null) yield delivery.payloads;
    await source.close();
  };
}

/** The same from the file's bytes, which are in memory before a pass begins. */
function fromMemory(path: string): Reading {
  const bytes = readFileSync(path);
  const file: LineFile = {
    read: (buffer, at, length, position) =>
      Promise.resolve({ bytesRead: bytes.copy(buffer, at, position, position + length) }),
  };
  return async function* (clock) {
    const splitter = LineSplitter.create();
    if (splitter === null) throw new WeirError("WEIR_INTERNAL", "the kernel is not built");
    const lines = new LineReader(file, 0, limits.payload_bytes_max, splitter);
    for (;;) {
      splitter.begin();
      while (!lines.take(want.rows, want.bytes) && !lines.ended) await lines.fill();
      if (splitter.count === 0) return;
      yield splitter.view(path, clock.now());
    }
  };
}

async function open({ folder, file }: Assignment, { threads, reading }: Course): Promise<Session> {
  const { plan, input } = await load(new URL(program, folder), file);
  const readings = reading(file);
  // A worker has an engine at any time. Were there none during a collection, V8 would forget what shape the parts of one
  // have, and compile them anew in every pass.
  const last: SourceGroup[] = [];
  // Its pool lives as long as it does.
  const pool = threads === 0 ? null : new DecodePool(threads);
  const pass = async (keep: boolean): Promise<Pass> => {
    const sent = new RowCount(keep);
    let letters = 0;
    const group = new SourceGroup([plan], {
      headers: [],
      identity: "bench",
      outputs: () => ({
        row: (_branch, { payload }) => sent.emit(payload),
        deadLetter: () => letters++,
      }),
    });
    last[0] = group;
    const runner = new GroupRunner(group, { inputs: [input], header: [], pool });
    const references = await refer(runner, plan);
    const clock = clockOf(plan);
    for await (const payloads of readings(clock)) await runner.feed(payloads, clock.now());
    await runner.finish(clock.now());
    checkLaw(runner, letters);
    await references.close();
    await runner.close();
    return sent;
  };
  return { pass, close: async () => pool?.close() };
}

const program = "weir.yaml";

/** How it is run. */
interface Course {
  /** Beside its own. */
  readonly threads: number;
  readonly reading: (path: string) => Reading;
  /** The workloads that it is for; all where it is left out. */
  readonly workloads?: readonly string[];
}

function weir(name: string, { workloads, ...course }: Course): Engine {
  return {
    name,
    threads: course.threads + 1,
    program,
    ...(workloads === undefined ? {} : { workloads }),
    missing: () => null,
    open: (assignment) => open(assignment, course),
  };
}

/**
 * All on one thread; with as many threads beside it as a gateway of two cores has cores; and from memory, where it is
 * measured against a program that has the bytes there.
 */
export const weirEngines: readonly Engine[] = [
  weir("weir", { threads: 0, reading: fromFile }),
  weir("weir, 2 threads", { threads: 1, reading: fromFile }),
  weir("weir, from memory", { threads: 0, reading: fromMemory, workloads: ["uc2", "readings"] }),
];
