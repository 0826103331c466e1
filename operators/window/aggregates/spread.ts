// stddev and var, of one state: the sample's, with n - 1 below; stddev_pop and var_pop are the population's, with n.

import type { Aggregate, AggregateDefinition, Column } from "weir/sdk";
import { copyCells } from "./copied.ts";
import { present } from "./present.ts";
import { writeNumber } from "./result.ts";

/**
 * Squared differences from the mean by Welford's method (Technometrics 4, 1962), merged as Chan, Golub
 * and LeVeque do (1979): a spread around a large mean is not lost. Cells: count, mean, sum of squared differences from the mean.
 */
const moments: Omit<Aggregate, "finish"> = {
  initial: [0, 0, 0],
  isPartial: true,
  add({ cells }, allSlots, allRows, total, input) {
    const [counts, means, squares] = cells as [Float64Array, Float64Array, Float64Array];
    const { values } = input as Extract<Column, { type: "float64" }>;
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
  each: (cell) => `
    const seen = ${cell(0)} + 1;
    const difference = value - ${cell(1)};
    const mean = ${cell(1)} + difference / seen;
    ${cell(0)} = seen;
    ${cell(1)} = mean;
    ${cell(2)} += difference * (value - mean);`,
  merge(target, into, source, from) {
    const added = source.cells[0]![from]!;
    if (added === 0) return;
    const before = target.cells[0]![into]!;
    if (before === 0) return copyCells(target, into, source, from);
    const total = before + added;
    const difference = source.cells[1]![from]! - target.cells[1]![into]!;
    target.cells[0]![into] = total;
    target.cells[1]![into]! += (difference * added) / total;
    target.cells[2]![into]! += source.cells[2]![from]! + (difference * difference * before * added) / total;
  },
};

/** What is made of the variance. `free`: how many values say nothing of it. */
function spread(free: 0 | 1, result: (variance: number) => number): Aggregate {
  return {
    ...moments,
    finish({ cells }, slots, count, out) {
      for (let i = 0; i < count; i++) {
        const slot = slots[i]!;
        const degrees = cells[0]![slot]! - free;
        writeNumber(out, i, degrees < 1 ? Number.NaN : result(cells[2]![slot]! / degrees));
      }
    },
  };
}

function define(
  name: string,
  summary: string,
  free: 0 | 1,
  result: (variance: number) => number,
): AggregateDefinition {
  const aggregate = spread(free, result);
  return {
    name,
    summary,
    input: ["float64"],
    parameters: [],
    output: () => "float64",
    create: () => aggregate,
  };
}

const itself = (variance: number): number => variance;

export const stddev: AggregateDefinition = define(
  "stddev",
  "The sample standard deviation; null below two values.",
  1,
  Math.sqrt,
);
export const variance: AggregateDefinition = define(
  "var",
  "The sample variance; null below two values.",
  1,
  itself,
);
export const stddevPop: AggregateDefinition = define(
  "stddev_pop",
  "The standard deviation of all there are; null when there is no value.",
  0,
  Math.sqrt,
);
export const variancePop: AggregateDefinition = define(
  "var_pop",
  "The variance of all there are; null when there is no value.",
  0,
  itself,
);
