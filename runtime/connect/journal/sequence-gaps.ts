// Numbers that publishers put into their records, one after the other by subject: what is left out never came, and is counted.
// Looks for the field's name in the bytes and reads the digits behind it; a record without them says nothing. Pure.

import { type PayloadBatch } from "../../batch/payloads.ts";
import { limits } from "../../limits.ts";

const [zero, nine, space] = [48, 57, 32];

export class SequenceGaps {
  readonly #name: Buffer;
  /** By subject, the number that is to come. */
  readonly #next = new Map<string, number>();
  #missing = 0;

  /** `field`: of JSON records. */
  constructor(field: string) {
    this.#name = Buffer.from(`${JSON.stringify(field)}:`);
  }

  /** Numbers that were left out so far. */
  get missing(): number {
    return this.#missing;
  }

  /** Records that have come, in their order. */
  note(payloads: PayloadBatch): void {
    this.#each(payloads, (subject, number) => {
      const next = this.#next.get(subject);
      // One that begins anew counts from there.
      if (next !== undefined && number > next) this.#missing += number - next;
      this.#next.set(subject, number + 1);
    });
  }

  /** Records that had come before: what is left out between them was counted then. */
  recall(payloads: PayloadBatch): void {
    this.#each(payloads, (subject, number) => this.#next.set(subject, number + 1));
  }

  #each(payloads: PayloadBatch, found: (subject: string, number: number) => void): void {
    const { bytes, offsets, count, subject, subjects } = payloads;
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let row = 0; row < count; row++) {
      const name = subjects[subject[row]!]!;
      // Whoever makes up subjects without end is not kept account of.
      if (!this.#next.has(name) && this.#next.size >= limits.journal_publishers_max) continue;
      const number = this.#number(buffer.subarray(offsets[row], offsets[row + 1]));
      if (number !== null) found(name, number);
    }
  }

  #number(record: Buffer): number | null {
    const at = record.indexOf(this.#name);
    if (at < 0) return null;
    let place = at + this.#name.length;
    while (record[place] === space) place++;
    let number = 0;
    const first = place;
    for (; place < record.length && record[place]! >= zero && record[place]! <= nine; place++)
      number = number * 10 + record[place]! - zero;
    return place > first && Number.isSafeInteger(number) ? number : null;
  }
}
