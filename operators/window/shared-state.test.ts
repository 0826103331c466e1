// Aggregates that share an input or a state give what each gives alone, nulls and late records or not.

import * as fc from "fast-check";
import { expect, test } from "vitest";
import { runExample } from "weir/testing";
import type { AggregateCall, AggregateDefinition, Expression } from "weir/sdk";
import { max, min } from "./aggregates/extremes.ts";
import { quantile } from "./aggregates/quantile.ts";
import { mean, sum } from "./aggregates/sums.ts";
import { shareStates } from "./shared-state.ts";
import { window } from "./window.ts";

const select = {
  n: "count()",
  values: "count(x)",
  sum: "sum(x)",
  mean: "mean(x)",
  min: "min(x)",
  max: "max(x)",
  p50: "quantile(x, 0.5)",
  p90: "quantile(x, 0.9)",
  doubled: "mean(x * 2.0)",
  first: "first(x)",
  last: "last(x)",
} as const;

type Fields = Readonly<Record<string, unknown>>;

function rowsOf(selected: Readonly<Record<string, string>>, input: readonly Fields[]): readonly Fields[] {
  const { rows, faults } = runExample(
    window,
    {
      title: "",
      config: { tumbling: "10ms", by: "key", select: selected },
      schema: { key: "string", ts: "time", x: "float64" },
      time: "ts",
      input,
      output: [],
    },
    7,
  );
  expect(faults).toEqual([]);
  return rows;
}

test("together as alone", () => {
  const reading = fc.record({
    key: fc.constantFrom("a", "b", null),
    ts: fc.integer({ min: 0, max: 40 }),
    x: fc.option(fc.integer({ min: -1000, max: 1000 }).map((value) => value / 8)),
  });
  fc.assert(
    fc.property(fc.array(reading, { maxLength: 40 }), (input) => {
      const together = rowsOf(select, input);
      for (const [name, text] of Object.entries(select)) {
        const alone = rowsOf({ [name]: text }, input);
        expect(alone).toEqual(
          together.map((row) => ({
            window_start: row["window_start"],
            window_end: row["window_end"],
            key: row["key"],
            [name]: row[name],
          })),
        );
      }
    }),
    { numRuns: 30 },
  );
});

function call(
  definition: AggregateDefinition,
  input: string,
  parameters: readonly number[] = [],
): AggregateCall {
  return {
    text: `${definition.name}(${input})`,
    name: definition.name,
    type: "float64",
    input: { text: input } as Expression,
    aggregate: definition.create("float64", parameters),
  };
}

test("sums and quantiles of one input keep one state, extremes and other inputs their own", () => {
  const calls = [
    call(sum, "x"),
    call(mean, "x"),
    call(min, "x"),
    call(max, "x"),
    call(mean, "y"),
    call(quantile, "x", [0.5]),
    call(quantile, "x", [0.9]),
  ];
  const { kept, places, inputs } = shareStates(calls);
  expect(places).toEqual([0, 0, 1, 2, 3, 4, 4]);
  expect(kept.length).toBe(5);
  expect(inputs.map(({ input, states }) => [input?.text, states.length])).toEqual([
    ["x", 4],
    ["y", 1],
  ]);
});
