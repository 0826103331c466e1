// ewma: a mean in which newer values weigh more. As a sum of weights it has no order: late values and
// parts are put where they belong.

import type { Aggregate, AggregateDefinition, ColumnOf } from "weir/sdk";
import { present } from "./present.ts";
import { writeNumber } from "./result.ts";

/**
 * Exponential decay by age (Cormode, Shkapenyuk, Srivastava, Xu: "Forward decay: a practical time decay
 * model for streaming systems", ICDE 2009), held against the latest value, whose weight is 1.
 * Cells: its time, the weighted sum, the sum of the weights.
 */
function weighing(halfLife: number): Aggregate {
  const decay = -Math.LN2 / halfLife;
  return {
    initial: [Number.NEGATIVE_INFINITY, 0, 0],
    add({ cells }, allSlots, allRows, total, input, batch) {
      const [latest, sums, weights] = cells as [Float64Array, Float64Array, Float64Array];
      const { values } = input as ColumnOf<"float64">;
      const { slots, rows, count } = present(allSlots, allRows, total, input);
      for (let i = 0; i < count; i++) {
        const slot = slots[i]!;
        const value = values[rows[i]!]!;
        const newer = batch.time[rows[i]!]! - latest[slot]!;
        if (newer > 0) {
          const factor = Math.exp(decay * newer);
          sums[slot] = sums[slot]! * factor + value;
          weights[slot] = weights[slot]! * factor + 1;
          latest[slot] = batch.time[rows[i]!]!;
        } else {
          const weight = Math.exp(-decay * newer);
          sums[slot]! += value * weight;
          weights[slot]! += weight;
        }
      }
    },
    merge(target, into, source, from) {
      const there = source.cells[0]![from]!;
      const here = target.cells[0]![into]!;
      if (there === Number.NEGATIVE_INFINITY) return;
      const own = there > here ? Math.exp(decay * (there - here)) : 1;
      const other = there > here ? 1 : Math.exp(decay * (here - there));
      target.cells[0]![into] = Math.max(here, there);
      for (const cell of [1, 2]) {
        target.cells[cell]![into] = target.cells[cell]![into]! * own + source.cells[cell]![from]! * other;
      }
    },
    finish({ cells }, slots, count, out) {
      for (let i = 0; i < count; i++) writeNumber(out, i, cells[1]![slots[i]!]! / cells[2]![slots[i]!]!);
    },
  };
}

export const ewma: AggregateDefinition = {
  name: "ewma",
  summary:
    "The mean in which a value weighs half as much for every half-life that it is older than the last one, by event time; null when there is no value.",
  input: ["float64"],
  parameters: [{ name: "half_life_seconds", min: 0.001, max: 1e9 }],
  output: () => "float64",
  create: (_input, [seconds]) => weighing(seconds! * 1000),
};
