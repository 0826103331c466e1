// The form with a memory: what the compiler refuses, and what an operator is told that does something else than it has to.

import { expect, test } from "vitest";
import { defineKeyed, field, z } from "weir/sdk";
import { runExample } from "weir/testing";

const base = { name: "own", summary: "", config: z.strictObject({ by: field.keys("Key.") }) };
const memory = () => ({ count: 0 });

test("a memory holds numbers, under the names that it has", () => {
  const columns = () => ({ a: "float64", b: "string" }) as const;
  const all = [
    defineKeyed({ ...base, memory, each: () => (_record, own) => ++own.count > 1 }),
    defineKeyed({
      ...base,
      memory,
      columns,
      each:
        () =>
        (_record, { count }) => ({ a: count, b: null }),
    }),
    // @ts-expect-error A name that it has not.
    defineKeyed({ ...base, memory, each: () => (_record, own) => own.total > 1 }),
    defineKeyed({
      ...base,
      memory,
      each: () => (_record, own) => {
        // @ts-expect-error A text for a number.
        own.count = "1";
        return true;
      },
    }),
    // @ts-expect-error A text for a number.
    defineKeyed({ ...base, memory, columns, each: () => () => ({ a: "1" }) }),
    // @ts-expect-error None of its columns.
    defineKeyed({ ...base, memory, columns, each: () => () => ({ c: 1 }) }),
    // @ts-expect-error Keys that are a number.
    defineKeyed({ ...base, config: z.strictObject({ by: z.number() }), memory, each: () => () => true }),
  ];
  expect(all).toHaveLength(7);
});

const example = {
  title: "two keys",
  config: { by: "key" },
  schema: { key: "string", x: "float64" },
  input: [
    { key: "a", x: 1 },
    { key: "b", x: 2 },
    { key: "a", x: 3 },
    { key: null, x: 4 },
    { key: "a", x: 5 },
    { key: null, x: 6 },
  ],
  output: [],
} as const;

test("each key has its own memory, and null is a key as well", () => {
  const second = defineKeyed({ ...base, memory, each: () => (_record, own) => ++own.count === 2 });
  expect(runExample(second, example).rows.map(({ x }) => x)).toEqual([3, 6]);
  const numbered = defineKeyed({
    ...base,
    memory,
    columns: () => ({ n: "float64", key: "string" }) as const,
    each: () => (record, own) => (record.time < 0 ? true : ++own.count === 3 ? false : { n: own.count }),
  });
  expect(runExample(numbered, example).rows).toEqual(
    [1, 1, 2, 1, 2].map((n, place) => ({ key: null, x: [1, 2, 3, 4, 6][place], n })),
  );
});

test("without keys all records share one", () => {
  const every = defineKeyed({
    ...base,
    config: z.strictObject({}),
    memory,
    each: () => (_record, own) => ++own.count % 2 === 0,
  });
  expect(runExample(every, { ...example, config: {} }).rows.map(({ x }) => x)).toEqual([2, 4, 6]);
});

test.each([
  ["a text", "none", /memory: expected a number for last, got string none: a key has numbers only/],
  ["a list", [], /memory: expected a number for last, got a list: /],
  ["nothing", undefined, /memory: expected a number for last, got undefined: /],
])("a memory that begins with %s is refused before anything runs", (_, last, message) => {
  const wrong = defineKeyed({
    ...base,
    memory: () => ({ count: 0, last: last as unknown as number }),
    each: () => () => true,
  });
  expect(() => runExample(wrong, example)).toThrow(message);
});

test.each<[string, (own: Record<string, number>) => unknown, RegExp]>([
  [
    "nothing",
    () => undefined,
    /expected true, false or values by column of each, got nothing: is there a return\?/,
  ],
  ["a promise", async () => await Promise.resolve(true), /got a promise: an operator waits for nothing/],
  ["a function", () => () => true, /got a function: the settings come first/],
  ["another column", () => ({ y: 1 }), /a value for y, which is none of its columns: n/],
  [
    "a wrong type",
    () => ({ n: "1" }),
    /expected a finite number for n \(float64\), got string 1; null stands for no value/,
  ],
  [
    "a memory of text",
    (own) => ((own["count"] = "1" as never), true),
    /expected a number for count, got string 1/,
  ],
  ["a memory that it has not", (own) => ((own["total"] = 1), true), /total/],
])("is told what it returned or remembered: %s", (_, each, message) => {
  const wrong = defineKeyed({
    ...base,
    memory,
    columns: () => ({ n: "float64" }) as const,
    each: () => (_record, own) => each(own) as boolean,
  });
  expect(() => runExample(wrong, example)).toThrow(message);
});
