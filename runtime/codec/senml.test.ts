// Packs of SenML against the rules of RFC 8428: what a record inherits, what is relative, and what nobody may use.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { limits } from "../limits.ts";
import { PayloadBuilder } from "../batch/payloads.ts";
import { valueAt } from "../../operators/sdk/index.ts";
import { createDecoder } from "./formats.ts";
import { cutOf } from "./framing.ts";

const arrived = 1_700_000_000_500;
const cut = cutOf("senml")!;

function textsOf(pack: string): string[] {
  const { bytes, starts, ends, count } = cut(Buffer.from(pack), arrived);
  return Array.from({ length: count }, (_, i) =>
    Buffer.from(bytes.subarray(starts[i], ends[i])).toString("utf8"),
  );
}

const resolved = (pack: unknown): unknown[] =>
  textsOf(JSON.stringify(pack)).map((text) => JSON.parse(text) as unknown);

/** What a decoder says of the only record that a refused pack is. */
function refusal(pack: string): unknown {
  const builder = new PayloadBuilder();
  for (const text of textsOf(pack)) builder.add(Buffer.from(text), "s", 0);
  const { rows, faults } = createDecoder("json", [{ name: "v", type: "float64" }]).decode(builder.view());
  return [rows, faults.map(({ reason, field }) => [reason, field])];
}

describe("a record says all", () => {
  test.each<[string, unknown, unknown]>([
    ["alone", [{ n: "a", v: 1 }], [{ n: "a", t: 1_700_000_000.5, v: 1 }]],
    [
      "bases hold until others come",
      [
        { bn: "urn:dev:ow:10e2:", bt: 1_600_000_000, bu: "A", n: "volt", u: "V", v: 120.1 },
        { n: "amp", t: -5, v: 1.2 },
        { bn: "urn:dev:ow:20e2:", bt: 1_600_000_100, n: "amp", v: 1.3 },
      ],
      [
        { n: "urn:dev:ow:10e2:volt", t: 1_600_000_000, u: "V", v: 120.1 },
        { n: "urn:dev:ow:10e2:amp", t: 1_599_999_995, u: "A", v: 1.2 },
        { n: "urn:dev:ow:20e2:amp", t: 1_600_000_100, u: "A", v: 1.3 },
      ],
    ],
    [
      "a base is a name by itself",
      [{ bn: "urn:dev:1", v: 1 }],
      [{ n: "urn:dev:1", t: 1_700_000_000.5, v: 1 }],
    ],
    [
      "small times count from when it came",
      [
        { bn: "a", v: 1, t: -10 },
        { v: 2, t: 0.5 },
        { v: 3, t: 2 ** 28 },
        { v: 4, bt: -(2 ** 28), t: 1 },
      ],
      [
        { n: "a", t: 1_699_999_990.5, v: 1 },
        { n: "a", t: 1_700_000_001, v: 2 },
        { n: "a", t: 2 ** 28, v: 3 },
        { n: "a", t: 1_700_000_000.5 - 2 ** 28 + 1, v: 4 },
      ],
    ],
    [
      "base values and sums are added",
      [{ bn: "a", bt: 1_600_000_000, bv: 20, v: 0.5, bs: 100, s: 1 }, { v: -1 }, { bv: 0, v: 3, s: 2 }],
      [
        { n: "a", t: 1_600_000_000, v: 20.5, s: 101 },
        { n: "a", t: 1_600_000_000, v: 19, s: 100 },
        { n: "a", t: 1_600_000_000, v: 3, s: 102 },
      ],
    ],
    [
      "values that are no numbers, and what is not known, pass",
      [
        { bn: "a", bt: 1_600_000_000, bv: 5, bver: 10, vs: "open", ut: 60 },
        { vb: true, note: { v: 1 } },
        { vd: "aGk" },
      ],
      [
        { n: "a", t: 1_600_000_000, vs: "open", ut: 60 },
        { n: "a", t: 1_600_000_000, vb: true, note: { v: 1 } },
        { n: "a", t: 1_600_000_000, vd: "aGk" },
      ],
    ],
    ["a pack without records", [], []],
    [
      "without an array around it",
      { bn: "a", bt: 1_600_000_000, v: 1 },
      [{ n: "a", t: 1_600_000_000, v: 1 }],
    ],
  ])("%s", (_what, pack, records) => {
    expect(resolved(pack)).toEqual(records);
  });

  test("digits stay where nothing is added to them", () => {
    expect(textsOf('[ {"n":"a","t":1600000000,"v":12345678901234567890, "s":1.50} ]')).toEqual([
      '{"n":"a","t":1600000000,"v":12345678901234567890,"s":1.50}',
    ]);
  });
});

