// One value a slot, of any column type: a number in a cell, an int64 in two, a text in the buffer.
// Whether a slot has a value is the caller's to know.

import type { AggregateState, Column, ColumnType, WritableColumn } from "weir/sdk";
import { textBytes } from "./bounds.ts";
import { keepText, keptText } from "./kept-text.ts";
import { writeNumber, writeText } from "./result.ts";

export interface KeptValue {
  /** The first values of its cells. */
  readonly initial: readonly number[];
  /** The most bytes that it takes in the buffer. */
  readonly bytes?: number;
  keep(state: AggregateState, slot: number, column: Column, row: number): void;
  copy(target: AggregateState, into: number, source: AggregateState, from: number): void;
  write(state: AggregateState, slot: number, out: WritableColumn, row: number): void;
}

/** Values of `type`; their cells begin at number `cell` of the state. */
export function keptValue(type: ColumnType, cell: number): KeptValue {
  switch (type) {
    case "string":
    case "json":
      return texts;
    case "int64":
      return wholeNumbers(cell);
    default:
      return numbers(cell);
  }
}

function numbers(cell: number): KeptValue {
  return {
    initial: [Number.NaN],
    keep({ cells }, slot, { values }, row) {
      cells[cell]![slot] = values[row] as number;
    },
    copy(target, into, source, from) {
      target.cells[cell]![into] = source.cells[cell]![from]!;
    },
    write({ cells }, slot, out, row) {
      writeNumber(out, row, cells[cell]![slot]!);
    },
  };
}

/** The high 32 bits, signed, and the low 32 bits. */
function wholeNumbers(cell: number): KeptValue {
  return {
    initial: [0, 0],
    keep({ cells }, slot, { values }, row) {
      const value = values[row] as bigint;
      cells[cell]![slot] = Number(value >> 32n);
      cells[cell + 1]![slot] = Number(BigInt.asUintN(32, value));
    },
    copy(target, into, source, from) {
      for (const each of [cell, cell + 1]) target.cells[each]![into] = source.cells[each]![from]!;
    },
    write({ cells }, slot, out, row) {
      out.values[row] = (BigInt(cells[cell]![slot]!) << 32n) | BigInt(cells[cell + 1]![slot]!);
    },
  };
}

const texts: KeptValue = {
  initial: [],
  bytes: textBytes,
  keep(state, slot, column, row) {
    if (column.dictionary !== null) keepText(state, slot, column.dictionary.text(column.values[row]!));
  },
  copy(target, into, source, from) {
    target.buffers[into] = source.buffers[from]!.slice();
  },
  write(state, slot, out, row) {
    writeText(out, row, keptText(state, slot));
  },
};
