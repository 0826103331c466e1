// Aggregates that share a loop give to the last bit what each gives on its own, with nulls, with rows that stand for
// several records, and where code may not be made of text.

import fc from "fast-check";
import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import type { AggregateState, Batch, Expression } from "weir/sdk";
import { Adding } from "./adding.ts";
import { aggregates } from "./aggregates/catalog.ts";
import { batchOf, named, type Reading } from "./aggregates/slots.fixture.ts";
import { shareStates } from "./shared-state.ts";
import { window } from "./window.ts";

const slotCount = 4;

function expressionOf(place: number): Expression {
  return {
    text: `column ${place}`,
    type: "float64",
    evaluate: ({ columns }) => columns[place]!,
    select: () => 0,
  };
}

const calls = ["count", "sum", "min", "max", "mean", "var", "stddev", "range", "first", "quantile"].flatMap(
  (name) =>
    [null, 0, 1].flatMap((place) => {
      const definition = named(aggregates, name);
      if (place === null && definition.inputOptional !== true) return [];
      const parameters = definition.parameters.map((each) => each.default ?? 0.5);
      const aggregate = definition.create(place === null ? null : "float64", parameters);
      const input = place === null ? null : expressionOf(place);
      return [{ text: name, name, type: "float64" as const, input, aggregate }];
    }),
);

/** States whose cells are views of one array, as those of most tables are, or stand alone. */
function statesOf(shared: ReturnType<typeof shareStates>, together: boolean): AggregateState[] {
  const width = shared.kept.reduce((total, { initial }) => total + initial.length, 0);
  const step = together ? width : 1;
  const all = new Float64Array(slotCount * width);
  let number = 0;
  return shared.kept.map(({ initial }) => {
    const cells = initial.map((value) => {
      const array = together ? all.subarray(number++) : new Float64Array(slotCount);
      for (let slot = 0; slot < slotCount; slot++) array[slot * step] = value;
      return array;
    });
    return { cells, buffers: [] };
  });
}

function contents(states: readonly AggregateState[], step: number): number[][] {
  return states.map(({ cells }) =>
    cells.flatMap((array) => Array.from({ length: slotCount }, (_, slot) => array[slot * step]!)),
  );
}

const reading = fc.record({
  time: fc.nat(1000),
  value: fc.oneof(fc.constant(null), fc.double({ min: -1e6, max: 1e6, noNaN: true })),
  other: fc.double({ min: -10, max: 10, noNaN: true }),
});

function batchWith(readings: readonly Reading[], nulls: boolean, weights: boolean): Batch {
  const batch = batchOf("float64", readings);
  const columns = batch.columns.map((column) =>
    nulls && column.valid?.includes(0) === true ? column : { ...column, valid: null },
  ) as Batch["columns"];
  const weight = weights ? Float64Array.from(readings, (_, row) => 1 + (row % 3)) : null;
  return { ...batch, columns, weight };
}

test.each([1, 2, 3, 5, calls.length])("%d aggregates", (some) => {
  const given = fc.tuple(
    fc.shuffledSubarray(calls, { minLength: Math.min(some, calls.length), maxLength: some }),
    fc.array(fc.tuple(reading, fc.nat(slotCount - 1)), { maxLength: 40 }),
    fc.boolean(),
    fc.boolean(),
  );
  fc.assert(
    fc.property(given, ([chosen, rows, nulls, weights]) => {
      const shared = shareStates(chosen);
      const batch = batchWith(
        rows.map(([each]) => each),
        nulls,
        weights,
      );
      const numbers = [true, false].map((together) => {
        const states = statesOf(shared, together);
        const width = shared.kept.reduce((total, { initial }) => total + initial.length, 0);
        const step = together ? width : 1;
        const slots = Uint32Array.from(rows, ([, slot]) => slot * step);
        const adding = new Adding(shared.inputs, states);
        const given = { slots, rows: batch.selection, count: rows.length };
        adding.add(batch, adding.evaluate(batch), given);
        return contents(states, step);
      });
      expect(numbers[0]).toEqual(numbers[1]);
    }),
    { numRuns: 200, seed: 4 },
  );
});

test("runs where code may not be made of text", () => {
  const program = `
    import { runExample } from "weir/testing";
    import { window } from "./window.ts";
    const [example] = window.examples;
    process.stdout.write(JSON.stringify(runExample(window, example).rows));`;
  const flags = ["--disallow-code-generation-from-strings", "--input-type=module", "-e", program];
  const { stdout, stderr } = spawnSync(process.execPath, flags, {
    cwd: import.meta.dirname,
    encoding: "utf8",
  });
  expect(stdout, stderr).toBe(JSON.stringify(window.examples[0]!.output));
});
