// Whether two contenders made the same rows. Everything must be equal to the last bit but `sum` and `mean`:
// weir's sums are compensated and the hand-written ones are not, so these may differ by 1e-12 of their size.

import { createHash } from "node:crypto";
import type { Outcome } from "./contender.ts";

/** Of a sum or mean, relative. */
const tolerance = 1e-12;
/** Sums of readings with two decimals are far from where rounding at the sixth could go either way. */
const decimals = 6;

const exact = ["window_start", "window_end", "device", "n", "min", "max"] as const;
const close = ["sum", "mean"] as const;

type Row = Readonly<Record<(typeof exact)[number] | (typeof close)[number], string | number | null>>;

function readRow(payload: Uint8Array): Row {
  return JSON.parse(Buffer.from(payload).toString()) as Row;
}

function isClose(a: unknown, b: unknown): boolean {
  if (typeof a !== "number" || typeof b !== "number") return a === b;
  return Math.abs(a - b) <= tolerance * Math.max(Math.abs(a), Math.abs(b), 1);
}

function rowFault(a: Row, b: Row): string | null {
  const keys = Object.keys(a).sort().join();
  if (keys !== Object.keys(b).sort().join()) return `fields ${keys} and ${Object.keys(b).sort().join()}`;
  for (const name of exact) if (a[name] !== b[name]) return `${name}: ${a[name]} and ${b[name]}`;
  for (const name of close) if (!isClose(a[name], b[name])) return `${name}: ${a[name]} and ${b[name]}`;
  return null;
}

/** The first difference between two outcomes, row order included; null when they are the same. */
export function differenceOf(a: Outcome, b: Outcome): string | null {
  if (a.filtered !== b.filtered) return `records left out: ${a.filtered} and ${b.filtered}`;
  if (a.rows.length !== b.rows.length) return `rows: ${a.rows.length} and ${b.rows.length}`;
  for (let i = 0; i < a.rows.length; i++) {
    const fault = rowFault(readRow(a.rows[i]!), readRow(b.rows[i]!));
    if (fault !== null) return `row ${i}: ${fault}`;
  }
  return null;
}

/** Names the rows: equal for outcomes without a difference. Means are left out; they follow from what is in. */
export function hashOf(outcome: Outcome): string {
  const hash = createHash("sha256");
  for (const payload of outcome.rows) {
    const row = readRow(payload);
    const sum = Number(row.sum).toFixed(decimals);
    hash.update(`${JSON.stringify([...exact.map((name) => row[name]), sum])}\n`);
  }
  return hash.digest("hex").slice(0, 16);
}
