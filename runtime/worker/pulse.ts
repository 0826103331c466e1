// A worker's heartbeat: what it counts, and what came of it since the last one. Measures the process; sends nothing.

import type { Heartbeat, Phase, PipelineBeat } from "../heartbeat.ts";
import type { PipelineLife } from "./pipeline-life.ts";
import type { WorkerStatus } from "./worker.ts";

/** Who sends it. */
export interface PulseIdentity {
  readonly host: string;
  readonly worker: string;
  /** Wall clock ms. */
  readonly started: number;
}

/** What a pipeline had counted before, for the rates since. */
interface Reading {
  readonly at: number;
  readonly records: number;
  readonly busy_ms: number;
  /** Of records that no rate counts yet: how many, and how long they took. */
  readonly unrated: { readonly records: number; readonly busy_ms: number };
  readonly true_rate: number | null;
  readonly busy: number;
}

const nothing: Reading["unrated"] = { records: 0, busy_ms: 0 };

/** Below this a rate says nothing, and the last one holds until there is more. */
const busyEnough_ms = 1;

export class Pulse {
  readonly #identity: PulseIdentity;
  readonly #readings = new Map<string, Reading>();
  /** By pipeline, for one start of it. */
  readonly #unreadySince = new Map<string, { readonly key: string; readonly since: number }>();
  /** The main thread at the last beat, and how busy it was before that. */
  #loop = performance.eventLoopUtilization();
  #at = Number.NEGATIVE_INFINITY;
  #busy = 0;

  constructor(identity: PulseIdentity) {
    this.#identity = identity;
  }

  beat(
    lives: readonly { readonly name: string; readonly life: PipelineLife }[],
    { phase, assignment }: { readonly phase: Phase; readonly assignment: string | null },
    now: number,
  ): Heartbeat {
    const { user, system } = process.cpuUsage();
    if (now > this.#at) {
      const loop = performance.eventLoopUtilization();
      this.#busy = performance.eventLoopUtilization(loop, this.#loop).utilization;
      this.#loop = loop;
      this.#at = now;
    }
    return {
      ...this.#identity,
      process: process.pid,
      at: now,
      phase,
      assignment,
      memory_bytes: process.memoryUsage.rss(),
      processor_s: (user + system) / 1e6,
      busy: this.#busy,
      pipelines: lives.map(({ name, life }) => this.#pipeline(name, life, now)),
    };
  }

  #pipeline(name: string, life: PipelineLife, now: number): PipelineBeat {
    const status = life.status();
    const counts = status === null ? noCounts : countsOf(status);
    const { busy, true_rate } = this.#rates(`${name}@${life.revision}`, counts.records, life.busy_ms, now);
    const { revision, attempt, phase, fault, since, waitsFor } = life;
    const unready = this.#unready(name, life, now);
    const waits = {
      ...(waitsFor === null ? {} : { waits_for: waitsFor }),
      ...(status?.lacks_room === undefined ? {} : { lacks_room: status.lacks_room }),
    };
    return { name, revision, attempt, phase, fault, since, ...waits, ...unready, ...counts, busy, true_rate };
  }

  /** Since when nothing but the pipeline itself keeps it from being open. */
  #unready(
    name: string,
    { isUnready, revision, attempt }: PipelineLife,
    now: number,
  ): { unready_ms?: number } {
    const key = `${revision} ${attempt}`;
    const known = this.#unreadySince.get(name);
    if (!isUnready) {
      this.#unreadySince.delete(name);
      return {};
    }
    if (known?.key === key) return { unready_ms: now - known.since };
    this.#unreadySince.set(name, { key, since: now });
    return { unready_ms: 0 };
  }

  #rates(key: string, records: number, busy_ms: number, now: number): Reading {
    const last = this.#readings.get(key);
    // Asked several times in one moment, the answer is the same.
    if (last !== undefined && now <= last.at) return last;
    const worked = last === undefined || busy_ms < last.busy_ms ? 0 : busy_ms - last.busy_ms;
    const read = last === undefined || records < last.records ? 0 : records - last.records;
    const before = last?.unrated ?? nothing;
    const rated = { records: before.records + read, busy_ms: before.busy_ms + worked };
    const isEnough = rated.records > 0 && rated.busy_ms > busyEnough_ms;
    const reading = {
      at: now,
      records,
      busy_ms,
      // What is done without a record is no record's time.
      unrated: isEnough || rated.records === 0 ? nothing : rated,
      busy: last === undefined ? 0 : Math.min(1, worked / (now - last.at)),
      true_rate: isEnough ? (rated.records / rated.busy_ms) * 1000 : (last?.true_rate ?? null),
    };
    this.#readings.set(key, reading);
    return reading;
  }
}

type Counts = Pick<
  PipelineBeat,
  "records" | "rows" | "held" | "state_bytes" | "pending" | "dropped" | "lag" | "watermark"
>;

const noCounts: Counts = { records: 0, rows: 0, held: 0, pending: 0, dropped: 0, lag: null, watermark: null };

function countsOf({ pipeline, sources, sinks }: WorkerStatus): Counts {
  const lags = sources.map(({ lag }) => lag);
  return {
    records: sum(sources.map(({ records }) => records)),
    rows: sum(sinks.map(({ rows }) => rows)),
    held: sum(pipeline.branches.map(({ held }) => held)),
    ...(pipeline.state_bytes === undefined ? {} : { state_bytes: pipeline.state_bytes }),
    pending: sum(sinks.map(({ pending }) => pending)),
    dropped: sum([...sources, ...sinks].flatMap(({ dropped }) => Object.values(dropped))),
    lag: lags.some((lag) => lag !== null) ? sum(lags.map((lag) => lag ?? 0)) : null,
    watermark: Number.isFinite(pipeline.watermark) ? pipeline.watermark : null,
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, each) => total + each, 0);
}
