// Mistakes in an operator's own types, which the compiler sees: a line that it would take makes the check of types fail.

import { expect, test } from "vitest";
import { defineMap, defineOperator, type Column, type WritableColumn } from "weir/sdk";
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
