// The truth of a condition at one row, null being neither true nor false.

import type { Column } from "weir/sdk";

function isThere(column: Column, row: number): boolean {
  return column.valid === null || column.valid[row] === 1;
}

export function isTrue(column: Column, row: number): boolean {
  return column.values[row] === 1 && isThere(column, row);
}

export function isFalse(column: Column, row: number): boolean {
  return column.values[row] === 0 && isThere(column, row);
}
