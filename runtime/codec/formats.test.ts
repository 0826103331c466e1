// What must hold for every format alike: rows written are the rows read, hostile bytes are counted and
// never thrown, and what nobody named passes through.

import * as fc from "fast-check";
import { Unpackr } from "msgpackr/unpack";
import { describe, expect, test } from "vitest";
import {
  type Batch,
  type Column,
  put,
  type Scalar,
  type Schema,
  type SchemaField,
  valueAt,
} from "../../operators/sdk/index.ts";
import { makeBatch } from "../batch/batch.ts";
import { makeWritable, TextDictionary } from "../batch/columns.ts";
import { PayloadBuilder, type Payloads } from "../batch/payloads.ts";
import { WeirError } from "../errors.ts";
import { type EncoderOptions, type FieldRead, type Format, formats } from "./codec.ts";
import { csvHeader } from "./csv/encoder.ts";
import { createDecoder, createEncoder, type FormatOptions } from "./formats.ts";

type Row = readonly Scalar[];

const every: readonly SchemaField[] = [
  { name: "n", type: "float64" },
  { name: "i", type: "int64" },
  { name: "b", type: "bool" },
  { name: "s", type: "string" },
  { name: "t", type: "time" },
  { name: "j", type: "json" },
];

function batchOf(schema: Schema, rows: readonly Row[], payloads?: readonly Uint8Array[]): Batch {
  const dictionaries = schema.fields.map(() => new TextDictionary());
  const columns = schema.fields.map((field, index) =>
    makeWritable(field.type, rows.length, dictionaries[index]!),
  );
  const draft = { columns, text: (place: number, text: string) => dictionaries[place]!.code(text) };
  for (const [row, values] of rows.entries())
    for (const [place, value] of values.entries()) put(draft as never, place, row, value);
  return makeBatch({
    schema,
    columns: columns as readonly Column[],
    rows: rows.length,
    time: new Float64Array(rows.length),
    watermark: new Float64Array(rows.length),
    origin: payloads === undefined ? null : { payload: (row) => payloads[row]!, subject: () => "subject" },
  });
}

function encoded(
  format: Format,
  batch: Batch,
  origin: Format | null = null,
  options: FormatOptions & Pick<EncoderOptions, "apart"> = {},
): Buffer[] {
  const payloads: Buffer[] = [];
  const encoder = createEncoder(format, { schema: batch.schema, origin, ...options });
  encoder.encode(batch, (row, payload) => {
    expect(row).toBe(batch.selection[payloads.length]);
    payloads.push(Buffer.from(payload));
  });
  return payloads;
}

function payloadsOf(records: readonly Uint8Array[]): Payloads {
  const builder = new PayloadBuilder();
  for (const record of records) builder.add(record, "subject", 0);
  return builder.take();
}

function orNull<T>(values: fc.Arbitrary<T>): fc.Arbitrary<T | null> {
  return fc.option(values, { nil: null, freq: 4 });
}

// -0 is written as 0, by JSON.stringify as well.
const numbers = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);
const rowsOfEvery: fc.Arbitrary<Row[]> = fc.array(
  fc.tuple(
    orNull(fc.oneof(numbers, fc.integer())),
    orNull(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n)),
    orNull(fc.boolean()),
    orNull(fc.string({ unit: "binary", maxLength: 12 })),
    orNull(fc.integer({ min: -8.64e15, max: 8.64e15 })),
    orNull(
      fc
        .oneof(fc.array(fc.integer()), fc.dictionary(fc.string({ unit: "binary" }), fc.boolean()))
        .map((value) => JSON.stringify(value)),
    ),
  ),
  { maxLength: 12 },
);

