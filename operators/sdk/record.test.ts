// Mistakes in an operator's own types, which the compiler sees: a line that it would take makes the check of types fail.

import { expect, test } from "vitest";
import {
  type Column,
  defineFilter,
  defineKeyed,
  defineMap,
  defineOperator,
  type OperatorDefinition,
  type WritableColumn,
} from "weir/sdk";
import { runExample } from "weir/testing";
import { z } from "zod";

const base = { name: "own", summary: "", config: z.strictObject({}) };

test("values of a map are of the types that its columns have", () => {
  const columns = () => ({ a: "float64", b: "string", c: "int64", d: "bool" }) as const;
  const all = [
    defineMap({ ...base, columns, map: () => () => ({ a: 1, b: null, c: 5n }) }),
    // @ts-expect-error A text for a number.
    defineMap({ ...base, columns, map: () => () => ({ a: "1" }) }),
    // @ts-expect-error A number for a bigint.
    defineMap({ ...base, columns, map: () => () => ({ c: 5 }) }),
    // @ts-expect-error None of its columns.
    defineMap({ ...base, columns, map: () => () => ({ e: 5 }) }),
    // @ts-expect-error A promise of them.
    defineMap({ ...base, columns, map: () => () => Promise.resolve({ a: 1 }) }),
    defineMap({
      ...base,
      columns: () => ({ [base.name]: "float64" }),
      map: () => () => ({ [base.name]: 1 }),
    }),
  ];
  expect(all).toHaveLength(6);
});

test("an operator that waits is none", () => {
  const rest = { ...base, rule: "", kind: "stateless", examples: [] } as const;
  // @ts-expect-error What comes later, nobody takes.
  const waiting = defineOperator({ ...rest, create: () => ({ onBatch: () => Promise.resolve() }) });
  expect(waiting.kind).toBe("stateless");
});

test("a column that was written is a column", () => {
  const written: WritableColumn = {
    type: "float64",
    values: new Float64Array(1),
    valid: new Uint8Array(1),
    dictionary: null,
  };
  const column: Column = written;
  expect(column.type).toBe("float64");
});

test.each<[string, () => unknown, RegExp]>([
  [
    "no keep",
    () => defineFilter({ ...base } as never),
    /^defineFilter: expected a function of the settings for keep, got nothing$/,
  ],
  [
    "columns that are none",
    () => defineMap({ ...base, columns: {}, map: () => 1 } as never),
    /for columns, got an object$/,
  ],
  [
    "a memory that is none",
    () => defineKeyed({ ...base, memory: { n: 0 }, each: () => 1 } as never),
    /^defineKeyed: .* for memory, got an object$/,
  ],
  ["no create", () => defineOperator({ ...base } as never), /^defineOperator: .* for create, got nothing$/],
])("a form that is given %s says so when the file is loaded", (_, define, message) => {
  expect(define).toThrow(message);
});

test.each<[string, OperatorDefinition, RegExp]>([
  [
    "keep",
    defineFilter({ ...base, keep: () => true as never }),
    /function of a record from keep, as \(settings\) => \(record\) => …, got boolean true/,
  ],
  [
    "map",
    defineMap({ ...base, columns: () => ({}), map: () => ({}) as never }),
    /from map, .* got an object/,
  ],
  [
    "each",
    defineKeyed({ ...base, memory: () => ({}), each: () => undefined as never }),
    /from each, .* got nothing/,
  ],
])("one whose %s takes the record at once is told of its two functions", (_, own, message) => {
  const example = { title: "", config: {}, schema: {}, input: [{}], output: [] };
  expect(() => runExample(own, example)).toThrow(message);
});

test("a setting that is misspelt is told of, whichever object of zod its author took", () => {
  const parts = { min: z.number().default(0) };
  const all = [z.object(parts), z.strictObject(parts), z.object(parts).refine(() => true)];
  for (const config of all) {
    const { config: read } = defineFilter({ ...base, config, keep: () => () => true });
    expect(read.safeParse({ mni: 1 }).error?.issues).toMatchObject([
      { code: "unrecognized_keys", keys: ["mni"] },
    ]);
    expect(read.parse({})).toEqual({ min: 0 });
  }
  const loose = defineFilter({ ...base, config: z.looseObject(parts), keep: () => () => true });
  expect(loose.config.parse({ other: 1 })).toEqual({ min: 0, other: 1 });
});
