// Aggregates as one would explain them: over the records themselves, from the beginning each time. Part of
// the oracle that tests hold the engine to; shares no code with it.

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

/** A record that a window was offered. */
export interface Arrival {
  readonly record: Fields;
  readonly time: number;
  /** The watermark in force when it came. */
  readonly inForce: number;
  /** Its key, as text. */
  readonly key: string;
}

/** Of a group in the order in which its records came. */
export function aggregate(
  { aggregate: name, field, share }: OracleColumn,
  group: readonly Arrival[],
): number | null {
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