// What protobuf takes depends on its message; its own tests have the same.
describe.each(formats.filter((format) => format !== "protobuf"))("%s", (format) => {
  const header = every.map((field) => field.name);

  test("rows written are the rows read", () => {
    const decoder = createDecoder(format, every, { header });
    fc.assert(
      fc.property(rowsOfEvery, (rows) => {
        const payloads = encoded(format, batchOf({ fields: every, rest: null }, rows));
        const decoded = decoder.decode(payloadsOf(payloads));
        expect(decoded.faults).toEqual([]);
        expect(rows.map((_, row) => decoded.columns.map((column) => valueAt(column, row)))).toEqual(rows);
      }),
    );
  });

  test("only selected rows are written, in order", () => {
    const schema: Schema = { fields: every.slice(0, 1), rest: null };
    const batch = { ...batchOf(schema, [[1], [2], [3]]), selection: Uint32Array.of(0, 2), count: 2 };
    const decoded = createDecoder(format, schema.fields, { header: ["n"] }).decode(
      payloadsOf(encoded(format, batch)),
    );
    expect([...(decoded.columns[0]!.values as Float64Array)]).toEqual([1, 3]);
  });

  test("rows handed out stay as they are when more are written", () => {
    const schema: Schema = { fields: every.slice(3, 4), rest: null };
    const encoder = createEncoder(format, { schema, origin: null });
    const kept: Uint8Array[] = [];
    const copies: Uint8Array[] = [];
    for (let i = 0; i < 40; i++) {
      encoder.encode(batchOf(schema, [[`${i}`.repeat(5_000)], ["é"]]), (_row, payload) => {
        kept.push(payload);
        copies.push(Uint8Array.from(payload));
      });
    }
    expect(kept.every((payload, i) => Buffer.compare(payload, copies[i]!) === 0)).toBe(true);
  });

  test("hostile bytes are faults, never thrown", () => {
    const decoder = createDecoder(format, every, { header });
    const valid = encoded(
      format,
      batchOf({ fields: every, rest: null }, [[1.5, 7n, true, 'a"é', 1e12, '{"k":[1]}']]),
    )[0]!;
    const mutated = fc
      .array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 })
      .map((changes) => {
        const bytes = Uint8Array.from(valid);
        for (const [place, byte] of changes) bytes[place] = byte;
        return bytes;
      });
    fc.assert(
      fc.property(
        fc.array(fc.oneof(mutated, fc.uint8Array({ maxLength: 40 })), { maxLength: 5 }),
        (records) => {
          const decoded = decoder.decode(payloadsOf([...records, valid]));
          expect(decoded.rows).toBe(records.length + 1);
          expect(decoded.faults.filter((fault) => fault.row === records.length)).toEqual([]);
          for (const fault of decoded.faults)
            for (const [index, column] of decoded.columns.entries())
              if (fault.field === -1 || fault.field === index) expect(valueAt(column, fault.row)).toBeNull();
        },
      ),
      { numRuns: 200 },
    );
  });
});

test("JSON rows are what JSON.stringify makes of the row", () => {
  const plain = every.filter((field) => field.type !== "int64" && field.type !== "json");
  fc.assert(
    fc.property(rowsOfEvery, (all) => {
      const rows = all.map((row) => row.filter((_, place) => plain.includes(every[place]!)));
      const texts = encoded("json", batchOf({ fields: plain, rest: null }, rows)).map(String);
      expect(texts).toEqual(
        rows.map((row) => JSON.stringify(Object.fromEntries(plain.map((field, i) => [field.name, row[i]])))),
      );
    }),
  );
});

test("names and texts are escaped, integers keep their digits, what is not finite is null", () => {
  const schema: Schema = {
    fields: [
      { name: 'a"\n', type: "string" },
      { name: "big", type: "int64" },
      { name: "n", type: "float64" },
    ],
    rest: null,
  };
  const batch = batchOf(schema, [["\u2028\ud800", 9007199254740993n, 0]]);
  (batch.columns[2]!.values as Float64Array)[0] = Number.NaN;
  expect(encoded("json", batch).map(String)).toEqual([
    '{"a\\"\\n":"\u2028\\ud800","big":9007199254740993,"n":null}',
  ]);
  expect(encoded("csv", batch).map(String)).toEqual(["\u2028\ufffd,9007199254740993,"]);
  expect(new Unpackr({ useRecords: false }).unpack(encoded("msgpack", batch)[0]!)).toEqual({
    'a"\n': "\u2028\ufffd",
    big: 9007199254740993n,
    n: null,
  });
});

