// What is found in records, and the pipeline that is begun from them: it lints, it says what is odd, and what it declares
// decodes every record but those that it counts.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { catalog } from "../../operators/catalog.ts";
import { PayloadBuilder } from "../batch/payloads.ts";
import { createDecoder } from "../codec/formats.ts";
import { loadPipeline } from "./load.ts";
import { type SampledFields, type SampledRecords, sampleFields } from "./sampled-fields.ts";
import { framingOf } from "./sampled-framing.ts";
import { pipelineText, type Sampled } from "./sampled-pipeline.ts";
import { sampleSubject } from "./sampled-subject.ts";

const now = Date.UTC(2026, 0, 31, 12);
const utf8 = new TextEncoder();

function json(...records: readonly unknown[]): SampledRecords {
  const texts = records.map((each) => (typeof each === "string" ? each : JSON.stringify(each)));
  return { format: "json", header: null, payloads: texts.map((text) => utf8.encode(text)) };
}

function csv(header: string, ...lines: readonly string[]): SampledRecords {
  return { format: "csv", header: header.split(","), payloads: lines.map((line) => utf8.encode(line)) };
}

function textOf(records: SampledRecords, from: Sampled["from"] = { kind: "file", path: "r.json" }): string {
  const found = sampleFields(records, now);
  return pipelineText({ name: "p", from, format: records.format, framing: "message", found, now });
}

function planOf(text: string): NonNullable<ReturnType<typeof loadPipeline>["plan"]> {
  const { plan, diagnostics } = loadPipeline({ file: "p.yaml", content: text, catalogue: catalog });
  expect({ text, diagnostics }).toEqual({ text, diagnostics: [] });
  return plan!;
}

/** Twenty records with a value, and one of each odd one. */
function mostly(value: unknown, ...odd: readonly unknown[]): SampledRecords {
  return json(...[...Array.from({ length: 20 }, () => value), ...odd].map((x) => ({ x })));
}

describe("the type of a field", () => {
  it.each<[string, SampledRecords, Partial<SampledFields["fields"][number]>]>([
    ["numbers", mostly(1.5, 2), { type: "float64", refused: 0, missing: 0 }],
    ["numbers among which is a text", mostly(1, "x"), { type: "float64", refused: 1 }],
    ["whole numbers beyond 2^53", json('{"x":9007199254740993}', '{"x":1}'), { type: "int64" }],
    ["large ones with a fraction", json('{"x":9007199254740993}', '{"x":1.5}'), { type: "float64" }],
    ["truths", mostly(true, null), { type: "bool", missing: 1 }],
    ["texts", mostly("a"), { type: "string", distinct: 1, nearly: null }],
    ["numbers as text", mostly("97"), { type: "string", nearly: "number" }],
    ["times without a zone", mostly("2026-01-31 12:00:00"), { type: "string", nearly: "time" }],
    ["lists", mostly([1]), { type: "json", refused: 0 }],
    ["as many texts as numbers", json({ x: 1 }, { x: "a" }), { type: "json", refused: 0 }],
    ["fields within fields", json({ x: { y: 1 } }), { name: "x.y", type: "float64" }],
    ["cells", csv("x,y", "1,2", "1.5,2", ",3"), { name: "x", type: "float64", missing: 1 }],
    ["cells of texts", csv("x,y", "a,2", "007,2"), { name: "x", type: "string" }],
  ])("%s", (_name, records, expected) => {
    expect(sampleFields(records, now).fields[0]).toMatchObject(expected);
  });

  it("is not asked for of records that cannot be read, or names that no column has", () => {
    expect(sampleFields(json("21.5", "{", { "a{b}": 1, ok: 1 }), now)).toMatchObject({
      records: 3,
      broken: 2,
      fields: [{ name: "ok", missing: 0 }],
      leftOut: ["a{b}"],
    });
  });
});