test.each([
  ["a version to come", '[{"bver":11,"n":"a","v":1}]'],
  ["a version to come, alone", ' {"bver":11,"n":"a","v":1}'],
  ["a field that has to be understood", '[{"n":"a","v":1},{"n":"b","v":2,"lock_":true}]'],
  ["no name", '[{"v":1}]'],
  ["an empty name", '[{"bn":"","n":"","v":1}]'],
  ["a time as text", '[{"n":"a","t":"5","v":1}]'],
  ["a base name that is a number", '[{"bn":5,"n":"a","v":1}]'],
  ["a name twice", '[{"n":"a","n":"b","v":1}]'],
  ["no objects", "[1,2]"],
  ["half a pack", '[{"n":"a","v":1},{"n":"b"'],
  ["no JSON", "n=a v=1"],
  ["nothing", ""],
  ["a long name for very many", `[{"bn":"${"x".repeat(10_000)}","v":1}${',{"v":1}'.repeat(1_000)}]`],
])("%s: nothing of it is taken for a record", (_what, pack) => {
  expect(refusal(pack)).toEqual([1, [["decode", -1]]]);
  expect(limits.senml_resolved_bytes_max).toBeLessThan(10_000 * 1_000);
});

test("a value that a base cannot be added to is for its reader to refuse", () => {
  expect(refusal('[{"n":"a","bv":1,"v":"warm"}]')).toEqual([1, [["type", 0]]]);
  expect(refusal('[{"n":"a","bv":1e308,"v":1e308}]')).toEqual([1, [["decode", -1]]]);
  expect(refusal('[{"n":"a","v":1,"v":2}]')).toEqual([1, [["type", 0]]]);
});

test("any pack says what its definition says", () => {
  const number = fc.integer({ min: -1_000, max: 1_000 }).map((n) => n / 8);
  const entry = fc.record(
    {
      bn: fc.constantFrom("", "a:", "b:"),
      bt: fc.constantFrom(0, 1_600_000_000, -7),
      bu: fc.constantFrom("V", "A"),
      bv: number,
      n: fc.constantFrom("", "x", 'y"é'),
      t: fc.integer({ min: -100, max: 100 }),
      u: fc.constantFrom("W", "Cel"),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(entry, number), { minLength: 1, maxLength: 6 }), (entries) => {
      const pack = entries.map(([each, v], place) => ({ ...each, ...(place === 0 ? { bn: "a:" } : {}), v }));
      const expected = pack.map((each, place) => {
        const last = <T>(label: string, otherwise: T): T =>
          (pack
            .slice(0, place + 1)
            .map((before) => (before as Record<string, unknown>)[label])
            .findLast((value) => value !== undefined) ?? otherwise) as T;
        const t = last("bt", 0) + (each.t ?? 0);
        const u = each.u ?? last<string | undefined>("bu", undefined);
        return {
          n: last("bn", "") + (each.n ?? ""),
          t: t < 2 ** 28 ? arrived / 1_000 + t : t,
          ...(u === undefined ? {} : { u }),
          v: each.v + last("bv", 0),
        };
      });
      fc.pre(expected.every(({ n }) => n !== ""));
      expect(resolved(pack)).toEqual(expected.map((each) => JSON.parse(JSON.stringify(each)) as unknown));
    }),
    { numRuns: 500 },
  );
});

test("what is read of a pack: one row a record, with its time", () => {
  const builder = new PayloadBuilder();
  for (const text of textsOf(
    '[{"bn":"t1:","bt":1600000000.25,"n":"temp","u":"Cel","v":21.5},{"n":"hum","v":40}]',
  ))
    builder.add(Buffer.from(text), "s", 0);
  const { columns, faults } = createDecoder("json", [
    { name: "n", type: "string" },
    { name: "t", type: "time", unit: "s" },
    { name: "v", type: "float64" },
  ]).decode(builder.view());
  expect(faults).toEqual([]);
  expect([0, 1].map((row) => columns.map((column) => valueAt(column, row)))).toEqual([
    ["t1:temp", 1_600_000_000_250, 21.5],
    ["t1:hum", 1_600_000_000_250, 40],
  ]);
});
