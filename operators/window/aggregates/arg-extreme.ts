// arg_min and arg_max: the value of one column where another is smallest or largest.

import type { AggregateDefinition } from "weir/sdk";
import { choosing } from "./choice.ts";

function define(name: string, summary: string, sign: 1 | -1): AggregateDefinition {
  return {
    name,
    summary,
    input: ["float64", "time", "int64", "bool", "string", "json"],
    second: { name: "y", input: ["float64", "time"] },
    parameters: [],
    output: (input) => input ?? "float64",
    create: (input, _parameters, by) =>
      choosing(
        input ?? "float64",
        { takesEqual: false, ...(by === undefined ? {} : { by }) },
        (ranked, rows, count, { time }, ranks, ties) => {
          for (let i = 0; i < count; i++) {
            ranks[i] = Number(ranked.values[rows[i]!]) * sign;
            ties[i] = -time[rows[i]!]!;
          }
        },
      ),
  };
}

const rule =
  "of equal ones the earliest event time, then the first to arrive. Records where x or y is null do not take part.";

export const argMin: AggregateDefinition = define(
  "arg_min",
  `The value of x in the record where y is smallest; ${rule}`,
  -1,
);
export const argMax: AggregateDefinition = define(
  "arg_max",
  `The value of x in the record where y is largest; ${rule}`,
  1,
);
