// Payloads in one buffer come out as they went in, with their subjects and arrivals, within the bounds of
// a batch and over any number of batches.

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type PayloadBatch, PayloadBuilder, payloadAt } from "./payloads.ts";

interface Put {
  readonly bytes: Uint8Array;
  readonly subject: string;
  readonly arrived: number;
}

function told(batch: PayloadBatch): Put[] {
  return Array.from({ length: batch.count }, (_, row) => ({
    bytes: payloadAt(batch, row).slice(),
    subject: batch.subjects[batch.subject[row]!]!,
    arrived: batch.arrived[row]!,
  }));
}

const put: fc.Arbitrary<Put> = fc.record({
  bytes: fc.uint8Array({ maxLength: 40 }),
  subject: fc.constantFrom("", "a", "a.b", "constructor"),
  arrived: fc.integer(),
});

describe("PayloadBuilder", () => {
  test("gives back what was put in, batch after batch, within its bounds", () => {
    fc.assert(
      fc.property(
        fc.array(put, { maxLength: 60 }),
        fc.integer({ min: 1, max: 9 }),
        fc.boolean(),
        (puts, rows, taking) => {
          const builder = new PayloadBuilder(rows, 64);
          const batches: PayloadBatch[] = [];
          const out: Put[] = [];
          const end = (): void => {
            const batch = taking ? builder.take() : builder.view();
            expect(batch.count).toBeLessThanOrEqual(rows);
            expect(batch.count === 1 || batch.bytes.length <= 64).toBe(true);
            if (taking) batches.push(batch);
            else {
              out.push(...told(batch));
              builder.reset();
            }
          };
          for (const { bytes, subject, arrived } of puts) {
            if (!builder.fits(bytes.length)) end();
            builder.add(bytes, subject, arrived);
            // What was put in is the caller's again.
            const copy = bytes.slice();
            bytes.fill(0);
            bytes.set(copy);
          }
          end();
          // Batches that were taken last, whatever came after them.
          for (const batch of batches) out.push(...told(batch));
          expect(out).toEqual(puts);
        },
      ),
      { seed: 9, numRuns: 200 },
    );
  });

  test("takes the records of a message as if they came alone, without what stands between them", () => {
    const gap = fc.uint8Array({ maxLength: 3 });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.uint8Array({ maxLength: 40 }), gap), { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 1, max: 9 }),
        (parts, rows) => {
          const message = Buffer.concat(parts.flatMap(([record, behind]) => [record, behind]));
          const lengths = parts.map(([record, behind]) => record.length + behind.length);
          const starts = Uint32Array.from(lengths, (_, i) => lengths.slice(0, i).reduce((a, b) => a + b, 0));
          const ends = starts.map((start, i) => start + parts[i]![0].length);
          const builder = new PayloadBuilder(rows, 64);
          builder.add(Uint8Array.of(1), "before", 1);
          const out: Put[] = [];
          for (let next = 0; next < parts.length; ) {
            if (!builder.fits(ends[next]! - starts[next]!)) out.push(...told(builder.take()));
            const from = next;
            next = builder.addRecords({ bytes: message, starts, ends, count: parts.length }, next, "s", 7);
            expect(next).toBeGreaterThan(from);
            expect(builder.count).toBeLessThanOrEqual(rows);
            expect(builder.count === 1 || builder.size <= 64).toBe(true);
          }
          out.push(...told(builder.take()));
          const expected = parts.map(([record]) => ({ bytes: record, subject: "s", arrived: 7 }));
          expect(out).toEqual([{ bytes: Uint8Array.of(1), subject: "before", arrived: 1 }, ...expected]);
        },
      ),
      { seed: 9, numRuns: 300 },
    );
  });

  test("a first payload fits, however large, and a second does not", () => {
    const builder = new PayloadBuilder(10, 100);
    expect(builder.fits(1_000_000)).toBe(true);
    builder.add(new Uint8Array(1_000_000).fill(7), "s", 1);
    expect(builder.fits(0)).toBe(false);
    expect(builder.size).toBe(1_000_000);
    expect(payloadAt(builder.view(), 0).every((byte) => byte === 7)).toBe(true);
    builder.reset();
    expect([builder.count, builder.size, builder.view().subjects]).toEqual([0, 0, []]);
  });

  test("no more rows than told", () => {
    const builder = new PayloadBuilder(2, 100);
    builder.add(new Uint8Array(0), "s", 1);
    builder.add(new Uint8Array(0), "s", 2);
    expect(builder.fits(0)).toBe(false);
  });

  test("subjects are kept once a batch, and not from batch to batch", () => {
    const builder = new PayloadBuilder();
    for (const subject of ["a", "b", "a", "a"]) builder.add(new Uint8Array(1), subject, 0);
    expect(builder.view().subjects).toEqual(["a", "b"]);
    const taken = builder.take();
    builder.add(new Uint8Array(1), "c", 0);
    expect(taken.subjects).toEqual(["a", "b"]);
    expect(builder.view().subjects).toEqual(["c"]);
  });

  test("what was added is a copy", () => {
    const builder = new PayloadBuilder();
    const bytes = Uint8Array.of(1, 2);
    builder.add(bytes, "s", 0);
    bytes.fill(9);
    expect([...payloadAt(builder.view(), 0)]).toEqual([1, 2]);
  });
});
