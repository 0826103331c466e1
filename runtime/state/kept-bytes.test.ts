// The bytes of kept records: what a map of copies says, however many come and go, in bounded memory.

import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type PayloadBatch, PayloadBuilder, PayloadOrigin } from "../batch/payloads.ts";
import { KeptBytes } from "./kept-bytes.ts";

function payloadsOf(texts: readonly string[]): PayloadBatch {
  const builder = new PayloadBuilder(texts.length + 1, 1 << 30);
  for (const text of texts) builder.add(new TextEncoder().encode(text), `on ${text.length}`, 0);
  return builder.take();
}

const sizes = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 0, max: 40 }) },
  { weight: 1, arbitrary: fc.integer({ min: 500, max: 6_000 }) },
  { weight: 1, arbitrary: fc.constant(1_200_000) },
);
const batches = fc.record({
  texts: fc.array(fc.tuple(sizes, fc.integer({ min: 97, max: 122 })), { minLength: 1, maxLength: 8 }),
  kept: fc.infiniteStream(fc.boolean()),
  freed: fc.infiniteStream(fc.boolean()),
  whole: fc.boolean(),
});

test("say what a map says", () => {
  fc.assert(
    fc.property(fc.array(batches, { maxLength: 40 }), (all) => {
      const bytes = new KeptBytes();
      bytes.reserve(4_000);
      const model = new Map<number, string>();
      const given: number[] = [];
      let slot = 0;
      for (const { texts, kept, freed, whole } of all) {
        const payloads = payloadsOf(texts.map(([size, code]) => String.fromCharCode(code).repeat(size)));
        const origin = new PayloadOrigin(payloads);
        const rows = [...texts.keys()].filter(() => kept.next().value === true);
        const slots = rows.map(() => given.pop() ?? slot++);
        // The other form of origin is one that knows no more than the interface says.
        const told = whole ? origin : { payload: (row: number) => origin.payload(row), subject: () => "" };
        bytes.keep(told, Uint32Array.from(rows), Uint32Array.from(slots), rows.length);
        rows.forEach((row, i) => model.set(slots[i]!, Buffer.from(origin.payload(row)).toString()));
        for (const each of model.keys()) {
          if (freed.next().value !== true) continue;
          bytes.free(each);
          model.delete(each);
          given.push(each);
        }
        const held = [...model.keys()];
        const found = bytes.gather(Int32Array.from(held), null)!;
        held.forEach((each, row) => {
          expect(Buffer.from(found(row)).toString() === model.get(each)).toBe(true);
        });
      }
    }),
    { seed: 5, numRuns: 60 },
  );
});

test("one that stays does not hold on to the room of all that went", () => {
  const bytes = new KeptBytes();
  bytes.reserve(4_096);
  const origin = new PayloadOrigin(payloadsOf(Array.from({ length: 1_000 }, () => "x".repeat(1_000))));
  const rows = Uint32Array.from({ length: 1_000 }, (_, row) => row);
  for (let round = 0; round < 200; round++) {
    const slots = rows.map((row) => (row === 0 ? round : 1_000 + row));
    bytes.keep(origin, rows, slots, 1_000);
    for (const slot of slots.subarray(1)) bytes.free(slot);
  }
  // Room is looked at when records come.
  bytes.keep(origin, rows, rows, 0);
  expect(bytes.room).toBeLessThan(4 * 200 * 1_000 + 3 * 1_048_576);
});

test("pieces without a byte give no room up twice", () => {
  const bytes = new KeptBytes();
  bytes.reserve(4_096);
  const kept = (texts: readonly string[], slots: readonly number[]): void => {
    const rows = Uint32Array.from(slots.keys());
    bytes.keep(new PayloadOrigin(payloadsOf(texts)), rows, Uint32Array.from(slots), slots.length);
  };
  const long = "x".repeat(70_000);
  // Each chunk of full size has room for one of these, and for some without a byte.
  for (let slot = 0; slot < 8; slot++) kept([long, "", ""], [3 * slot, 3 * slot + 1, 3 * slot + 2]);
  for (let slot = 0; slot < 24; slot++) bytes.free(slot);
  const texts = Array.from({ length: 8 }, (_, n) => String(n).repeat(70_000));
  kept(texts, [...texts.keys()]);
  expect(texts.map((_, slot) => Buffer.from(bytes.at(slot)!).toString())).toEqual(texts);
  expect(bytes.room).toBeGreaterThan(0);
});
