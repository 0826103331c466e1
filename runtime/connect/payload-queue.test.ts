// The queue against a plain list: whatever is added, dropped and read, nothing is lost uncounted.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { payloadAt } from "../batch/payloads.ts";
import { VirtualClock } from "../clock.ts";
import { PayloadQueue, type Overflow } from "./payload-queue.ts";

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

async function readNow(queue: PayloadQueue, rows: number, bytes: number): Promise<string[] | null | "end"> {
  const batch = await queue.read({ rows, bytes, wait_ms: 0, age_ms: 0 });
  if (batch === null || batch === "end") return batch;
  expect(batch.offsets[0]).toBe(0);
  return Array.from({ length: batch.count }, (_, row) => {
    expect(batch.subjects[batch.subject[row]!]).toBe(`s${text(payloadAt(batch, row)).length % 3}`);
    return text(payloadAt(batch, row));
  });
}

/** What the queue must do, as simply as it can be said. */
class Model {
  waiting: string[] = [];
  dropped = 0;
  readonly #overflow: Overflow;
  constructor(overflow: Overflow) {
    this.#overflow = overflow;
  }
  add(payload: string, messagesMax: number, bytesMax: number): void {
    const size = (): number => this.waiting.join("").length;
    while (
      this.waiting.length > 0 &&
      (this.waiting.length >= messagesMax || size() + payload.length > bytesMax)
    ) {
      this.dropped++;
      if (this.#overflow === "drop_newest") return;
      this.waiting.shift();
    }
    this.waiting.push(payload);
  }
}

describe.each(["drop_oldest", "drop_newest"] as const)("a queue that %ss", (overflow) => {
  it("is a bounded list: same order, same drops, same counts", async () => {
    // Alone, or gathered from bytes that it shares with its neighbours.
    const adding = fc.record({ size: fc.integer({ min: 0, max: 40 }), gathered: fc.boolean() });
    const reading = fc.record({
      rows: fc.integer({ min: 1, max: 9 }),
      bytes: fc.integer({ min: 1, max: 99 }),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(adding, adding, adding, reading), { maxLength: 200 }),
        async (steps) => {
          const bounds = { messagesMax: 10, bytesMax: 120 };
          const queue = new PayloadQueue({ ...bounds, overflow, clock: new VirtualClock() });
          const model = new Model(overflow);
          let number = 0;
          let together: string[] = [];
          const settle = (): void => {
            const bytes = Buffer.from(together.join("|"));
            let start = 0;
            for (const payload of together) {
              queue.gather(bytes, start, start + payload.length, `s${payload.length % 3}`, 1);
              start += payload.length + 1;
            }
            queue.settle();
            together = [];
          };
          for (const step of steps) {
            if ("size" in step) {
              const payload = String(number++).padEnd(step.size, ".");
              if (step.gathered) together.push(payload);
              else {
                settle();
                queue.add(Buffer.from(payload), `s${payload.length % 3}`, 1);
              }
              model.add(payload, bounds.messagesMax, bounds.bytesMax);
              if (step.gathered) continue;
            } else {
              settle();
              const got = await readNow(queue, step.rows, step.bytes);
              if (got === null || got === "end") expect(model.waiting).toEqual([]);
              else {
                expect(got).toEqual(model.waiting.splice(0, got.length));
                expect(got.length).toBeLessThanOrEqual(step.rows);
                if (got.length > 1) expect(got.join("").length).toBeLessThanOrEqual(step.bytes);
              }
            }
            expect(queue.messages).toBe(model.waiting.length);
            expect(queue.bytes).toBe(model.waiting.join("").length);
            expect(queue.dropped).toBe(model.dropped);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe("waiting", () => {
  const make = () => {
    const clock = new VirtualClock();
    const options = { messagesMax: 100, bytesMax: 1000, overflow: "drop_newest", clock } as const;
    return { clock, queue: new PayloadQueue(options) };
  };

  it("answers null after wait_ms, and what came after age_ms", async () => {
    const { clock, queue } = make();
    const nothing = queue.read({ rows: 10, bytes: 100, wait_ms: 50, age_ms: 5 });
    clock.advanceTo(50);
    expect(await nothing).toBeNull();
    const something = queue.read({ rows: 10, bytes: 100, wait_ms: 50, age_ms: 5 });
    queue.add(Buffer.from("a"), "s", 1);
    await Promise.resolve();
    queue.add(Buffer.from("b"), "s", 1);
    // The wait for more begins once the first is there.
    await new Promise(setImmediate);
    clock.advanceTo(clock.now() + 5);
    expect(await something).toMatchObject({ count: 2 });
  });

  it("waits no longer for what came while the reader was away", async () => {
    const { clock, queue } = make();
    const limits = { rows: 10, bytes: 100, wait_ms: 0, age_ms: 5 };
    queue.add(Buffer.from("a"), "s", 1);
    clock.advanceTo(3);
    const young = queue.read(limits);
    clock.advanceTo(4);
    queue.add(Buffer.from("b"), "s", 1);
    clock.advanceTo(5);
    expect(await young).toMatchObject({ count: 2 });
    queue.add(Buffer.from("c"), "s", 1);
    clock.advanceTo(10);
    expect(await queue.read(limits)).toMatchObject({ count: 1 });
  });

  it("answers at once when a batch is full, and ends after the last", async () => {
    const { queue } = make();
    const full = queue.read({ rows: 2, bytes: 100, wait_ms: 50, age_ms: 1e9 });
    queue.add(Buffer.from("a"), "s", 1);
    await new Promise(setImmediate);
    queue.add(Buffer.from("b"), "s", 1);
    expect(await full).toMatchObject({ count: 2 });
    queue.add(Buffer.from("c"), "s", 1);
    queue.end();
    expect(queue.add(Buffer.from("d"), "s", 1)).toBe(false);
    expect(await queue.read({ rows: 2, bytes: 100, wait_ms: 1e9, age_ms: 1e9 })).toMatchObject({ count: 1 });
    expect(await queue.read({ rows: 2, bytes: 100, wait_ms: 1e9, age_ms: 1e9 })).toBe("end");
  });
});
