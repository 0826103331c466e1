// The aggregates whose state is a few numbers a slot. Each is init, add, merge, finish; each add is one
// loop over a column, so that a batch costs a few nanoseconds a record. Null values are skipped.

import type { Aggregate, AggregateDefinition, Column, ColumnType, WritableColumn } from "weir/sdk";
import { present } from "./present.ts";

const numeric = ["float64", "time"] as const satisfies readonly ColumnType[];

type NumberColumn = Extract<Column, { type: "float64" | "time" }>;

/** Writes a result, or null where it is not finite (no value was added, or it has no answer). */
function write(out: WritableColumn, row: number, value: number): void {
  if (Number.isFinite(value)) out.values[row] = value;
  else out.valid[row] = 0;
}

const counting: Aggregate = {
  initial: [0],
  add({ cells }, allSlots, allRows, total, input, { weight }) {
    const counts = cells[0]!;
    const { slots, rows, count } = present(allSlots, allRows, total, input);
    if (input === null && weight !== null)
      for (let i = 0; i < count; i++) counts[slots[i]!]! += weight[rows[i]!]!;
    else for (let i = 0; i < count; i++) counts[slots[i]!]! += 1;
  },
  merge(target, into, source, from) {
    target.cells[0]![into]! += source.cells[0]![from]!;
  },
  finish({ cells }, slots, count, out) {
    for (let i = 0; i < count; i++) out.values[i] = cells[0]![slots[i]!]!;
  },
};

/**
 * Sum with Neumaier's compensation ("Rundungsfehleranalyse einiger Verfahren zur Summation endlicher
 * Summen", ZAMM 54, 1974): the rounding error of every addition is kept and added at the end.
 * Cells: how many values, sum, compensation.
 */
const compensated: Pick<Aggregate, "initial" | "add" | "merge"> = {
  initial: [0, 0, 0],
  add({ cells }, allSlots, allRows, total, input) {
    const [counts, sums, errors] = cells as [Float64Array, Float64Array, Float64Array];
    const { values } = input as NumberColumn;
    const { slots, rows, count } = present(allSlots, allRows, total, input);
    for (let i = 0; i < count; i++) {
      const slot = slots[i]!;
      const value = values[rows[i]!]!;
      const sum = sums[slot]!;
      const next = sum + value;
      errors[slot]! += Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum;
      sums[slot] = next;
      counts[slot]!++;
    }
  },
  merge(target, into, source, from) {
    const [counts, sums, errors] = target.cells as [Float64Array, Float64Array, Float64Array];
    const sum = sums[into]!;
    const value = source.cells[1]![from]!;
    const next = sum + value;
    errors[into]! +=
      (Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum) + source.cells[2]![from]!;
    sums[into] = next;
    counts[into]! += source.cells[0]![from]!;
  },
};

/** What a compensated sum is asked for; all that are kept for one input share its cells. */
function summing(result: (count: number, sum: number) => number): Aggregate {
  return {
    ...compensated,
    finish({ cells }, slots, count, out) {
      for (let i = 0; i < count; i++) {
        const slot = slots[i]!;
        const values = cells[0]![slot]!;
        write(out, i, values === 0 ? Number.NaN : result(values, cells[1]![slot]! + cells[2]![slot]!));
      }
    },
  };
}

/**
 * The largest of the values times `sign`: the maximum for 1, the minimum for -1. A comparison as an
 * argument would be a call for every value. Cell: that largest, -Infinity while there is none.
 */
function extreme(sign: 1 | -1): Aggregate {
  return {
    initial: [Number.NEGATIVE_INFINITY],
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
    merge(target, into, source, from) {
      const value = source.cells[0]![from]!;
      if (value > target.cells[0]![into]!) target.cells[0]![into] = value;
    },
    finish({ cells }, slots, count, out) {
      for (let i = 0; i < count; i++) write(out, i, cells[0]![slots[i]!]! * sign);
    },
  };
}