describe("the time", () => {
  it.each<[string, SampledRecords, SampledFields["time"]]>([
    ["in ms", json({ ts: now }), { name: "ts", unit: "ms" }],
    ["in s", json({ time: now / 1000 }), { name: "time", unit: "s" }],
    ["in s with a fraction", json({ t: now / 1000 + 0.5 }), { name: "t", unit: "s" }],
    ["in us", json({ ts: now * 1e3 }), { name: "ts", unit: "us" }],
    ["in ns", json(`{"ts":${now}000001}`), { name: "ts", unit: "ns" }],
    ["as text", json({ a: "x", when: "2026-01-31T12:00:00.5Z" }), { name: "when", unit: "iso" }],
    ["of a field within a field", json({ meta: { timestamp: now } }), { name: "meta.timestamp", unit: "ms" }],
    ["by its name, of two", json({ x: now, sent_at: now, y: now }), { name: "sent_at", unit: "ms" }],
    ["that more records have", json({ a: now }, { a: now, b: now }), { name: "a", unit: "ms" }],
    ["of csv", csv("x,time", `1,${now}`), { name: "time", unit: "ms" }],
    ["not a count that could be one", json({ bytes: 1_769_860_800 }), null],
    ["not a small number of that name", json({ time: 12 }), null],
    ["not a date of the far future", json({ ts: now * 2 }), null],
  ])("%s", (_name, records, expected) => {
    expect(sampleFields(records, now).time).toEqual(expected);
  });
});

describe("a subject", () => {
  it.each<[pattern: string, seen: readonly string[], subject: string]>([
    ["sensors.a", ["sensors.a"], "sensors.a"],
    ["sensors.*", ["sensors.a", "sensors.b"], "sensors.{device}"],
    ["sensors.*", ["sensors.a"], "sensors.{device}"],
    ["sensors.>", ["sensors.a.temp", "sensors.b.temp"], "sensors.{device}.temp"],
    ["sensors.>", ["sensors.a.temp", "sensors.b.hum"], "sensors.{device}.{kind}"],
    ["sensors.>", ["sensors.a.x", "sensors.b.x.y"], "sensors.{device}.>"],
    ["sensors.>", ["sensors.a", "sensors.b.x"], "sensors.>"],
    ["plants.*.rooms.*.temp", ["plants.p.rooms.r.temp"], "plants.{plant}.rooms.{room}.temp"],
    ["s.{site}.*", ["s.a.b"], "s.{site}.{kind}"],
    ["s.{temp}", ["s.a"], "s.{temp_2}"],
    ["*.*", ["a.b"], "{token_1}.{kind}"],
  ])("%s of %j", (pattern, seen, subject) => {
    expect(sampleSubject(pattern, seen, new Set(["temp"])).subject).toBe(subject);
  });
});

describe("messages", () => {
  it.each([
    ['{"a":1}', "message"],
    ['[{"a":1}]', "array"],
    ['[{"bn":"a:","n":"x","v":1},{"n":"y","vb":true}]', "senml"],
    ['[{"bn":"a:"},{"n":"x","s":1}]', "senml"],
    ["cpu,host=a used=1.5 1700000000000000000\nmem free=5i", "influx"],
    ["free=5", "message"],
    ['[{"n":"x","v":1},{"n":"y"}]', "array"],
    ['[{"v":1},{"n":"y","v":1}]', "array"],
    ['{"a":1}\n{"a":2}\n', "lines"],
    ['{\n"a":1\n}', "message"],
    ["21.5", "message"],
  ])("%j hold records as %s", (text, framing) => {
    expect(framingOf([utf8.encode(text)])).toBe(framing);
  });
});

