// A record means the same in JSON and in MessagePack: the same columns, and faults in the same fields.

import * as fc from "fast-check";
import { Packr } from "msgpackr/pack";
import { expect, test } from "vitest";
import { valueAt } from "../../operators/sdk/index.ts";
import { PayloadBuilder, type Payloads } from "../batch/payloads.ts";
import type { Decoded, FieldRead } from "./codec.ts";
import { createDecoder } from "./formats.ts";

const packr = new Packr({ useRecords: false });

const fields: readonly FieldRead[] = [
  { name: "a", type: "float64" },
  { name: "a.b", type: "string" },
  { name: "a.b.c", type: "bool" },
  { name: "b", type: "time", unit: "s" },
  { name: "b.a", type: "time", unit: "iso" },
  { name: "c", type: "int64" },
  { name: "c.c", type: "float64" },
  { name: "b.", type: "time", unit: "us" },
  { name: "", type: "string" },
];

// Fractions only where both sides must call them a fault or a number: JSON's int64 refuses 1.0, MessagePack has no such text.
const scalars = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }).filter((value) => !Number.isInteger(value)),
  fc.integer({ min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER }),
  fc.string({ maxLength: 4 }),
  fc.constantFrom("2024-02-29", "2024-02-29T12:30:59.5+02:00", "2024-02-30", "12:00"),
);
const names = fc.constantFrom("a", "b", "c", "a.b", "a.b.c", "b.a", "b.c", "c.c", "b.", "", "d");
const documents: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 4 }, scalars, tie("map"), fc.array(scalars, { maxLength: 2 })),
  map: fc.dictionary(names, tie("value"), { maxKeys: 6 }),
})).map;

function payloadsOf(records: readonly Uint8Array[]): Payloads {
  const builder = new PayloadBuilder();
  for (const record of records) builder.add(record, "subject", 0);
  return builder.take();
}

function rowsOf(decoded: Decoded): unknown {
  const values = Array.from({ length: decoded.rows }, (_, row) =>
    // -0 keeps its sign in JSON text and has none as an integer of MessagePack.
    decoded.columns.map((column) => {
      const value = valueAt(column, row);
      return typeof value === "number" ? value + 0 : value;
    }),
  );
  return { values, faults: decoded.faults.map(({ row, field, reason }) => [row, field, reason]) };
}

test("any document reads alike", () => {
  const json = createDecoder("json", fields);
  const msgpack = createDecoder("msgpack", fields);
  fc.assert(
    fc.property(fc.array(documents, { maxLength: 4 }), (records) => {
      const texts = records.map((record) => Buffer.from(JSON.stringify(record)));
      const packed = records.map((record) => packr.pack(record));
      expect(rowsOf(msgpack.decode(payloadsOf(packed)))).toEqual(rowsOf(json.decode(payloadsOf(texts))));
    }),
    { numRuns: 1_500 },
  );
});
