// One workload, all engines that can do it: outputs compared first, then passes in turns. Knows what to do in
// which order; does not know what an engine or a workload is.

import { existsSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stopwatch } from "../../runtime/clock.ts";
import { spreadOf } from "../pairs.ts";
import type { Report } from "../report.ts";
import { streamFile } from "../workloads/stream.ts";
import type { Engine } from "./engine.ts";
import { Guest, type Timed } from "./guest.ts";
import { folderOf, type Workload } from "./workload.ts";

/** Passes that do not count: until so much time has gone, but no more than so many. */
const warm_ms = 3_000;
const warmPasses = 40;

export interface ContestOptions {
  readonly quick: boolean;
  /** Passes of each engine that count. */
  readonly rounds: number;
}

/** One engine's passes on one workload. */
export interface Standing {
  readonly engine: Engine;
  readonly records: number;
  readonly hash: string;
  /** By round. */
  readonly records_per_s: readonly number[];
  readonly cpu_s_per_m_records: number | null;
  readonly peak_rss_mb: number | null;
}

interface Entrant {
  readonly guest: Guest;
  readonly hash: string;
  readonly taken: Timed[];
}

/** The engines that have a program for it and are here; the others are named in the report. */
function participants(workload: Workload, engines: readonly Engine[], report: Report): readonly Engine[] {
  const able = engines.filter(
    ({ program, workloads }) =>
      workloads?.includes(workload.name) !== false && existsSync(new URL(program, folderOf(workload))),
  );
  return able.filter((engine) => {
    const why = engine.missing();
    if (why !== null) report.note(`  ${engine.name}: missing (${why})`);
    return why === null;
  });
}

/** The first rows in which two sorted outputs differ. */
function differenceOf(a: string, b: string): string {
  const [left, right] = [a, b].map((file) => readFileSync(file, "utf8").split("\n")) as [string[], string[]];
  const place = left.findIndex((row, index) => row !== right[index]);
  return `${left.length} and ${right.length} rows; ${left[place]} and ${right[place]}`;
}

/** Opens an engine, has it make its rows once, and warms it up. */
async function enter(engine: Engine, workload: Workload, records: number, rows: string): Promise<Entrant> {
  const guest = await Guest.open(engine, workload, streamFile(workload, records), records);
  const started = stopwatch();
  const { hash } = await guest.pass({ rows });
  for (let pass = 1; pass < warmPasses && stopwatch() - started < warm_ms; pass++)
    await guest.pass({ rows: null });
  return { guest, hash: hash!, taken: [] };
}

/** Throws, before anything is timed, where an engine's rows are not those of the first on as many records. */
async function enterAll(
  workload: Workload,
  engines: readonly Engine[],
  records: number,
): Promise<readonly Entrant[]> {
  const entrants: Entrant[] = [];
  const right = new Map<number, { readonly hash: string; readonly file: string; readonly name: string }>();
  const judge = async (engine: Engine, count: number): Promise<Entrant> => {
    const file = join(tmpdir(), `weir-bench-${process.pid}-${right.size}-${entrants.length}.rows`);
    const entrant = await enter(engine, workload, count, file);
    const known = right.get(count);
    if (known === undefined) right.set(count, { hash: entrant.hash, file, name: engine.name });
    else if (known.hash !== entrant.hash) {
      throw new RangeError(
        `the outputs of ${known.name} and ${engine.name} differ: ${differenceOf(known.file, file)}`,
      );
    }
    return entrant;
  };
  for (const engine of engines) {
    const count = Math.min(records, engine.records_max ?? records);
    if (!right.has(count) && entrants.length > 0) (await judge(engines[0]!, count)).guest.close();
    entrants.push(await judge(engine, count));
  }
  return entrants;
}

function standingOf({ guest, hash, taken }: Entrant): Standing {
  const { records, engine } = guest;
  const processor = taken.map(({ cpu_s }) => cpu_s);
  const cpu_s = processor.reduce<number | null>(
    (sum, each) => (sum === null || each === null ? null : sum + each),
    0,
  );
  return {
    engine,
    records,
    hash,
    records_per_s: taken.map(({ wall_ms }) => (records / wall_ms) * 1000),
    cpu_s_per_m_records: cpu_s === null ? null : (cpu_s / (records * taken.length)) * 1e6,
    peak_rss_mb: guest.peakResident_mb(),
  };
}

/** Times all engines on a workload. Throws where outputs differ. */
export async function contest(
  workload: Workload,
  engines: readonly Engine[],
  { quick, rounds }: ContestOptions,
  report: Report,
): Promise<readonly Standing[]> {
  const records = quick ? Math.ceil(workload.records / 10) : workload.records;
  report.note(`${workload.suite} ${workload.name}: ${workload.about}; ${records} records`);
  const entrants = await enterAll(workload, participants(workload, engines, report), records);
  try {
    for (let round = 0; round < rounds; round++) {
      for (const { guest, taken } of round % 2 === 0 ? entrants : entrants.toReversed())
        taken.push(await guest.pass({ rows: null }));
    }
    return entrants.map(standingOf);
  } finally {
    for (const { guest } of entrants) guest.close();
  }
}

/** How many times faster `a` was than `b`, round by round. */
export function ratioOf(a: Standing, b: Standing): { median: number; min: number; max: number } {
  return spreadOf(a.records_per_s.map((rate, round) => rate / b.records_per_s[round]!));
}