describe("the pipeline", () => {
  it("has a window per token of the subject, and says what is odd", () => {
    const odd = [{ ts: now, temp: "21", state: {} }, { ts: now }, "no json"];
    const one = { ts: now, temp: 21, state: { batt: "97" }, "a-b": 1 };
    const usual = Array.from({ length: 20 }, () => one);
    const subject = sampleSubject("sensors.>", ["sensors.a.temp", "sensors.b.temp"], new Set());
    const text = textOf(json(...usual, ...odd), { kind: "nats", ...subject });
    const plan = planOf(text);
    expect(plan.steps.map(({ config }) => config)).toMatchObject([{ by: [{ name: "device" }] }]);
    for (const said of [
      "# device: a, b\n",
      "# only temp came; write * or {name} in its place",
      "# 1 of 23 records cannot be read: ",
      /temp: float64 +# 1 of 23 records do not fit: expected float64, got string; missing in 1 of 23 records\n/,
      /state\.batt: string +# missing in 2 of 23 records; numbers written as text: double\(state\.batt\)/,
      /"a-b": float64 +# missing in 2 of 23 records\n/,
      '        "a-b": "mean(`a-b`)"\n',
      "time: { field: ts, unit: ms, lateness: 5s, idle: 10s }",
      "        temp: mean(temp)\n",
      '# - deadband: { value: temp, by: device, band: "2%", every: 1m }',
    ])
      expect(text).toMatch(said);
    const uncommented = text.replace("  # - deadband", "  - deadband");
    expect(planOf(uncommented).steps).toHaveLength(2);
  });

  it.each<[key: string | null, record: (n: number) => unknown]>([
    ["device_id", (n) => ({ unit: "C", device_id: `d${n % 2}`, note: `${n}`, v: n })],
    ["moteId", (n) => ({ unit: `${n % 2}`, moteId: n % 2, humid: n % 2 })],
    ["state", (n) => ({ id: n, uuid: `${n}`, state: `${n % 2}` })],
    [null, (n) => ({ id: n, unit: "C", humid: 1 })],
  ])("has as key what says whose records they are: %s", (key, record) => {
    const [window] = planOf(textOf(json(...[0, 1, 2, 3].map(record)))).steps;
    const { by = [] } = window!.config as { readonly by?: readonly { readonly name: string }[] };
    expect(by.map(({ name }) => name)).toEqual(key === null ? [] : [key]);
  });

  it("names no column twice, and takes names as they are", () => {
    const text = textOf(
      json({ n: 1, "a.b": 1, a_b: 1, a: { b: 1 }, window_start: 1, "#x: y": 1, true: 1, "": 1 }),
    );
    expect(planOf(text).branches[0]!.rows.fields.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["n", "n_2", "a_b", "a_b_2", "window_start", "window_start_2"]),
    );
  });
});

/** What sensors of all kinds send, and what they should not. */
const values = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.boolean(),
  fc.string({ maxLength: 4, unit: "binary" }),
  fc.constantFrom<unknown>(
    null,
    [1],
    {},
    "1",
    "2026-01-31T12:00:00Z",
    now,
    now / 1000,
    { a: 1 },
    { b: { a: "x" } },
  ),
);
const names = fc.oneof(
  fc.constantFrom("a", "b", "ts", "a.b", "in", "device", "n", "# x", "__proto__", "${A}", "x: y", "-"),
  fc.string({ maxLength: 3, unit: "binary" }),
);
const documents = fc.oneof(
  { weight: 20, arbitrary: fc.dictionary(names, values, { maxKeys: 6 }).map((each) => JSON.stringify(each)) },
  { weight: 1, arbitrary: fc.constantFrom("", "[]", "{", "1", '{"a":12345678901234567890}', '{"a":1e400}') },
);

it("declares what decodes every record, but for those that it counts", () => {
  fc.assert(
    fc.property(fc.array(documents, { minLength: 1, maxLength: 25 }), (texts) => {
      const records = json(...texts);
      const found = sampleFields(records, now);
      const builder = new PayloadBuilder();
      for (const payload of records.payloads) builder.add(payload, "", 0);
      const { faults } = createDecoder("json", found.fields).decode(builder.view());
      expect(faults.filter(({ field }) => field < 0)).toHaveLength(found.broken);
      for (const [place, { refused }] of found.fields.entries())
        expect(faults.filter(({ field }) => field === place)).toHaveLength(refused);
      planOf(textOf(records));
    }),
    { numRuns: 40 },
  );
});