/**
 * The value whose event time comes first (`sign` -1) or last (1); of equal times the one that arrived first
 * or last. Cells: its time times `sign`, the value.
 */
function atEnd(sign: 1 | -1): Aggregate {
  const takesEqual = sign === 1;
  return {
    initial: [Number.NEGATIVE_INFINITY, Number.NaN],
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
      if (time < kept || (time === kept && !takesEqual)) return;
      target.cells[0]![into] = time;
      target.cells[1]![into] = source.cells[1]![from]!;
    },
    finish({ cells }, slots, count, out) {
      for (let i = 0; i < count; i++) write(out, i, cells[1]![slots[i]!]!);
    },
  };
}

/**
 * Sample standard deviation by Welford's method (Technometrics 4, 1962), merged as Chan, Golub and
 * LeVeque do (1979). Cells: count, mean, sum of squared differences from the mean.
 */
const deviation: Aggregate = {
  initial: [0, 0, 0],
  add({ cells }, allSlots, allRows, total, input) {
    const [counts, means, squares] = cells as [Float64Array, Float64Array, Float64Array];
    const { values } = input as NumberColumn;
    const { slots, rows, count } = present(allSlots, allRows, total, input);
    for (let i = 0; i < count; i++) {
      const slot = slots[i]!;
      const value = values[rows[i]!]!;
      const seen = counts[slot]! + 1;
      const difference = value - means[slot]!;
      const mean = means[slot]! + difference / seen;
      counts[slot] = seen;
      means[slot] = mean;
      squares[slot]! += difference * (value - mean);
    }
  },
  merge(target, into, source, from) {
    const added = source.cells[0]![from]!;
    if (added === 0) return;
    const before = target.cells[0]![into]!;
    const total = before + added;
    const difference = source.cells[1]![from]! - target.cells[1]![into]!;
    target.cells[0]![into] = total;
    target.cells[1]![into]! += (difference * added) / total;
    target.cells[2]![into]! += source.cells[2]![from]! + (difference * difference * before * added) / total;
  },
  finish({ cells }, slots, count, out) {
    for (let i = 0; i < count; i++) {
      const slot = slots[i]!;
      const seen = cells[0]![slot]!;
      write(out, i, seen < 2 ? Number.NaN : Math.sqrt(cells[2]![slot]! / (seen - 1)));
    }
  },
};

function define(
  name: string,
  summary: string,
  input: readonly ColumnType[],
  aggregate: Aggregate,
  output: (input: ColumnType | null) => ColumnType = (type) => type ?? "float64",
): AggregateDefinition {
  return { name, summary, input, parameters: [], output, create: () => aggregate };
}

const anyType: readonly ColumnType[] = ["float64", "time", "int64", "bool", "string", "json"];

export const count: AggregateDefinition = {
  ...define(
    "count",
    "How many input records there are; with an argument, how many values that are not null.",
    anyType,
    counting,
    () => "float64",
  ),
  inputOptional: true,
};
export const sum: AggregateDefinition = define(
  "sum",
  "The compensated sum; null when there is no value.",
  ["float64"],
  summing((_count, total) => total),
);
export const mean: AggregateDefinition = define(
  "mean",
  "The arithmetic mean; null when there is no value.",
  numeric,
  summing((values, total) => total / values),
);
export const min: AggregateDefinition = define("min", "The smallest value.", numeric, extreme(-1));
export const max: AggregateDefinition = define("max", "The largest value.", numeric, extreme(1));
export const first: AggregateDefinition = define(
  "first",
  "The value with the earliest event time.",
  numeric,
  atEnd(-1),
);
export const last: AggregateDefinition = define(
  "last",
  "The value with the latest event time.",
  numeric,
  atEnd(1),
);
export const stddev: AggregateDefinition = define(
  "stddev",
  "The sample standard deviation; null below two values.",
  ["float64"],
  deviation,
);
