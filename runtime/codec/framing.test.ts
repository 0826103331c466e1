// Records come out of a message as they were put in, in each way of holding many; what cannot be cut is one record.

import * as fc from "fast-check";
import { Packr } from "msgpackr";
import { describe, expect, test } from "vitest";
import { packLaneRow } from "./lane-rows.ts";
import { type Cut, cutOf, type Framing, framings } from "./framing.ts";

/** Each is used for all messages: nothing of one may show in the next. */
const cuts = Object.fromEntries(framings.map((framing) => [framing, cutOf(framing)])) as Record<
  Framing,
  Cut | null
>;

/** The records of a message that lies within other bytes. */
function cut(framing: Framing, message: Uint8Array): Buffer[] {
  const around = Buffer.concat([Buffer.from("\n]"), message, Buffer.from("\r\n,")]);
  const inside = new Uint8Array(around.buffer, around.byteOffset + 2, message.length);
  const { bytes, starts, ends, count } = cuts[framing]!(inside, 0);
  return Array.from({ length: count }, (_, i) => Buffer.from(bytes.subarray(starts[i], ends[i])));
}

const texts = (framing: Framing, message: string): string[] =>
  cut(framing, Buffer.from(message)).map((record) => record.toString());

const space = fc.constantFrom("", " ", "\n", "\r\n\t ");

describe("records of a message", () => {
  test("lines", () => {
    const line = fc.string({ unit: fc.constantFrom("a", '"', "é", " "), minLength: 1, maxLength: 6 });
    const end = fc.constantFrom("\n", "\r\n", "\n\n", "\r\n\r\n");
    fc.assert(
      fc.property(fc.array(line, { maxLength: 600 }), fc.infiniteStream(end), (lines, ends) => {
        const ended = lines.map((each) => each + ends.next().value!).join("");
        expect(texts("lines", ended)).toEqual(lines);
        expect(texts("lines", ended.replace(/[\r\n]+$/, ""))).toEqual(lines);
      }),
      { seed: 7, numRuns: 200 },
    );
  });

  test("more lines than the kernel takes at once, and lines as long as a message", () => {
    for (const lines of [
      Array<string>(20_000).fill("a"),
      ["x".repeat(1_048_575)],
      ["x".repeat(700_000), "y"],
    ])
      expect(texts("lines", lines.join("\n"))).toEqual(lines);
  });

  test("elements of an array", () => {
    const element = fc.json({ maxDepth: 3 });
    fc.assert(
      fc.property(fc.array(element, { maxLength: 8 }), fc.infiniteStream(space), (elements, spaces) => {
        const gap = (): string => spaces.next().value!;
        const inside = elements.map((each) => gap() + each + gap()).join(",");
        expect(texts("array", `${gap()}[${inside}${gap()}]${gap()}`)).toEqual(elements);
      }),
      { seed: 7, numRuns: 500 },
    );
  });

  test("values one after the other", () => {
    const packr = new Packr({ useRecords: false });
    const value = fc.oneof(
      fc.dictionary(
        fc.string(),
        fc.oneof(
          fc.double(),
          fc.string({ maxLength: 300 }),
          fc.boolean(),
          fc.bigInt({ max: 2n ** 63n - 1n, min: -(2n ** 63n) }),
        ),
      ),
      fc.array(
        fc.oneof(fc.constant(null), fc.date({ noInvalidDate: true }), fc.uint8Array({ maxLength: 300 })),
        { maxLength: 20 },
      ),
      fc.integer(),
    );
    fc.assert(
      fc.property(fc.array(value, { maxLength: 10 }), (values) => {
        const packed = values.map((each) => Buffer.from(packr.pack(each)));
        expect(cut("values", Buffer.concat(packed))).toEqual(packed);
      }),
      { seed: 7, numRuns: 300 },
    );
  });

  test("rows of a lane", () => {
    const row = fc.record({
      subject: fc.string({ maxLength: 40 }),
      caused: fc.integer({ min: 0, max: 2 ** 45 }),
      rows: fc.integer({ min: 1, max: 5_000 }),
      headers: fc.option(fc.dictionary(fc.string(), fc.string(), { maxKeys: 3 })),
      payload: fc.uint8Array({ maxLength: 300 }),
    });
    fc.assert(
      fc.property(fc.array(row, { maxLength: 40 }), fc.nat(2 ** 40), (rows, first) => {
        const packed = rows.map((each, place) => packLaneRow(first + place, each));
        const payloads = rows.map(({ payload }) => Buffer.from(payload));
        expect(cut("lane", Buffer.concat(packed))).toEqual(payloads);
        // Cut short anywhere, it is one record; not even the rows that are whole are taken.
        const whole = Buffer.concat(packed);
        const end = whole.length - 1;
        if (end > 0) expect(cut("lane", whole.subarray(0, end))).toEqual([whole.subarray(0, end)]);
      }),
      { seed: 7, numRuns: 300 },
    );
  });

  const packr = new Packr();
  test.each([
    ["nothing of the kind", packr.pack({ a: 1 })],
    ["too few elements", packr.pack([1, "a", 2, 1, null])],
    ["a payload that is no bytes", packr.pack([1, "a", 2, 1, null, "text"])],
    ["an empty array", packr.pack([])],
  ])("no rows of a lane: %s is one record", (_, bytes) => expect(cut("lane", bytes)).toEqual([bytes]));

  test("a row of a lane may have more elements, which are left alone", () =>
    expect(cut("lane", packr.pack([1, "a", 2, 1, null, Buffer.from("x"), "later"]))).toEqual([
      Buffer.from("x"),
    ]));

  test.each(["", "\n", "\r\n\n"])("no lines: %j", (message) => expect(texts("lines", message)).toEqual([]));

  test.each(["[]", " [ \n] "])("no elements: %j", (message) => expect(texts("array", message)).toEqual([]));

  test.each(['{"a":1}', "[1,2", '["]', "[1] x", "[1]]", " ", "[", '[{"a":1},', '["\\"]'])(
    "no array: %j is one record",
    (message) => expect(texts("array", message)).toEqual([message]),
  );

  test("an empty element is a record, which no decoder takes", () =>
    expect(texts("array", "[1,,2,]")).toEqual(["1", "", "2", ""]));

  test.each([
    [[0x01, 0x92, 0x01]],
    [[0xc1]],
    [[0x01, 0xdf, 0xff, 0xff, 0xff, 0xff]],
    [[0xd9]],
    [[0xda, 0x00]],
  ])("no values: %j is one record", (bytes) =>
    expect(cut("values", Uint8Array.from(bytes))).toEqual([Buffer.from(bytes)]),
  );
});
