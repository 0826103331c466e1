// count: the one aggregate that may go without an argument, and the one that minds how many records a
// row stands for.

import type { Aggregate, AggregateDefinition } from "weir/sdk";
import { present } from "./present.ts";

const counting: Aggregate = {
  initial: [0],
  isPartial: true,
  add({ cells }, allSlots, allRows, total, input, { weight }) {
    const counts = cells[0]!;
    const { slots, rows, count } = present(allSlots, allRows, total, input);
    if (input === null && weight !== null)
      for (let i = 0; i < count; i++) counts[slots[i]!]! += weight[rows[i]!]!;
    else for (let i = 0; i < count; i++) counts[slots[i]!]! += 1;
  },
  each: (cell) => `${cell(0)}++;`,
  merge(target, into, source, from) {
    target.cells[0]![into]! += source.cells[0]![from]!;
  },
  finish({ cells }, slots, count, out) {
    for (let i = 0; i < count; i++) out.values[i] = cells[0]![slots[i]!]!;
  },
};

export const count: AggregateDefinition = {
  name: "count",
  summary:
    "How many records of the source there are; with an argument, how many values that are not null. Behind a window, `join` or `align` it counts the records that their rows stand for, not the rows: over 3 rows of a window of 1 s, with 4 records each, `count()` is 12, and `count(m)` of their column `m` is 3.",
  input: ["float64", "time", "int64", "bool", "string", "json"],
  inputOptional: true,
  parameters: [],
  output: () => "float64",
  create: () => counting,
};
