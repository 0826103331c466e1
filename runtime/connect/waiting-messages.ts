// Messages of a stream whose records wait to be read, oldest first: a ring of numbers. Tells which messages a read has
// done with; knows nothing of payloads, and acknowledges nothing.

import type { Delivered } from "./jetstream-delivered.ts";

/** A message whose records were all read. `deliveries` is 0 once its consumer was replaced. */
export interface DoneMessage extends Delivered {
  /** By what it is settled. */
  ordinal: number;
  /** Of which make of the stream it is. */
  epoch: number;
}

/** Numbers of one message: those of `DoneMessage` and how many of its records are unread. */
const width = 9;

export class WaitingMessages {
  #numbers = new Float64Array(1_024 * width);
  #head = 0;
  #count = 0;
  /** Records of the oldest message that were read. */
  #read = 0;
  readonly #done: DoneMessage = {
    streamSequence: 0,
    deliverySequence: 0,
    deliveries: 0,
    stored: 0,
    stored_ns: 0,
    pending: 0,
    ordinal: 0,
    epoch: 0,
  };

  get count(): number {
    return this.#count;
  }

  /** A message with so many records has come. */
  add(delivered: Delivered, ordinal: number, epoch: number, records: number): void {
    if (this.#count * width === this.#numbers.length) this.#grow();
    const numbers = this.#numbers;
    const at = this.#place(this.#count++);
    numbers[at] = delivered.streamSequence;
    numbers[at + 1] = delivered.deliverySequence;
    numbers[at + 2] = delivered.deliveries;
    numbers[at + 3] = delivered.stored;
    numbers[at + 4] = delivered.stored_ns;
    numbers[at + 5] = delivered.pending;
    numbers[at + 6] = ordinal;
    numbers[at + 7] = epoch;
    numbers[at + 8] = records;
  }

  /** So many records were read: tells `done` of each message that is done now, or of the last of them alone. */
  take(records: number, each: boolean, done: (message: DoneMessage) => void): void {
    const numbers = this.#numbers;
    let left = records;
    let last = -1;
    while (this.#count > 0 && numbers[this.#head + 8]! <= left) {
      last = this.#head;
      left -= numbers[last + 8]!;
      if (each) done(this.#message(last));
      this.#head = (last + width) % numbers.length;
      this.#count--;
      this.#read = 0;
    }
    if (this.#count > 0) numbers[this.#head + 8]! -= left;
    this.#read += left;
    if (!each && last >= 0) done(this.#message(last));
  }

  /** The message of which some records were read, and how many; null where there is none. Valid during the call. */
  get part(): { readonly message: Delivered; readonly read: number } | null {
    return this.#read === 0 ? null : { message: this.#message(this.#head), read: this.#read };
  }

  /** The consumer was replaced: what waits has no reply that its successor understands. */
  orphan(): void {
    for (let i = 0; i < this.#count; i++) this.#numbers[this.#place(i) + 2] = 0;
  }

  #place(message: number): number {
    return (this.#head + message * width) % this.#numbers.length;
  }

  #grow(): void {
    const numbers = new Float64Array(this.#numbers.length * 2);
    const old = this.#numbers;
    numbers.set(old.subarray(this.#head));
    numbers.set(old.subarray(0, this.#head), old.length - this.#head);
    this.#numbers = numbers;
    this.#head = 0;
  }

  #message(at: number): DoneMessage {
    const numbers = this.#numbers;
    const done = this.#done;
    done.streamSequence = numbers[at]!;
    done.deliverySequence = numbers[at + 1]!;
    done.deliveries = numbers[at + 2]!;
    done.stored = numbers[at + 3]!;
    done.stored_ns = numbers[at + 4]!;
    done.pending = numbers[at + 5]!;
    done.ordinal = numbers[at + 6]!;
    done.epoch = numbers[at + 7]!;
    return done;
  }
}
