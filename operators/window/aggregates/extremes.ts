// The largest and smallest of numbers: the cells and loops of min, max and range. Texts are in
// text-extreme.ts.

import type { Aggregate, AggregateDefinition, ColumnOf, ColumnType } from "weir/sdk";
import { choosing } from "./choice.ts";
import { present } from "./present.ts";
import { writeNumber } from "./result.ts";
import { extremeText } from "./text-extreme.ts";

type NumberColumn = ColumnOf<"float64" | "time">;

/**
 * The largest of the values times `sign`: the maximum for 1, the minimum for -1. A comparison as an
 * argument would be a call for every value. Cell: that largest, -Infinity while there is none.
 */
function extreme(sign: 1 | -1): Aggregate {
  return {
    initial: [Number.NEGATIVE_INFINITY],
    isPartial: true,
    add({ cells }, allSlots, allRows, total, input) {
      const kept = cells[0]!;
      const { values } = input as NumberColumn;
      const { slots, rows, count } = present(allSlots, allRows, total, input);
      for (let i = 0; i < count; i++) {
        const slot = slots[i]!;
        const value = values[rows[i]!]! * sign;
        if (value > kept[slot]!) kept[slot] = value;
      }
    },
    each: (cell) => `
      const signed = value * ${sign};
      if (signed > ${cell(0)}) ${cell(0)} = signed;`,
    merge(target, into, source, from) {
      const value = source.cells[0]![from]!;
      if (value > target.cells[0]![into]!) target.cells[0]![into] = value;
    },
    finish({ cells }, slots, count, out) {
      for (let i = 0; i < count; i++) writeNumber(out, i, cells[0]![slots[i]!]! * sign);
    },
  };
}

const largest: Aggregate = extreme(1);
const smallest: Aggregate = extreme(-1);

/** Cells: the largest value and the largest of the values times -1. */
const ranging: Aggregate = {
  initial: [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY],
  isPartial: true,
  add({ cells }, allSlots, allRows, total, input) {
    const [highs, lows] = cells as [Float64Array, Float64Array];
    const { values } = input as NumberColumn;
    const { slots, rows, count } = present(allSlots, allRows, total, input);
    for (let i = 0; i < count; i++) {
      const slot = slots[i]!;
      const value = values[rows[i]!]!;
      if (value > highs[slot]!) highs[slot] = value;
      if (-value > lows[slot]!) lows[slot] = -value;
    }
  },
  each: (cell) => `
    if (value > ${cell(0)}) ${cell(0)} = value;
    if (-value > ${cell(1)}) ${cell(1)} = -value;`,
  merge(target, into, source, from) {
    for (let cell = 0; cell < 2; cell++) {
      const value = source.cells[cell]![from]!;
      if (value > target.cells[cell]![into]!) target.cells[cell]![into] = value;
    }
  },
  finish({ cells }, slots, count, out) {
    for (let i = 0; i < count; i++) writeNumber(out, i, cells[0]![slots[i]!]! + cells[1]![slots[i]!]!);
  },
};

/** The extreme of an int64 or bool: compared by its high half, then by its low half, so that none is rounded. */
function extremeWhole(type: ColumnType, sign: 1 | -1): Aggregate {
  return choosing(type, { takesEqual: false }, (input, rows, count, _batch, ranks, ties) => {
    if (input.type === "int64") {
      for (let i = 0; i < count; i++) {
        const value = input.values[rows[i]!]!;
        ranks[i] = Number(value >> 32n) * sign;
        ties[i] = Number(BigInt.asUintN(32, value)) * sign;
      }
      return;
    }
    for (let i = 0; i < count; i++) {
      ranks[i] = Number(input.values[rows[i]!]) * sign;
      ties[i] = 0;
    }
  });
}

function extremeOf(type: ColumnType | null, sign: 1 | -1): Aggregate {
  if (type === "string") return extremeText(sign);
  return type === "int64" || type === "bool" ? extremeWhole(type, sign) : sign === 1 ? largest : smallest;
}

function define(name: string, summary: string, sign: 1 | -1): AggregateDefinition {
  return {
    name,
    summary,
    input: ["float64", "time", "int64", "bool", "string"],
    assumed: "float64",
    parameters: [],
    output: (input) => input ?? "float64",
    create: (input) => extremeOf(input, sign),
  };
}

export const min: AggregateDefinition = define(
  "min",
  "The smallest value; texts by their UTF-16 units, false before true; null when there is no value.",
  -1,
);
export const max: AggregateDefinition = define(
  "max",
  "The largest value; texts by their UTF-16 units, true after false; null when there is no value.",
  1,
);

export const range: AggregateDefinition = {
  name: "range",
  summary: "The largest value minus the smallest, 0 for one value; null when there is no value.",
  input: ["float64"],
  parameters: [],
  output: () => "float64",
  create: () => ranging,
};
