// Lines of InfluxDB against the rules of the line protocol: what they say, what is escaped, and what is no line.

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PayloadBuilder } from "../batch/payloads.ts";
import { createDecoder } from "./formats.ts";
import { cutOf } from "./framing.ts";

const arrived = 1_700_000_000_500.25;
const cut = cutOf("influx")!;

function textsOf(message: string): string[] {
  const { bytes, starts, ends, count } = cut(Buffer.from(message), arrived);
  return Array.from({ length: count }, (_, i) =>
    Buffer.from(bytes.subarray(starts[i], ends[i])).toString("utf8"),
  );
}

const recordsOf = (message: string): unknown[] => textsOf(message).map((text) => JSON.parse(text) as unknown);

const now = 1_700_000_000_500_250_000;

describe("a line", () => {
  test.each<[string, string, unknown]>([
    [
      "with tags, fields and time",
      "cpu,host=a,core=0 used=1.5,idle=98 1699999999000000000",
      { measurement: "cpu", host: "a", core: "0", used: 1.5, idle: 98, time: 1_699_999_999_000_000_000 },
    ],
    ["without tags", "mem free=5 1", { measurement: "mem", free: 5, time: 1 }],
    ["without a time", "mem free=5", { measurement: "mem", free: 5, time: now }],
    ["a time before 1970", "mem free=5 -1", { measurement: "mem", free: 5, time: -1 }],
    [
      "values of every kind",
      'm i=-3i,u=7u,f=-1.5e3,p=+2,d=.5,e=1.,t=t,T=TRUE,F=False,s="x" 1',
      {
        measurement: "m",
        i: -3,
        u: 7,
        f: -1_500,
        p: 2,
        d: 0.5,
        e: 1,
        t: true,
        T: true,
        F: false,
        s: "x",
        time: 1,
      },
    ],
    [
      "escapes of names and tags",
      String.raw`my\,own\ m,tag\=a=b\ c\,d\=e,p=C:\dir f\ g=1 1`,
      { measurement: "my,own m", "tag=a": "b c,d=e", p: "C:\\dir", "f g": 1, time: 1 },
    ],
    [
      "escapes of texts, and what needs none there",
      String.raw`m s="say \"a, b=c\" C:\\x \n" 1`,
      { measurement: "m", s: 'say "a, b=c" C:\\x \\n', time: 1 },
    ],
    ["quotes that are no text's", 'm,"a"="b" "c"=1 1', { measurement: "m", '"a"': '"b"', '"c"': 1, time: 1 }],
    ["an empty text", 'm s="" 1', { measurement: "m", s: "", time: 1 }],
    ["a text of two lines", 'm s="a\nb" 1', { measurement: "m", s: "a\nb", time: 1 }],
    [
      "letters of all kinds",
      "größe,ort=Zürich maß=1 1",
      { measurement: "größe", ort: "Zürich", maß: 1, time: 1 },
    ],
    ["spaces around", "  m   f=1   5  ", { measurement: "m", f: 1, time: 5 }],
  ])("%s", (_what, line, record) => {
    expect(recordsOf(line)).toEqual([record]);
    expect(recordsOf(`${line}\r\n\n# a comment\n${line}\n`)).toEqual([record, record]);
  });

  test("whole numbers keep all their digits", () => {
    expect(textsOf("m n=9223372036854775807i,x=0.10 1700000000123456789")).toEqual([
      '{"measurement":"m","n":9223372036854775807,"x":0.10,"time":1700000000123456789}',
    ]);
  });
});

test.each([
  ["no fields", "cpu,host=a"],
  ["no measurement", ",host=a f=1"],
  ["a tag without a value", "cpu,host= f=1"],
  ["a tag without a name", "cpu,=a f=1"],
  ["a field without a value", "cpu f="],
  ["a text without its end", 'cpu f="a'],
  ["a number with a letter", "cpu f=1x"],
  ["no number at all", "cpu f=abc"],
  ["a time with a fraction", "cpu f=1 1.5"],
  ["too many parts", "cpu f=1 5 6"],
  ["a comma at the end", "cpu f=1,"],
  ["JSON", '{"measurement":"cpu","f":1}'],
])("%s is told from a record, and the lines around it are records", (_what, line) => {
  const texts = textsOf(`a f=1 1\n${line}\nb f=2 2\n`);
  const builder = new PayloadBuilder();
  for (const text of texts) builder.add(Buffer.from(text), "s", 0);
  const fields = [{ name: "f", type: "json" as const }];
  const { faults } = createDecoder("json", fields).decode(builder.view());
  expect(faults.map(({ row, reason }) => [row, reason])).toEqual([[1, "decode"]]);
  expect(texts[1]).toBe(`[${line}]`);
  expect(texts).toHaveLength(3);
});

test("any line says what was written", () => {
  const escaped = (text: string): string => text.replaceAll(/[,= ]/g, (each) => `\\${each}`);
  // A backslash at the end would take the meaning from what stands behind.
  const name = fc
    .string({ unit: fc.constantFrom("a", "é", ",", "=", " ", '"', "b"), minLength: 1, maxLength: 5 })
    .filter((text) => text.trim() === text);
  const value = fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => [String(n), n + 0] as const),
    fc.integer().map((n) => [`${n}i`, n] as const),
    fc.boolean().map((b) => [String(b), b] as const),
    fc
      .string({ unit: fc.constantFrom("a", '"', "\\", "\n", ",", "=", " ", "é"), maxLength: 6 })
      .map((text) => [`"${text.replaceAll(/["\\]/g, (each) => `\\${each}`)}"`, text] as const),
  );
  const line = fc.record({
    measurement: name,
    tags: fc.dictionary(name, name, { maxKeys: 3, noNullPrototype: true }),
    fields: fc.dictionary(name, value, { minKeys: 1, maxKeys: 3, noNullPrototype: true }),
    time: fc.integer(),
  });
  fc.assert(
    fc.property(fc.array(line, { minLength: 1, maxLength: 4 }), (lines) => {
      const texts = lines.map(({ measurement, tags, fields, time }) => {
        const told = Object.entries(tags).map(([tag, each]) => `,${escaped(tag)}=${escaped(each)}`);
        const said = Object.entries(fields).map(([field, [text]]) => `${escaped(field)}=${text}`);
        return `${escaped(measurement)}${told.join("")} ${said.join(",")} ${time}`;
      });
      const records = lines.map(({ measurement, tags, fields, time }) => [
        ["measurement", measurement],
        ...Object.entries(tags),
        ...Object.entries(fields).map(([field, [, each]]) => [field, each]),
        ["time", time],
      ]);
      const found = textsOf(texts.join("\n"));
      expect(found.map((text) => JSON.parse(text) as unknown)).toEqual(
        records.map((members) => Object.fromEntries(members) as unknown),
      );
    }),
    { numRuns: 500 },
  );
});
