// What rows of a chain take on the wire where many of them go in one message, and messages are packed. That is known only once a message
// is written: until then it is taken for as much as messages before it took of what their rows would have, each by itself. Never knows a
// budget.

import { limits } from "../../limits.ts";

/** A row that was taken and is not known to be written. */
interface Taken {
  readonly number: number;
  /** As a message of its own. */
  readonly alone: number;
  /** What it was taken for. */
  readonly spent: number;
}

export class WireAccount {
  #share = 1;
  #taken: Taken[] = [];
  /** Whoever sends says what it writes. */
  #isTold = false;

  /** What rows are taken for that would take so many bytes, each in a message of its own. */
  estimate(alone: number): number {
    return Math.ceil(alone * this.#share);
  }

  take(number: number, alone: number): number {
    const spent = this.estimate(alone);
    this.#taken.push({ number, alone, spent });
    return spent;
  }

  /** A message with all up to `number` took so many bytes. What more that is than they were taken for; less than 0 where it is less. */
  wrote(number: number, bytes: number): number {
    this.#isTold = true;
    const { alone, spent } = this.#leave(number);
    if (alone === 0) return 0;
    const weight = alone / (alone + limits.uplink_share_bytes);
    this.#share += (bytes / alone - this.#share) * weight;
    return bytes - spent;
  }

  /** Nothing is to be told of them any more. */
  confirmed(number: number): void {
    this.#leave(number);
  }

  /** Those that were not written are taken anew: what they were taken for. */
  rewound(): number {
    const { spent } = this.#leave(Number.POSITIVE_INFINITY);
    return this.#isTold ? spent : 0;
  }

  #leave(number: number): { readonly alone: number; readonly spent: number } {
    let [count, alone, spent] = [0, 0, 0];
    for (const row of this.#taken) {
      if (row.number > number) break;
      count++;
      alone += row.alone;
      spent += row.spent;
    }
    this.#taken.splice(0, count);
    return { alone, spent };
  }
}
