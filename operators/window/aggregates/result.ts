// How results are written to the columns that go out: numbers, or null where there is none, and texts.

import type { WritableColumn } from "weir/sdk";

/** Writes a number, or null where it is not finite (no value was added, or it has no answer). */
export function writeNumber(out: WritableColumn, row: number, value: number): void {
  if (Number.isFinite(value)) out.values[row] = value;
  else out.valid[row] = 0;
}

/** Writes a text to a column of strings or of JSON. */
export function writeText(out: WritableColumn, row: number, text: string): void {
  if (out.type !== "string" && out.type !== "json") {
    throw new TypeError(`a text was to be written to a column of type ${out.type}`);
  }
  out.values[row] = out.dictionary.code(text);
}
