// first, last and delta: what stood at the ends of a window, by event time. Parts may be merged in any
// order; only between equal times does it matter which came first.

import type { Aggregate, AggregateDefinition, ColumnOf, ColumnType } from "weir/sdk";
import { choosing } from "./choice.ts";
import { present } from "./present.ts";
import { writeNumber } from "./result.ts";

type NumberColumn = ColumnOf<"float64" | "time">;

/**
 * The number whose event time comes first (`sign` -1) or last (1); of equal times the one that arrived first
 * or last. Cells: its time times `sign`, the value.
 */
function numberAtEnd(sign: 1 | -1): Aggregate {
  const takesEqual = sign === 1;
  return {
    initial: [Number.NEGATIVE_INFINITY, Number.NaN],
    isPartial: true,
    add({ cells }, allSlots, allRows, total, input, batch) {
      const [times, kept] = cells as [Float64Array, Float64Array];
      const { values } = input as NumberColumn;
      const { slots, rows, count } = present(allSlots, allRows, total, input);
      for (let i = 0; i < count; i++) {
        const row = rows[i]!;
        const slot = slots[i]!;
        const time = batch.time[row]! * sign;
        if (time < times[slot]! || (time === times[slot] && !takesEqual)) continue;
        times[slot] = time;
        kept[slot] = values[row]!;
      }
    },
    merge(target, into, source, from) {
      const time = source.cells[0]![from]!;
      const kept = target.cells[0]![into]!;
      if (time < kept || (time === kept && !takesEqual) || time === Number.NEGATIVE_INFINITY) return;
      target.cells[0]![into] = time;
      target.cells[1]![into] = source.cells[1]![from]!;
    },
    finish({ cells }, slots, count, out) {
      for (let i = 0; i < count; i++) writeNumber(out, i, cells[1]![slots[i]!]!);
    },
  };
}

/** The same for a value of any other type. */
function valueAtEnd(type: ColumnType, sign: 1 | -1): Aggregate {
  return choosing(type, { takesEqual: sign === 1 }, (_input, rows, count, { time }, ranks, ties) => {
    for (let i = 0; i < count; i++) {
      ranks[i] = time[rows[i]!]! * sign;
      ties[i] = 0;
    }
  });
}

function atEnd(type: ColumnType | null, sign: 1 | -1): Aggregate {
  const isNumber = type === null || type === "float64" || type === "time";
  return isNumber ? numberAtEnd(sign) : valueAtEnd(type, sign);
}

const start = numberAtEnd(-1);
const end = numberAtEnd(1);

/** Both ends of numbers. Cells: those of the first, then those of the last. */
const difference: Aggregate = {
  initial: [...start.initial, ...end.initial],
  isPartial: true,
  add({ cells }, slots, rows, count, input, batch) {
    const [startTimes, starts, endTimes, ends] = cells as [
      Float64Array,
      Float64Array,
      Float64Array,
      Float64Array,
    ];
    start.add({ cells: [startTimes, starts], buffers: [] }, slots, rows, count, input, batch);
    end.add({ cells: [endTimes, ends], buffers: [] }, slots, rows, count, input, batch);
  },
  merge(target, into, source, from) {
    const half = (cells: readonly Float64Array[], at: number) => ({
      cells: cells.slice(at, at + 2),
      buffers: [],
    });
    start.merge(half(target.cells, 0), into, half(source.cells, 0), from);
    end.merge(half(target.cells, 2), into, half(source.cells, 2), from);
  },
  finish({ cells }, slots, count, out) {
    for (let i = 0; i < count; i++) writeNumber(out, i, cells[3]![slots[i]!]! - cells[1]![slots[i]!]!);
  },
};

function define(name: string, summary: string, sign: 1 | -1): AggregateDefinition {
  return {
    name,
    summary,
    input: ["float64", "time", "int64", "bool", "string", "json"],
    assumed: "float64",
    parameters: [],
    output: (input) => input ?? "float64",
    create: (input) => atEnd(input, sign),
  };
}

export const first: AggregateDefinition = define(
  "first",
  "The value with the earliest event time; of equal times the first to arrive.",
  -1,
);
export const last: AggregateDefinition = define(
  "last",
  "The value with the latest event time; of equal times the last to arrive.",
  1,
);

export const delta: AggregateDefinition = {
  name: "delta",
  summary: "`last` minus `first`, by event time; 0 for one value, null when there is no value.",
  input: ["float64"],
  parameters: [],
  output: () => "float64",
  create: () => difference,
};
