// histogram: how many values lie between bounds that the pipeline names. Exact, and as small as its bounds.

import type { Aggregate, AggregateDefinition, ColumnOf } from "weir/sdk";
import { present } from "./present.ts";
import { writeText } from "./result.ts";

/** A cell for each bucket: below the first bound, from each bound up to the next, and from the last bound on. */
function counting(bounds: readonly number[]): Aggregate {
  return {
    initial: [0, ...bounds.map(() => 0)],
    isPartial: true,
    add({ cells }, allSlots, allRows, total, input) {
      const { values } = input as ColumnOf<"float64">;
      const { slots, rows, count } = present(allSlots, allRows, total, input);
      for (let i = 0; i < count; i++) {
        const value = values[rows[i]!]!;
        let bucket = 0;
        while (bucket < bounds.length && value >= bounds[bucket]!) bucket++;
        cells[bucket]![slots[i]!]! += 1;
      }
    },
    merge(target, into, source, from) {
      target.cells.forEach((cell, bucket) => (cell[into]! += source.cells[bucket]![from]!));
    },
    finish({ cells }, slots, count, out) {
      for (let i = 0; i < count; i++) {
        const counts = cells.map((cell) => cell[slots[i]!]!);
        writeText(out, i, JSON.stringify({ bounds, counts }));
      }
    },
  };
}

export const histogram: AggregateDefinition = {
  name: "histogram",
  summary:
    'How many values lie below the first bound, from each bound up to but not including the next, and from the last bound on: `{"bounds":[0,10],"counts":[1,4,2]}`. The bounds rise.',
  input: ["float64"],
  parameters: [{ name: "bound", min: -Number.MAX_VALUE, max: Number.MAX_VALUE, repeats: true }],
  output: () => "json",
  create: (_input, bounds) => {
    bounds.forEach((bound, i) => {
      if (i > 0 && bound <= bounds[i - 1]!) {
        throw new RangeError(`expected bounds that rise, got ${bound} after ${bounds[i - 1]}`);
      }
    });
    return counting(bounds);
  },
};
