// lookup against its definition: a naive join over the records and the table as it was when each record came,
// for every policy, key type and cut into batches; and the mistakes that lint answers.

import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { lawFaults } from "weir/testing";
import { harnessOf, harnessPerKey, mistakesOf } from "./lookup.fixture.ts";

type Row = Readonly<Record<string, unknown>>;
type Table = Readonly<Record<string, Row>>;
type Policy = "null" | "drop" | "reject";

/** Something that happens: a record with its key, or a new table. */
type Event = { readonly key: unknown } | { readonly table: Table };

const texts = ["a", "b", "", "__proto__", "constructor", "ö", "42"];
const row = fc.record({
  site: fc.option(fc.constantFrom("north", "", "__proto__")),
  limit: fc.option(fc.integer({ min: -5, max: 5 })),
});

/** The rows that a definition of one sentence gives, and how many records it leaves out. */
function joined(events: readonly Event[], policy: Policy): { rows: Row[]; left: number } {
  let table: Table = {};
  let left = 0;
  const rows: Row[] = [];
  for (const [n, event] of events.entries()) {
    if ("table" in event) {
      table = event.table;
      continue;
    }
    const name = String(event.key);
    const found = event.key !== null && Object.hasOwn(table, name) ? table[name]! : null;
    if (found === null && policy !== "null") left++;
    else rows.push({ n, key: event.key, site: found?.["site"] ?? null, limit: found?.["limit"] ?? null });
  }
  return { rows, left };
}

const kinds = [
  { type: "string", keys: fc.constantFrom<unknown>(...texts, null), names: fc.constantFrom(...texts) },
  {
    type: "float64",
    keys: fc.constantFrom<unknown>(1, 2.5, -3, 0, null),
    names: fc.constantFrom("1", "2.5", "-3"),
  },
  { type: "int64", keys: fc.constantFrom<unknown>(1, 2, -3, null), names: fc.constantFrom("1", "2", "7") },
  {
    type: "bool",
    keys: fc.constantFrom<unknown>(true, false, null),
    names: fc.constantFrom("true", "false"),
  },
] as const;

describe.each(kinds)("keys of type $type", ({ type, keys, names }) => {
  const table = fc
    .array(fc.tuple(names, row), { maxLength: 5 })
    .map((rows) => ({ table: Object.fromEntries(rows) as Table }));
  const events = fc.array(fc.oneof({ weight: 6, arbitrary: keys.map((key) => ({ key })) }, table), {
    maxLength: 40,
  });

  test.each<Policy>(["null", "drop", "reject"])("missing: %s", (missing) => {
    fc.assert(
      fc.property(table, events, fc.constantFrom(1, 3, 1000), (first, later, batchRows) => {
        const all = [first, ...later];
        const harness = harnessOf(type, missing, batchRows);
        for (const [n, event] of all.entries()) {
          if ("table" in event) harness.lookups({ "devices.csv": event.table });
          else harness.record({ n, key: event.key });
        }
        harness.finish();
        const { rows, left } = joined(all, missing);
        expect(harness.rows(0)).toEqual(rows);
        expect(harness.letters.length).toBe(missing === "reject" ? left : 0);
        expect(lawFaults(harness.counts())).toEqual([]);
      }),
      { seed: 11, numRuns: 60 },
    );
  });
});

it("says in the dead letter which key had no row, but not all of a long one", () => {
  const harness = harnessOf("string", "reject", 1);
  harness.lookups({ "devices.csv": {} });
  for (const key of ["r9", null, "x".repeat(1000)]) harness.record({ n: 0, key });
  harness.finish();
  expect(harness.letters.map(({ reason, detail }) => [reason, detail])).toEqual([
    ["rejected", 'expected a row of the table for key "r9", found none'],
    ["rejected", "expected a key in key, got null"],
    ["rejected", `expected a row of the table for key "${"x".repeat(100)}…", found none`],
  ]);
});

it("a content that cannot be used leaves the table as it was", () => {
  const harness = harnessOf("string", "null", 1000);
  harness.lookups({ "devices.csv": { a: { site: "north" } } });
  harness.record({ n: 0, key: "a" });
  expect(() => harness.lookups({ "devices.csv": { a: { site: 7 } } })).toThrow(
    'devices.csv:1: key "a": column site: expected string, got number',
  );
  harness.record({ n: 1, key: "a" });
  harness.finish();
  expect(harness.rows(0).map(({ site }) => site)).toEqual(["north", "north"]);
});

it("keys with clocks of their own look in one table", () => {
  const harness = harnessPerKey();
  harness.lookups({ "devices.csv": { a: { site: "north" }, b: { site: "south" } } });
  for (const key of ["a", "b", "c"]) harness.record({ n: 0, key });
  harness.lookups({ "devices.csv": { b: { site: "west" }, c: { site: "east" }, d: { site: "new" } } });
  for (const key of ["a", "b", "c", "d"]) harness.record({ n: 1, key });
  harness.finish();
  const sites = harness.rows(0).map(({ key, site }) => [key, site]);
  expect(sites).toEqual([
    ["a", "north"],
    ["b", "south"],
    ["c", null],
    ["a", null],
    ["b", "west"],
    ["c", "east"],
    ["d", "new"],
  ]);
});

it("a table that nobody gave content says so", () => {
  const harness = harnessOf("string", "null", 1);
  expect(() => harness.record({ n: 0, key: "a" })).toThrow("the table devices.csv has no content");
});

it("an added column takes the place of one of its name, and the record's other fields stay", () => {
  const harness = harnessOf("string", "null", 1);
  harness.lookups({ "devices.csv": { a: { site: "north" } } });
  harness.record({ n: 0, key: "a", site: { old: true }, other: "kept" });
  harness.finish();
  expect(harness.rows(0)).toEqual([{ n: 0, key: "a", site: "north", limit: null, other: "kept" }]);
});

describe("mistakes", () => {
  test.each<[string, Row, string]>([
    ["no such column", { on: "kei" }, "there is no column kei"],
    ["no such column, by another name", { on: { kei: "id" } }, "there is no column kei"],
    ["two keys", { on: { key: "id", n: "m" } }, "one column: { device: id }"],
    ["the key again", { add: { key: "string" } }, "key is the key; expected other columns of the table"],
    ["the table's key", { on: { key: "id" }, add: { id: "string" } }, "id is the key"],
    ["nothing to add", { add: {} }, "at least one column"],
    ["a type that there is none of", { add: { site: "text" } }, "string"],
    ["a file of another kind", { table: { file: "devices.xlsx" } }, "ends in .csv, .json or .ndjson"],
    ["a bucket that cannot be", { table: { kv: { bucket: "a.b" } } }, "letters, digits, - and _"],
    ["both", { table: { file: "a.csv", kv: { bucket: "b" } } }, "expected either file or kv"],
    ["a policy that there is none of", { missing: "ignore" }, "reject"],
  ])("%s", (_title, settings, message) => {
    expect(mistakesOf(settings)).toContain(message);
  });
});
