// weir from the file to the sink's payloads, as a worker runs it: its file source, its decoder, its engine
// with ledger and law, its pool where threads are given. Only the sink is memory.

import { fileURLToPath } from "node:url";
import { type Clock, VirtualClock, wallClock } from "../../runtime/clock.ts";
import { fileSource } from "../../runtime/connect/file-source.ts";
import { GroupRunner } from "../../runtime/engine/group-runner.ts";
import { type LoadedPipeline, loadInput, readInput } from "../../runtime/engine/loader.ts";
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

async function read(runner: GroupRunner, path: string, clock: Clock): Promise<void> {
  const source = fileSource({ path, format: "lines", clock });
  await source.open();
  const want = {
    rows: limits.batch_rows_max,
    bytes: limits.batch_bytes_max,
    wait_ms: 0,
    age_ms: limits.batch_age_ms_max,
  };
  for (let delivery = await source.read(want); delivery !== "end"; delivery = await source.read(want)) {
    if (delivery !== null) await runner.feed(delivery.payloads, clock.now());
  }
  await runner.finish(clock.now());
  await source.close();
}

async function open({ folder, file }: Assignment, program: string, threads: number): Promise<Session> {
  const { plan, input } = await load(new URL(program, folder), file);
  // A worker has an engine at any time. Were there none during a collection, V8 would forget what shape the parts of one
  // have, and compile them anew in every pass.
  const last: SourceGroup[] = [];
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
    const runner = new GroupRunner(group, { inputs: [input], header: [], threads });
    const references = await refer(runner, plan);
    await read(runner, file, clockOf(plan));
    checkLaw(runner, letters);
    await references.close();
    await runner.close();
    return sent;
  };
  return { pass };
}

function weir(name: string, threads: number): Engine {
  const program = "weir.yaml";
  return {
    name,
    threads: threads + 1,
    program,
    missing: () => null,
    open: (assignment) => open(assignment, program, threads),
  };
}

/** All on one thread; and with as many threads beside it as a gateway of two cores has cores. */
export const weirEngines: readonly Engine[] = [weir("weir", 0), weir("weir, 2 threads", 1)];
