// The bounded queue between a source that cannot be told to wait and the reader: payloads are copied once,
// straight into the batch that will be read. A full queue drops by its declared policy and counts each
// drop. Knows nothing of where payloads come from, and keeps no clock of its own.

import {
  copyOfPayloads,
  endOfPart,
  PayloadBuilder,
  type PayloadBatch,
  RecordList,
  type Records,
} from "../batch/payloads.ts";
import type { Clock } from "../clock.ts";
import type { ReadLimits } from "./connect.ts";
import { FairTurn } from "./fair-turn.ts";

export type Overflow = "drop_oldest" | "drop_newest";

export interface QueueOptions {
  readonly messagesMax: number;
  readonly bytesMax: number;
  readonly overflow: Overflow;
  readonly clock: Clock;
}

/** A builder with how many of its payloads are gone from its front, read or dropped. */
interface Segment {
  readonly builder: PayloadBuilder;
  from: number;
}

/** A reader that waits. */
interface Waiter {
  readonly rows: number;
  readonly bytes: number;
  wake(): void;
}

export class PayloadQueue {
  readonly #options: QueueOptions;
  /** The oldest first; the last one is being written. */
  readonly #segments: Segment[] = [];
  #spare: PayloadBuilder[] = [];
  /** What the reader still looks at. */
  #lent: PayloadBuilder | null = null;
  /** Neighbours of one subject that arrived together and were not taken yet. */
  readonly #run = new RecordList();
  #runSubject = "";
  #runArrived = 0;
  #messages = 0;
  #bytes = 0;
  /** When the first of those that wait came, by the queue's clock: `arrived` may be another's. */
  #since = 0;
  #dropped = 0;
  #ended = false;
  #waiter: Waiter | null = null;
  readonly #turn = new FairTurn();

  constructor(options: QueueOptions) {
    this.#options = options;
  }

  get messages(): number {
    return this.#messages;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get dropped(): number {
    return this.#dropped;
  }

