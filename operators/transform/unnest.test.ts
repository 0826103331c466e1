// unnest beyond its examples: lists that are refused, as a whole and by name; more elements than go at once; and rows that windows
// put where their own time is.

import { expect, test } from "vitest";
import { Harness, lawFaults } from "weir/testing";
import { catalog } from "../catalog.ts";
import { planOnce } from "../../runtime/testing/plans.fixture.ts";
import { loadPipeline } from "../../runtime/pipeline/load.ts";

const text = (...steps: readonly unknown[]): string =>
  JSON.stringify({
    name: "lists",
    source: {
      file: { path: "in.ndjson" },
      format: "json",
      schema: { ts: "time", device: "string", all: "json" },
      time: { field: "ts", lateness: "10s" },
    },
    limits: { keys: { max: 100 }, rate: "100/s" },
    steps: [...steps, { sink: { stdout: {}, format: "json" } }],
  });

function run(records: readonly unknown[], ...steps: readonly unknown[]): Harness {
  const harness = new Harness(planOnce(text(...steps), catalog));
  for (const record of records) harness.record(record as Readonly<Record<string, unknown>>);
  harness.finish();
  expect(lawFaults(harness.counts())).toEqual([]);
  return harness;
}

const fields = { id: "int64", "at.x": "float64", on: "bool", name: "string", more: "json" } as const;

test.each<[unknown, string]>([
  [5, "type: expected a list in all, got 5"],
  [{ id: 1 }, 'type: expected a list in all, got {"id":1}; of a map, `name` makes its entries rows'],
  [[{ id: 1 }, 7], "type: expected a map in all[1], got 7"],
  [[{ id: 1 }, [1]], "type: expected a map in all[1], got [1]"],
  [[{ id: 1.5 }], "type: expected int64 in all[0].id, got 1.5"],
  [[{ id: 2 ** 53 }], "type: expected int64 in all[0].id, got 9007199254740992"],
  [[{ at: { x: "1" } }], 'type: expected float64 in all[0].at.x, got "1"'],
  [[{ on: 1 }], "type: expected bool in all[0].on, got 1"],
  [[{ name: 1 }], "type: expected string in all[0].name, got 1"],
])("a record with %j goes to the dead letter as a whole", (all, fault) => {
  const good = { ts: 2, device: "a", all: [{ id: 1 }] };
  const harness = run([{ ts: 1, device: "a", all }, good], { unnest: { list: "all", fields } });
  expect(harness.letters.map(({ reason, detail }) => `${reason}: ${detail}`)).toEqual([fault]);
  expect(harness.rows(0)).toHaveLength(1);
});

test.each<[unknown, string]>([
  [[1], "type: expected a map in all, got [1]"],
  [{ "oil-temp": 1, x: "1" }, 'type: expected float64 in all.x, got "1"'],
  [{ a: 1, b: 2, c: 3, d: 4 }, "overflow: expected at most 3 elements in all, got 4: max says how many"],
])("a record with %j where a map is wanted goes to the dead letter as a whole", (all, fault) => {
  const records = [
    { ts: 1, device: "a", all },
    { ts: 2, device: "a", all: { constructor: 1, b: null, "7": 2 } },
    { ts: 3, device: "a", all: {} },
  ];
  const harness = run(records, { unnest: { list: "all", name: "tag", as: { v: "float64" }, max: 3 } });
  expect(harness.letters.map(({ reason, detail }) => `${reason}: ${detail}`)).toEqual([fault]);
  expect(harness.rows(0)).toMatchObject([
    { ts: 2, device: "a", tag: "7", v: 2 },
    { tag: "constructor", v: 1 },
    { tag: "b", v: null },
  ]);
});

test("no column has the name of another", () => {
  const unnest = { list: "all", name: "v", as: { v: "float64" } };
  const { diagnostics } = loadPipeline({ file: "p.yaml", content: text({ unnest }), catalogue: catalog });
  expect(diagnostics.map(({ message }) => message)).toEqual(["v is a column already; write another name"]);
});

test("a list within a list is text of JSON for the next", () => {
  const all = [{ id: 1, more: [{ v: 1 }, { v: 2 }] }, { id: 2 }, null, { id: 3, more: [{ v: 3 }] }];
  const harness = run(
    [{ ts: 1, device: "a", all }],
    { unnest: { list: "all", fields: { id: "float64", more: "json" } } },
    { unnest: { list: "more", fields: { v: "float64" }, position: "n" } },
  );
  expect(harness.rows(0).map(({ id, v, n }) => [id, v, n])).toEqual([
    [1, 1, 0],
    [1, 2, 1],
    [3, 3, 0],
  ]);
});

test("more elements than go at once are in their order, and each counts as a record", () => {
  const all = Array.from({ length: 10_000 }, (_, place) => place);
  const harness = run(
    [1, 2].map((ts) => ({ ts, device: `d${ts}`, all })),
    { unnest: { list: "all", as: { v: "float64" } } },
    { filter: "v >= 4000.0" },
  );
  expect(harness.rows(0).map(({ v }) => v)).toEqual([...all.slice(4_000), ...all.slice(4_000)]);
  expect(harness.counts()[0]).toMatchObject({
    in: 20_000,
    out: 12_000,
    ledger: [{ step: "2 filter", reason: "filtered", records: 8_000 }],
  });
});

test("a list that is too long goes to the dead letter", () => {
  const lists = [3, 4].map((length) => ({ ts: 1, device: "a", all: Array.from({ length }, () => 1) }));
  const harness = run(lists, { unnest: { list: "all", as: { v: "float64" }, max: 3 } });
  expect(harness.rows(0)).toHaveLength(3);
  expect(harness.letters).toMatchObject([
    { reason: "overflow", detail: "expected at most 3 elements in all, got 4: max says how many" },
  ]);
});

test("rows are in the windows of their own times, as far as lateness allows", () => {
  const gathered = (ts: number, ...times: readonly number[]): unknown => ({
    ts,
    device: "a",
    all: times.map((at) => ({ at })),
  });
  const harness = run(
    [
      gathered(4_000, 500, 1_500, 4_000),
      gathered(5_000, 1_700),
      gathered(6_000, 6_001),
      gathered(6_000, 0, 5),
    ],
    { unnest: { list: "all", fields: { at: "time" }, time: "at" } },
    { window: { tumbling: "1s", by: "device", select: { n: "count()" } } },
  );
  expect(harness.rows(0).map(({ window_start, n }) => [window_start, n])).toEqual([
    [0, 3],
    [1_000, 2],
    [4_000, 1],
  ]);
  expect(harness.letters.map(({ detail }) => detail)).toEqual([
    "expected a time up to the record's own in all[0].at",
  ]);
});

test.each<[unknown, string]>([
  [{ list: "all" }, "write either fields"],
  [{ list: "all", fields: { id: "int64" }, as: { v: "float64" } }, "write either fields"],
  [{ list: "all", as: { v: "float64", w: "float64" } }, "one column"],
  [{ list: "device", fields: { id: "int64" } }, "json"],
  [{ list: "all", fields: { id: "int64" }, time: "id" }, "id is no field of type time"],
  [{ list: "all", fields: { id: "int64" }, position: "id" }, "id is a column already"],
  [{ list: "all", as: { v: "float64" }, max: 0 }, "at least 1"],
])("%j is refused", (unnest, fault) => {
  const { diagnostics } = loadPipeline({ file: "p.yaml", content: text({ unnest }), catalogue: catalog });
  expect(diagnostics.map(({ message, hint }) => `${message} ${hint ?? ""}`).join("\n")).toContain(fault);
});