describe("what nobody named", () => {
  const open: Schema = {
    fields: [
      { name: "temp", type: "float64" },
      { name: "at.lat", type: "float64" },
    ],
    rest: { except: ["gone"] },
  };
  const header = ["id", "temp", "gone", "note", "big"];
  const record =
    '{"id": "x\\u0031", "temp":1.50,"gone":0 ,"at":{"lat":1, "lon":2},"big":12345678901234567890}';
  const unpack = (bytes: Uint8Array): unknown => new Unpackr({ useRecords: false }).unpack(bytes);

  function pass(sink: Format, origin: Format, payload: Uint8Array): Buffer {
    return encoded(sink, batchOf(open, [[2, 9]], [payload]), origin, { header })[0]!;
  }

  test("passes from JSON to JSON byte for byte, nesting included", () => {
    expect(String(pass("json", "json", Buffer.from(record)))).toBe(
      '{"id": "x\\u0031","at":{"lat":1, "lon":2},"big":12345678901234567890,"temp":2}',
    );
  });

  test("passes from JSON to MessagePack without loss of an integer", () => {
    expect(unpack(pass("msgpack", "json", Buffer.from(record)))).toEqual({
      temp: 2,
      id: "x1",
      at: { lat: 1, lon: 2 },
      big: 12345678901234567890n,
    });
  });

  test("passes from MessagePack to MessagePack byte for byte, extensions included", () => {
    const extension = Buffer.from([0xa1, 0x65, 0xd4, 0x05, 0x09]);
    const gone = Buffer.from([0xa4, ...Buffer.from("gone"), 0x01]);
    const temp = Buffer.from([0xa4, ...Buffer.from("temp"), 0x01]);
    const payload = Buffer.concat([Buffer.from([0x83]), gone, extension, temp]);
    const changed = Buffer.from([0xa4, ...Buffer.from("temp"), 0x02]);
    expect(pass("msgpack", "msgpack", payload)).toEqual(
      Buffer.concat([Buffer.from([0x82]), changed, extension]),
    );
  });

  test("passes from MessagePack to JSON", () => {
    const packed = pass("msgpack", "json", Buffer.from(record));
    expect(String(pass("json", "msgpack", packed))).toBe(
      '{"id":"x1","at":{"lat":1,"lon":2},"big":12345678901234567890,"temp":2}',
    );
  });

  test("passes from MessagePack to JSON as null where it is a text of other bytes, and not as a text that others may be", () => {
    const payload = Buffer.from([0x82, 0xa1, 0x61, 0xa1, 0xff, 0xa1, 0x62, 0xa2, 0xc3, 0xa9]);
    expect(String(pass("json", "msgpack", payload))).toBe('{"a":null,"b":"é","temp":2}');
  });

  test.each<readonly [Format, Format, string]>([
    ["json", "json", '{"id":1,"at":{"b":{"d":[{"lat":4}]},"e.f":{"lat":5}},"n":5,"at.lat":9}'],
    ["msgpack", "json", '{"at.lat":9,"id":1,"at":{"b":{"d":[{"lat":4}]},"e.f":{"lat":5}},"n":5}'],
    ["json", "msgpack", '{"id":1,"at":{"b":{"d":[{"lat":4}]},"e.f":{"lat":5}},"n":5,"at.lat":9}'],
    ["msgpack", "msgpack", '{"at.lat":9,"id":1,"at":{"b":{"d":[{"lat":4}]},"e.f":{"lat":5}},"n":5}'],
  ])("in %s, of %s, does not hold what a step dropped or replaced within a member", (sink, origin, row) => {
    const schema: Schema = {
      fields: [{ name: "at.lat", type: "float64" }],
      rest: { except: ["at.b.c", "at.e.f.g", "n.x", "gone.y"] },
    };
    const text =
      '{"id":1,"at":{"lat":1,"b":{"c":2,"d":[{"lat":4}]},"b.c":3,"e.f":{"g":1,"lat":5}},"at.lat":2,"n":5}';
    const plain: Schema = { fields: [], rest: { except: [] } };
    const bytes = Buffer.from(text);
    const payload = encoded(origin, batchOf(plain, [[]], [bytes]), "json")[0]!;
    const apart = new Set(["at.lat"]);
    const [out] = encoded(sink, batchOf(schema, [[9]], [payload]), origin, { apart });
    expect(sink === "json" ? String(out) : JSON.stringify(unpack(out!))).toBe(row);
  });

  test("passes from CSV as text, an empty cell as null", () => {
    const line = Buffer.from('x,1.5,0,,"12,5"');
    expect(String(pass("json", "csv", line))).toBe('{"id":"x","note":null,"big":"12,5","temp":2}');
    expect(unpack(pass("msgpack", "csv", line))).toEqual({ temp: 2, id: "x", note: null, big: "12,5" });
  });

  test("of more entries than a short header holds, all pass", () => {
    const names = Array.from({ length: 40 }, (_, i) => `member${i}`);
    const object = Object.fromEntries(names.map((name, i) => [name, i]));
    const packed = pass("msgpack", "json", Buffer.from(JSON.stringify(object)));
    expect(unpack(pass("msgpack", "msgpack", packed))).toEqual({ temp: 2, ...object });
  });

  test.each([
    [String.raw`{"one":0,"\\":1}`, String.raw`{"one":0,"\u00b5":[{"\n" : "\\"}]}`],
    [String.raw`[{"two":0,"a\\n":1}]`, String.raw`[{"two":0,"a\nb":{"\"":"\":"}}]`],
    [String.raw`{"three":0,"\\u":1}`, String.raw`{"three":0,"\u00b5m":-9007199254740993,"":{"\\":null}}`],
  ])("escaped names in MessagePack are not taken for others: %s, then %s", (before, text) => {
    const through = (value: string): string => {
      const packed = pass("msgpack", "json", Buffer.from(`{"in":${value}}`));
      return String(pass("json", "msgpack", packed));
    };
    through(before);
    through(before);
    const plain = text.replace(String.raw`\u00b5`, "µ").replaceAll(" ", "");
    expect(through(text)).toBe(`{"in":${plain},"temp":2}`);
  });

  test("any record passes: what is read again is what was there", () => {
    const plain: Schema = { fields: [], rest: { except: [] } };
    const names = fc.string({ unit: "binary" }).filter((name) => name !== "__proto__");
    fc.assert(
      fc.property(fc.dictionary(names, fc.jsonValue({ noUnicodeString: false })), (object) => {
        const text = JSON.stringify(object);
        const through = (sink: Format, origin: Format, payload: Uint8Array): Buffer =>
          encoded(sink, batchOf(plain, [[]], [payload]), origin)[0]!;
        expect(JSON.parse(String(through("json", "json", Buffer.from(text))))).toEqual(JSON.parse(text));
        const packed = through("msgpack", "json", Buffer.from(text));
        expect(through("msgpack", "msgpack", packed)).toEqual(packed);
        // MessagePack has no -0 among the integers that msgpackr writes.
        expect(JSON.parse(String(through("json", "msgpack", packed)))).toEqual(
          JSON.parse(text, (_, v) => (v === 0 ? 0 : v)),
        );
      }),
    );
  });

  test("has no room in CSV, and needs the format that it came in", () => {
    const refused = (run: () => unknown): void => {
      expect(run).toThrow(WeirError);
      expect(run).toThrow(expect.objectContaining({ code: "WEIR_CONFIG" }));
    };
    refused(() => createEncoder("csv", { schema: open, origin: "json" }));
    refused(() => createEncoder("json", { schema: open, origin: null }));
    refused(() => createEncoder("json", { schema: open, origin: "csv" }));
    refused(() => createDecoder("csv", [] satisfies FieldRead[]));
  });
});

test("a dotted field is a flat name where nothing passes through", () => {
  const schema: Schema = { fields: [{ name: "at.lat", type: "float64" }], rest: null };
  const [payload] = encoded("json", batchOf(schema, [[1]]));
  expect(String(payload)).toBe('{"at.lat":1}');
  const decoded = createDecoder("json", schema.fields).decode(payloadsOf([payload!]));
  expect(valueAt(decoded.columns[0]!, 0)).toBe(1);
});

test("the header of a file quotes what must be", () => {
  expect(
    csvHeader({
      fields: [
        { name: "a", type: "bool" },
        { name: "b,c", type: "bool" },
      ],
      rest: null,
    }),
  ).toBe('a,"b,c"');
});
