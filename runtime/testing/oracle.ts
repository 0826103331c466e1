// The window engine as one would explain it: keeps every record, and recomputes everything from them.
// It is what tests hold the real engine to, so it shares no code with it. Never fast, and never in a worker.

import { aggregate, type Arrival, type OracleColumn, untold } from "./oracle-aggregate.ts";
import { type OracleEmission, type OracleWindow, windowsOf } from "./oracle-kinds.ts";
import type { OracleKind, OracleRow } from "./oracle-windows.ts";
import type { Fields } from "./payload.ts";

/** A pipeline of at most one filter, then one window. All times in ms. */
export interface OraclePipeline {
  readonly schema: Readonly<Record<string, "string" | "time" | "float64" | "bool">>;
  /** Null for processing time. */
  readonly time: {
    readonly field: string;
    readonly lateness: number;
    readonly idle: number | null;
    readonly ahead: number;
  } | null;
  readonly keep: (record: Fields) => boolean;
  readonly window: OracleWindow;
  readonly emission: OracleEmission;
  readonly by: readonly string[];
  readonly select: Readonly<Record<string, OracleColumn>>;
}

export type OracleReason = "type" | "time" | "ahead" | "filtered" | "late";

const typeNames = { string: "string", time: "number", float64: "number", bool: "boolean" } as const;

export class Oracle {
  readonly #pipeline: OraclePipeline;
  readonly #windows: OracleKind;
  readonly #entered: number[] = [];
  /** How far the clock carried event time while the source was silent. */
  #carried = Number.NEGATIVE_INFINITY;
  /** Event time when the last record arrived, and the clock at that moment. */
  #rest = Number.NEGATIVE_INFINITY;
  #arrived = Number.NEGATIVE_INFINITY;
  #advanced = Number.NEGATIVE_INFINITY;
  /** Records that a window took. */
  #taken = 0;
  in = 0;
  readonly ledger: Partial<Record<OracleReason, number>> = {};
  /** The rows sent so far, in order. */
  readonly rows: Fields[] = [];

  constructor(pipeline: OraclePipeline) {
    this.#pipeline = pipeline;
    this.#windows = windowsOf(pipeline.window, pipeline.emission);
  }

  /** Event time so far, in whole ms. */
  get watermark(): number {
    return Math.floor(Math.max(this.#carried, ...this.#entered) - (this.#pipeline.time?.lateness ?? 0));
  }

  /** Input records in rows sent. */
  get out(): number {
    return this.#windows.out();
  }

  get held(): number {
    return this.#taken - this.out;
  }

  /** Records that are fed together, and what the clock showed when each arrived. */
  batch(records: readonly Fields[], arrivals: readonly number[]): void {
    records.forEach((record, i) => {
      const entered = this.#entered.length;
      this.#record(record, arrivals[i]!);
      if (this.#entered.length === entered) return;
      this.#arrived = arrivals[i]!;
      this.#rest = Math.max(this.#carried, ...this.#entered);
    });
    this.#advance(this.watermark);
  }

  /** Time passes without records. */
  tick(now: number): void {
    const { time } = this.#pipeline;
    if (time === null) {
      this.#carried = Math.max(this.#carried, now);
      this.#advance(this.watermark);
      return;
    }
    const { idle } = time;
    const silent = now - this.#arrived;
    if (idle === null || this.#entered.length === 0 || silent < idle) return;
    this.#carried = Math.max(this.#carried, this.#rest + silent);
    this.#advance(this.watermark);
  }

  finish(): void {
    this.#advance(Number.POSITIVE_INFINITY);
  }

  #record(record: Fields, now: number): void {
    const { schema, time, keep, by } = this.#pipeline;
    this.in++;
    for (const [name, type] of Object.entries(schema)) {
      const value = record[name] ?? null;
      if (value !== null && typeof value !== typeNames[type]) return this.#leave("type");
    }
    const at = time === null ? now : ((record[time.field] ?? null) as number | null);
    if (at === null) return this.#leave("time");
    if (time !== null && at > now + time.ahead) return this.#leave("ahead");
    const inForce = this.watermark;
    this.#entered.push(at);
    if (!keep(record)) return this.#leave("filtered");
    if (inForce > this.#advanced) this.#advance(inForce);
    const key = JSON.stringify(by.map((name) => record[name] ?? null));
    const arrival: Arrival = { record, time: at, inForce, key };
    if (this.#windows.take(arrival)) this.#taken++;
    else this.#leave("late");
    return undefined;
  }

  #leave(reason: OracleReason): void {
    this.ledger[reason] = (this.ledger[reason] ?? 0) + 1;
  }

  #advance(watermark: number): void {
    this.#advanced = watermark;
    const { rows, filtered } = this.#windows.advance(watermark);
    for (const row of rows) this.rows.push(this.#rowOf(row));
    for (let i = 0; i < filtered; i++) this.#leave("filtered");
    this.#taken -= filtered;
  }

  #rowOf(row: OracleRow): Fields {
    const { by, select } = this.#pipeline;
    return {
      window_start: row.start,
      window_end: row.end,
      ...row.labels,
      ...Object.fromEntries(by.map((name) => [name, row.group[0]!.record[name] ?? null])),
      ...Object.fromEntries(Object.entries(select).map(([name, column]) => [name, resultOf(column, row)])),
    };
  }
}

function resultOf(column: OracleColumn, { group, filled }: OracleRow): unknown {
  const own = aggregate(column, group);
  if (filled === undefined) return own;
  if (column.aggregate === "count" || column.aggregate === "count_distinct") return 0;
  if (filled === "last") return own;
  if (filled === "null") return null;
  if (isText(column)) return null;
  if (filled === "zero") return 0;
  const next = aggregate(column, filled.to);
  // An approximate result is not held to a line between exact ones.
  if (own === untold || next === untold || column.aggregate === "quantile") return untold;
  if (typeof own !== "number" || typeof next !== "number") return null;
  return own + (next - own) * filled.share;
}

function isText({ aggregate: name }: OracleColumn): boolean {
  return name === "top_k" || name === "histogram" || name === "collect";
}
