// Strings and JSON values that pass through: whatever they hold and however they were read, by the kernel or by the
// exact reader, they are written as they came.

import fc from "fast-check";
import { expect, test } from "vitest";
import { makeBatch } from "../../batch/batch.ts";
import { PayloadBuilder } from "../../batch/payloads.ts";
import type { Format } from "../codec.ts";
import { createDecoder, createEncoder } from "../formats.ts";
import { RawTexts } from "./raw-texts.ts";
import { WrittenTexts } from "./written-texts.ts";

const schema = {
  fields: [
    { name: "s", type: "string" },
    { name: "j", type: "json" },
  ],
  rest: null,
} as const;

/** A stage that reads records of both fields and writes them again, batch by batch. */
function passage(format: Format): (records: readonly Uint8Array[]) => string[] {
  const decoder = createDecoder(format, schema.fields);
  const encoder = createEncoder("json", { schema, origin: null });
  return (records) => {
    const builder = new PayloadBuilder();
    for (const record of records) builder.add(record, "subject", 0);
    const { rows, columns, faults } = decoder.decode(builder.take());
    expect(faults).toEqual([]);
    const time = new Float64Array(rows);
    const written: string[] = [];
    encoder.encode(makeBatch({ schema, columns, rows, time, watermark: time }), (_row, payload) =>
      written.push(Buffer.from(payload).toString()),
    );
    return written;
  };
}

const text = fc.oneof(
  fc.constantFrom(
    "",
    "a",
    '"',
    "\\",
    "é",
    "\u007f",
    "\u001f",
    "x".repeat(64),
    "x".repeat(65),
    "y".repeat(300),
  ),
  fc.string({ maxLength: 40 }),
  fc.string({ unit: "grapheme", maxLength: 20 }),
);
const json = fc
  .jsonValue({ maxDepth: 2 })
  .filter((value) => value !== null)
  .map((value) => JSON.stringify(value));
const rows = fc.array(fc.record({ s: text, j: json }), { minLength: 1, maxLength: 40 });

test("what passes through a batch, and the next", () => {
  const pass = passage("json");
  fc.assert(
    fc.property(rows, fc.boolean(), (records, areOdd) => {
      // With a space before the colon no template that was learned fits.
      const payloads = records.map(({ s, j }) => `{"s"${areOdd ? " " : ""}:${JSON.stringify(s)},"j":${j}}`);
      expect(pass(payloads.map((each) => Buffer.from(each)))).toEqual(
        records.map(({ s, j }) => `{"s":${JSON.stringify(s)},"j":${j}}`),
      );
    }),
    { numRuns: 300 },
  );
});

test("a JSON value stays as it was written, its spaces and digits included", () => {
  const written = '{"s":"a","j":{ "n" : 1.50e+03, "t":"\\u00e9" }}';
  const records = Array.from({ length: 20 }, () => Buffer.from(written));
  expect(passage("json")(records)).toEqual(records.map(() => written));
});

test("texts of one column from dictionaries of several kinds", () => {
  const payloads = Buffer.from('{"a":1}[2]');
  const places = new RawTexts(1);
  expect([places.place(payloads, 0, 7), places.place(payloads, 7, 10)]).toEqual([0, 1]);
  const made = new RawTexts(0);
  const many = Array.from({ length: 200 }, (_, place) => `"é${place}"`);
  many.forEach((each, place) => expect(made.add(each)).toBe(place));
  expect(made.text(199)).toBe(many[199]);
  const plain = { size: 2, text: (code: number): string => `${code}` };
  const texts = new WrittenTexts("json");
  const read = (code: number): string => {
    texts.need(code);
    return Buffer.from(texts.bytes.subarray(texts.starts[code], texts.ends[code])).toString();
  };
  for (let round = 0; round < 2; round++) {
    texts.begin(places);
    expect([read(1), read(0)]).toEqual(["[2]", '{"a":1}']);
    texts.begin(plain);
    expect([read(1), read(0)]).toEqual(["1", "0"]);
    texts.begin(made);
    expect(many.map((_, code) => read(code))).toEqual(many);
  }
});
