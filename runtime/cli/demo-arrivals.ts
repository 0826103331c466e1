// Which rows have come back from the cloud: each row once and none left out, and how long they took.
// Pure counting; reads from nowhere.

import { limits } from "../limits.ts";

/** The numbers of one branch's rows, which count from 0. Rows may overtake each other a little. */
export class Arrivals {
  #next = 0;
  #missing = 0;
  #repeated = 0;
  #read = 0;
  readonly #ahead = new Set<number>();

  note(number: number): void {
    if (number < this.#next || this.#ahead.has(number)) {
      this.#repeated++;
      return;
    }
    this.#read++;
    this.#ahead.add(number);
    if (this.#ahead.size > limits.demo_rows_ahead_max) {
      const first = Math.min(...this.#ahead);
      this.#missing += first - this.#next;
      this.#next = first;
    }
    while (this.#ahead.delete(this.#next)) this.#next++;
  }

  /** Different rows. */
  get read(): number {
    return this.#read;
  }

  get repeated(): number {
    return this.#repeated;
  }

  /** Rows that are not there though a later one is. */
  get missing(): number {
    if (this.#ahead.size === 0) return this.#missing;
    return this.#missing + Math.max(...this.#ahead) + 1 - this.#next - this.#ahead.size;
  }
}

/** The latest latencies, and their percentiles. */
export class Latencies {
  readonly #values: number[] = [];
  #place = 0;

  add(ms: number): void {
    this.#values[this.#place] = ms;
    this.#place = (this.#place + 1) % limits.demo_latencies_max;
  }

  /** The smallest value that `share` of them do not exceed; null when there is none. */
  percentile(share: number): number | null {
    if (this.#values.length === 0) return null;
    const sorted = Float64Array.from(this.#values).sort();
    return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)]!;
  }
}

/** A row's id in its parts: `<pipeline>.<branch>.<identity>.<number>`. */
export interface RowId {
  /** `<pipeline>.<branch>`. */
  readonly branch: string;
  readonly number: number;
}

/** Null when it is not an id of the run with that identity. */
export function parseRowId(id: string, identity: string): RowId | null {
  const match = /^(.+)\.([^.]+)\.(\d+)$/.exec(id);
  if (match === null || match[2] !== identity) return null;
  return { branch: match[1]!, number: Number(match[3]) };
}
