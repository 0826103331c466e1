// sum and mean, of one compensated sum. Order changes nothing but the last bits.

import type { Aggregate, AggregateDefinition, ColumnOf } from "weir/sdk";
import { present } from "./present.ts";
import { writeNumber } from "./result.ts";

type NumberColumn = ColumnOf<"float64" | "time">;

/**
 * Sum with Neumaier's compensation ("Rundungsfehleranalyse einiger Verfahren zur Summation endlicher
 * Summen", ZAMM 54, 1974): the rounding error of every addition is kept and added at the end.
 * Cells: how many values, sum, compensation.
 */
const compensated: Omit<Aggregate, "finish"> = {
  initial: [0, 0, 0],
  isPartial: true,
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
  each: (cell) => `
    const sum = ${cell(1)};
    const next = sum + value;
    ${cell(2)} += Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum;
    ${cell(1)} = next;
    ${cell(0)}++;`,
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
        writeNumber(out, i, values === 0 ? Number.NaN : result(values, cells[1]![slot]! + cells[2]![slot]!));
      }
    },
  };
}

export const sum: AggregateDefinition = {
  name: "sum",
  summary:
    "The sum, compensated for rounding; null when there is no value, or the sum on its way is beyond what float64 holds (1.8e308).",
  input: ["float64"],
  parameters: [],
  output: () => "float64",
  create: () => summing((_count, total) => total),
};

export const mean: AggregateDefinition = {
  name: "mean",
  summary:
    "The arithmetic mean, made of the sum; null when there is no value, or the sum on its way is beyond what float64 holds (1.8e308).",
  input: ["float64", "time"],
  parameters: [],
  output: (input) => input ?? "float64",
  create: () => summing((values, total) => total / values),
};
