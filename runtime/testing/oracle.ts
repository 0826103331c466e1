// The window engine as one would explain it: keeps every record, and recomputes everything from them.
// It is what tests hold the real engine to, so it shares no code with it. Never fast, and never in a worker.

import type { Fields } from "./payload.ts";

/** One column of a result: an aggregate of a field, `field` null for `count()`. */
export interface OracleColumn {
  readonly aggregate:
    | "count"
    | "sum"
    | "mean"
    | "min"
    | "max"
    | "first"
    | "last"
    | "stddev"
    | "quantile"
    | "count_distinct";
  readonly field: string | null;
  /** For `quantile`. */
  readonly share?: number;
}

/** A pipeline of at most one filter, then one tumbling window. All times in ms. */
export interface OraclePipeline {
  readonly schema: Readonly<Record<string, "string" | "time" | "float64" | "bool">>;
  readonly time: {
    readonly field: string;
    readonly lateness: number;
    readonly idle: number | null;
    readonly ahead: number;
  };
  readonly keep: (record: Fields) => boolean;
  readonly size: number;
  readonly offset: number;
  readonly by: readonly string[];
  readonly select: Readonly<Record<string, OracleColumn>>;
}

export type OracleReason = "type" | "time" | "ahead" | "filtered" | "late";

interface Kept {
  readonly record: Fields;
  readonly time: number;
  readonly start: number;
  sent: boolean;
}

const typeNames = { string: "string", time: "number", float64: "number", bool: "boolean" } as const;

export class Oracle {
  readonly #pipeline: OraclePipeline;
  readonly #kept: Kept[] = [];
  readonly #entered: number[] = [];
  /** How far the clock carried event time while the source was silent. */
  #carried = Number.NEGATIVE_INFINITY;
  /** Event time when the last record arrived, and the clock at that moment. */
  #rest = Number.NEGATIVE_INFINITY;
  #arrived = Number.NEGATIVE_INFINITY;
  in = 0;
  readonly ledger: Partial<Record<OracleReason, number>> = {};
  /** The rows sent so far, in order. */
  readonly rows: Fields[] = [];

  constructor(pipeline: OraclePipeline) {
    this.#pipeline = pipeline;
  }

  /** Event time so far, ms. */
  get watermark(): number {
    return Math.max(this.#carried, ...this.#entered) - this.#pipeline.time.lateness;
  }

  /** Input records in rows sent. */
  get out(): number {
    return this.#kept.filter(({ sent }) => sent).length;
  }

  get held(): number {
    return this.#kept.length - this.out;
  }

  /** Records that are fed together when the clock shows `now`. */
  batch(records: readonly Fields[], now: number): void {
    const entered = this.#entered.length;
    for (const record of records) this.#record(record, now);
    if (this.#entered.length > entered) {
      this.#arrived = now;
      this.#rest = Math.max(this.#carried, ...this.#entered);
    }
    this.#send(this.watermark);
  }

  /** Time passes without records. */
  tick(now: number): void {
    const { idle } = this.#pipeline.time;
    const silent = now - this.#arrived;
    if (idle === null || this.#entered.length === 0 || silent < idle) return;
    this.#carried = Math.max(this.#carried, this.#rest + silent);
    this.#send(this.watermark);
  }

  finish(): void {
    this.#send(Number.POSITIVE_INFINITY);
  }

  #record(record: Fields, now: number): void {
    const { schema, time, keep, size, offset } = this.#pipeline;
    this.in++;
    for (const [name, type] of Object.entries(schema)) {
      const value = record[name] ?? null;
      if (value !== null && typeof value !== typeNames[type]) return this.#leave("type");
    }
    const at = (record[time.field] ?? null) as number | null;
    if (at === null) return this.#leave("time");
    if (at > now + time.ahead) return this.#leave("ahead");
    const inForce = this.watermark;
    this.#entered.push(at);
    if (!keep(record)) return this.#leave("filtered");
    const start = Math.floor((at - offset) / size) * size + offset;
    if (start + size <= inForce) return this.#leave("late");
    this.#kept.push({ record, time: at, start, sent: false });
    return undefined;
  }

  #leave(reason: OracleReason): void {
    this.ledger[reason] = (this.ledger[reason] ?? 0) + 1;
  }

  #send(watermark: number): void {
    const { size, by, select } = this.#pipeline;
    const due = this.#kept.filter((kept) => !kept.sent && kept.start + size <= watermark);
    for (const start of [...new Set(due.map((kept) => kept.start))].sort((a, b) => a - b)) {
      const groups = new Map<string, Kept[]>();
      for (const kept of due.filter((each) => each.start === start)) {
        const key = JSON.stringify(by.map((name) => kept.record[name] ?? null));
        groups.set(key, [...(groups.get(key) ?? []), kept]);
        kept.sent = true;
      }
      for (const group of groups.values()) {
        const { record } = group[0]!;
        this.rows.push({
          window_start: start,
          window_end: start + size,
          ...Object.fromEntries(by.map((name) => [name, record[name] ?? null])),
          ...Object.fromEntries(
            Object.entries(select).map(([name, column]) => [name, aggregate(column, group)]),
          ),
        });
      }
    }
  }
}

function aggregate({ aggregate: name, field, share }: OracleColumn, group: readonly Kept[]): number | null {
  if (name === "count" && field === null) return group.length;
  const present = group.filter(({ record }) => (record[field!] ?? null) !== null);
  if (name === "count") return present.length;
  if (name === "count_distinct") return new Set(present.map(({ record }) => record[field!])).size;
  const values = present.map(({ record }) => record[field!] as number);
  if (values.length === 0) return null;
  const total = values.reduce((sum, value) => sum + value, 0);
  const mean = total / values.length;
  const sorted = values.toSorted((a, b) => a - b);
  // A stable sort: of equal times, the first and the last to arrive stay the first and the last.
  const inTime = present.toSorted((a, b) => a.time - b.time).map(({ record }) => record[field!] as number);
  switch (name) {
    case "sum":
      return total;
    case "mean":
      return mean;
    case "min":
      return sorted[0]!;
    case "max":
      return sorted.at(-1)!;
    case "first":
      return inTime[0]!;
    case "last":
      return inTime.at(-1)!;
    case "quantile":
      return sorted[Math.floor(share! * (sorted.length - 1))]!;
    case "stddev": {
      const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
      return values.length < 2 ? null : Math.sqrt(squares / (values.length - 1));
    }
  }
}
