// Rows in batches against what was written: each comes once, in the order of its subject, in time, in messages that are
// within their bounds and that a source cuts into the same rows.

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { VirtualClock } from "../clock.ts";
import type { Format } from "../codec/codec.ts";
import { cutOf } from "../codec/framing.ts";
import { batchSink } from "./batch-sink.ts";
import type { OutputRow, Sink } from "./connect.ts";
import { rowsOf, SinkCounts } from "./sink-counts.ts";

/** A sink that has everything confirmed at once. */
function memorySink(): Sink & { readonly messages: OutputRow[] } {
  const messages: OutputRow[] = [];
  const counts = new SinkCounts();
  const done = (): Promise<void> => Promise.resolve();
  return {
    messages,
    open: done,
    ready: done,
    flush: done,
    close: done,
    write(row) {
      messages.push(row);
      counts.taken += rowsOf(row);
      counts.confirm(rowsOf(row), row.payload.length);
    },
    stats: () => counts.stats(),
  };
}

const lines = cutOf("lines")!;
const values = cutOf("values")!;

/** The rows of a message, as the source reads them. */
function rowsIn({ payload }: OutputRow, format: Format): string[] {
  const { bytes, starts, ends, count } = (format === "msgpack" ? values : lines)(payload, 0);
  return Array.from({ length: count }, (_, i) =>
    Buffer.from(bytes.subarray(starts[i], ends[i])).toString("latin1"),
  );
}

/** A row's payload that tells its number. */
function payloadOf(format: Format, number: number, size: number): Buffer {
  const text = String(number).padEnd(size, ".");
  if (format === "msgpack") return Buffer.concat([Buffer.from([0xd9, text.length]), Buffer.from(text)]);
  return Buffer.from(format === "json" ? `"${text}"` : text);
}

const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ subject: fc.constantFrom("a", "b", "c"), size: fc.nat(60) }) },
  fc.record({ pass: fc.nat(40) }),
  fc.constant("flush" as const),
);

describe.each(["json", "csv", "msgpack"] as const)("batches of %s", (format) => {
  it("hold every row once, in order and in time", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 120 }),
        fc.integer({ min: 2, max: 9 }),
        async (steps, rows) => {
          const clock = new VirtualClock();
          const inner = memorySink();
          const [bytes, wait] = [150, 50];
          const sink = batchSink(inner, { format, rows, bytes, wait, clock });
          const written: { subject: string; text: string; id: string; at: number }[] = [];
          const arrived = (): number => inner.messages.reduce((total, message) => total + rowsOf(message), 0);
          for (const each of steps) {
            if (each === "flush") {
              await sink.flush();
              expect(arrived()).toBe(written.length);
            } else if ("pass" in each) {
              clock.advanceTo(clock.now() + each.pass);
              const due = written.filter(({ at }) => at + wait <= clock.now());
              expect(arrived()).toBeGreaterThanOrEqual(due.length);
            } else {
              const payload = payloadOf(format, written.length, each.size);
              const id = `w.${written.length}`;
              sink.write({ subject: each.subject, payload, id, caused: written.length });
              written.push({ subject: each.subject, text: payload.toString("latin1"), id, at: clock.now() });
            }
            expect(sink.stats().rows + sink.stats().pending).toBe(written.length);
          }
          await sink.flush();
          for (const subject of ["a", "b", "c"]) {
            const messages = inner.messages.filter((message) => message.subject === subject);
            const own = written.filter((row) => row.subject === subject);
            expect(messages.flatMap((message) => rowsIn(message, format))).toEqual(
              own.map(({ text }) => text),
            );
            let next = 0;
            for (const message of messages) {
              const count = rowsOf(message);
              const [first, last] = [own[next]!, own[next + count - 1]!];
              expect(message.id).toBe(count === 1 ? first.id : `${first.id}..${last.id}`);
              expect(count).toBeLessThanOrEqual(rows);
              expect(count === 1 || message.payload.length <= bytes).toBe(true);
              next += count;
            }
          }
        },
      ),
      { seed: 11, numRuns: 200 },
    );
  });
});

it("keeps a record that was written over several lines in one", async () => {
  const inner = memorySink();
  const sink = batchSink(inner, { format: "json", rows: 2, bytes: 1_000, wait: 1_000 });
  for (const text of ['{\r\n"a": 1\n}', "2"])
    sink.write({ subject: "s", payload: Buffer.from(text), id: null, caused: 1 });
  expect(inner.messages.map(({ payload, id }) => [Buffer.from(payload).toString(), id])).toEqual([
    ['{  "a": 1 }\n2', null],
  ]);
  await sink.close();
});
