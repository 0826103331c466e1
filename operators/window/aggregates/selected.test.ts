// Aggregates as a window selects them: arguments that are expressions, a second one, results of every
// type, states that are shared, and sketches that are merged in a later window.

import * as fc from "fast-check";
import { expect, test } from "vitest";
import { runExample } from "weir/testing";
import type { ColumnType } from "weir/sdk";
import { window } from "../window.ts";

type Fields = Readonly<Record<string, unknown>>;

function rowsOf(
  select: Readonly<Record<string, string>>,
  schema: Readonly<Record<string, ColumnType>>,
  input: readonly Fields[],
  batchRows = 3,
): readonly Fields[] {
  const config = { tumbling: "1s", by: "key", select };
  const example = { title: "", config, schema, time: "ts", input, output: [] };
  const { rows, faults } = runExample(window, example, batchRows);
  expect(faults).toEqual([]);
  return rows.map(({ window_start: _start, window_end: _end, ...rest }) => rest);
}

const schema = {
  key: "string",
  ts: "time",
  id: "int64",
  word: "string",
  ok: "bool",
  x: "float64",
  y: "float64",
} as const;

test("results of every type, with nulls among the input", () => {
  const input = [
    { key: "a", ts: 0, id: 7, word: "b", ok: true, x: 1, y: 5 },
    { key: "a", ts: 500, id: -1, word: "a", ok: false, x: 3, y: 1 },
    { key: "b", ts: 500, id: null, word: null, ok: null, x: null, y: null },
    { key: "a", ts: 250, id: null, word: "b", ok: null, x: 2, y: 9 },
  ];
  const select = {
    largest: "max(id)",
    last_word: "last(word)",
    first_ok: "first(ok)",
    common: "mode(word)",
    at_peak: "arg_max(word, y * 2.0)",
    id_at_low: "arg_min(id, y)",
    top: "top_k(word, 1)",
    words: "collect(word, 2)",
    spread: "histogram(x + y, 5, 10)",
    middle: "median(x)",
    together: "corr(x, y)",
    speed: "slope(x)",
  };
  expect(rowsOf(select, schema, input)).toEqual([
    {
      key: "a",
      largest: 7,
      last_word: "a",
      first_ok: true,
      common: "b",
      at_peak: "b",
      id_at_low: -1,
      top: [{ value: "b", count: 2, error: 0 }],
      words: ["b", "a"],
      spread: { bounds: [5, 10], counts: [1, 1, 1] },
      middle: 2,
      together: -0.5,
      speed: 4,
    },
    {
      key: "b",
      largest: null,
      last_word: null,
      first_ok: null,
      common: null,
      at_peak: null,
      id_at_low: null,
      top: [],
      words: [],
      spread: { bounds: [5, 10], counts: [0, 0, 0] },
      middle: null,
      together: null,
      speed: null,
    },
  ]);
});

test("however the records come in batches, and whatever else is selected, each says the same", () => {
  const select = {
    mode: "mode(word)",
    top: "top_k(word, 2)",
    at: "arg_max(word, x)",
    with: "arg_max(word, y)",
    corr: "corr(x, y)",
    back: "corr(y, x)",
    median: "median(x)",
    p9: "quantile_exact(x, 0.9)",
    area: "integral(x)",
    mean: "time_mean(x)",
    short: "ewma(x, 0.1)",
    long: "ewma(x, 9)",
    sketch: "sketch(x)",
    p50: "quantile(x, 0.5)",
    first: "first(word)",
  };
  const record = fc.record({
    key: fc.constantFrom("a", "b"),
    ts: fc.integer({ min: 0, max: 2_000 }),
    id: fc.constant(null),
    word: fc.option(fc.constantFrom("red", "green", "blue")),
    ok: fc.constant(null),
    x: fc.option(fc.integer({ min: -50, max: 50 })),
    y: fc.option(fc.integer({ min: -50, max: 50 })),
  });
  fc.assert(
    fc.property(fc.array(record, { maxLength: 25 }), fc.integer({ min: 1, max: 30 }), (input, batchRows) => {
      const together = rowsOf(select, schema, input, batchRows);
      for (const [name, text] of Object.entries(select)) {
        const alone = rowsOf({ [name]: text }, schema, input, 1000);
        expect(alone).toEqual(together.map((row) => ({ key: row["key"], [name]: row[name] })));
      }
    }),
    { seed: 5, numRuns: 20 },
  );
});

test("sketches of windows are merged into the quantile of all", () => {
  const values = Array.from({ length: 40 }, (_, i) => ({
    key: i % 2 === 0 ? "a" : "b",
    ts: i * 100,
    x: i * i,
  }));
  const types = { key: "string", ts: "time", x: "float64" } as const;
  const sketches = rowsOf({ sketch: "sketch(x)" }, types, values);
  expect(sketches.length).toBe(8);
  const again = sketches.map(({ sketch }) => ({ key: "all", ts: 0, sketch }));
  const [merged] = rowsOf(
    { p75: "merge(sketch, 0.75)" },
    { key: "string", ts: "time", sketch: "string" },
    again,
  );
  const all = values.map((each) => ({ ...each, key: "all", ts: 0 }));
  expect([merged]).toEqual(rowsOf({ p75: "quantile(x, 0.75)" }, types, all));
});