  /** Takes a copy of the payload. False when it was dropped. */
  add(payload: Uint8Array, subject: string, arrived: number): boolean {
    if (!this.#makeRoom(1, payload.length)) return false;
    this.#segmentFor(payload.length).builder.add(payload, subject, arrived);
    if (this.#messages++ === 0) this.#since = this.#options.clock.now();
    this.#bytes += payload.length;
    this.#wake();
    return true;
  }

  /** Takes a copy of the records of one message, all or none. False when they were dropped. */
  addRecords(records: Records, subject: string, arrived: number): boolean {
    const { starts, ends, count } = records;
    if (count === 0) return true;
    if (!this.#makeRoom(count, ends[count - 1]! - starts[0]!)) return false;
    for (let next = 0; next < count; ) {
      const { builder } = this.#segmentFor(ends[next]! - starts[next]!);
      const before = builder.size;
      next = builder.addRecords(records, next, subject, arrived);
      this.#bytes += builder.size - before;
    }
    if (this.#messages === 0) this.#since = this.#options.clock.now();
    this.#messages += count;
    this.#wake();
    return true;
  }

  /** Takes a copy of the payload `bytes[start … end)` together with its neighbours in the same bytes, by `settle` at the latest. */
  gather(bytes: Uint8Array, start: number, end: number, subject: string, arrived: number): void {
    const run = this.#run;
    if (bytes !== run.bytes || subject !== this.#runSubject || arrived !== this.#runArrived) this.settle();
    if (run.count === 0) {
      run.begin(bytes);
      this.#runSubject = subject;
      this.#runArrived = arrived;
    }
    run.add(start, end);
  }

  /** Takes what was gathered: at once where there is room for all, else one after the other. To be called before the bytes change. */
  settle(): void {
    const run = this.#run;
    const { bytes, starts, ends, count } = run;
    if (count === 0) return;
    run.count = 0;
    if (count > 1 && this.#hasRoom(count, ends[count - 1]! - starts[0]!)) {
      this.addRecords({ bytes, starts, ends, count }, this.#runSubject, this.#runArrived);
    } else {
      for (let i = 0; i < count; i++)
        this.add(bytes.subarray(starts[i], ends[i]), this.#runSubject, this.#runArrived);
    }
  }

  /** No more payloads will come: what is there can still be read. */
  end(): void {
    this.#ended = true;
    this.#waiter?.wake();
  }

  /** Forgets everything that waits, as a source does that starts again. */
  clear(): void {
    while (this.#segments.length > 0) this.#retire(this.#segments.shift()!);
    this.#messages = 0;
    this.#bytes = 0;
  }

  /** The next payloads; null when none came in time; "end" after the last. One reader at a time. */
  async read(limits: ReadLimits): Promise<PayloadBatch | null | "end"> {
    this.#release();
    if (this.#messages === 0 && !this.#ended && limits.wait_ms > 0) {
      await this.#wait({ rows: 1, bytes: 1 }, limits.wait_ms);
    }
    if (this.#messages === 0) return this.#ended ? "end" : null;
    // What came while the batch before was handled has waited already.
    const left_ms = limits.age_ms - Math.max(0, this.#options.clock.now() - this.#since);
    if (!this.#isFull(limits) && !this.#ended && left_ms > 0) await this.#wait(limits, left_ms);
    else if (this.#turn.isOver) await this.#turn.end();
    // Drops may have emptied a segment, and `clear` all of them.
    return this.#messages === 0 ? null : this.#take(limits);
  }

  /** True when a read need not wait for more. */
  #isFull(limits: { readonly rows: number; readonly bytes: number }): boolean {
    return this.#segments.length > 1 || this.#messages >= limits.rows || this.#bytes >= limits.bytes;
  }

  async #wait(limits: { readonly rows: number; readonly bytes: number }, ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiter = { rows: limits.rows, bytes: limits.bytes, wake: resolve };
    const cancel = this.#options.clock.after(ms, resolve);
    await promise;
    cancel();
    this.#waiter = null;
  }

  #take(limits: ReadLimits): PayloadBatch {
    const segment = this.#segments[0]!;
    const { builder } = segment;
    const view = builder.view();
    const to = endOfPart(view, segment.from, limits);
    const whole = segment.from === 0 && to === view.count;
    const batch = whole ? view : copyOfPayloads(view, segment.from, to);
    this.#messages -= to - segment.from;
    this.#bytes -= view.offsets[to]! - view.offsets[segment.from]!;
    segment.from = to;
    // A segment that is only partly read goes on being written; its bytes may then move, so a part is a copy.
    if (to === view.count) {
      this.#segments.shift();
      this.#lent = builder;
    }
    return batch;
  }

  #segmentFor(length: number): Segment {
    let last = this.#segments.at(-1);
    if (last === undefined || !last.builder.fits(length)) {
      last = { builder: this.#spare.pop() ?? new PayloadBuilder(), from: 0 };
      this.#segments.push(last);
    }
    return last;
  }

  #wake(): void {
    const waiter = this.#waiter;
    if (waiter !== null && this.#isFull(waiter)) waiter.wake();
  }

  #hasRoom(count: number, length: number): boolean {
    const { messagesMax, bytesMax } = this.#options;
    return this.#messages + count <= messagesMax && this.#bytes + length <= bytesMax;
  }

  /** False when `count` payloads of `length` bytes together cannot be taken; then they are counted as dropped. */
  #makeRoom(count: number, length: number): boolean {
    if (this.#ended) return false;
    while (this.#messages > 0 && !this.#hasRoom(count, length)) {
      if (this.#options.overflow === "drop_newest") {
        this.#dropped += count;
        return false;
      }
      this.#dropOldest();
    }
    return true;
  }

  #dropOldest(): void {
    const segment = this.#segments[0]!;
    const { offsets, count } = segment.builder.view();
    this.#bytes -= offsets[segment.from + 1]! - offsets[segment.from]!;
    this.#messages--;
    this.#dropped++;
    segment.from++;
    if (segment.from === count) this.#retire(this.#segments.shift()!);
  }

  #release(): void {
    if (this.#lent === null) return;
    this.#lent.reset();
    if (this.#spare.length < 2) this.#spare.push(this.#lent);
    this.#lent = null;
  }

  #retire(segment: Segment): void {
    segment.builder.reset();
    if (this.#spare.length < 2) this.#spare.push(segment.builder);
  }
}
