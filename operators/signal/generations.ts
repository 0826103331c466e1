// Two tables with the same keys, of which one is in use: so that what has expired is forgotten without a
// look at each key. The other is filled beside it from some moment on, and takes its place once all that
// came before that moment has expired. Knows nothing of what is kept of a key.

import type { KeyedTable, ValueDeclaration, ValueTable } from "weir/sdk";
import { table } from "weir/sdk";

/** Keys remembered before the forgetting of old ones begins. */
export const keysBeforeForgetting = 16_384;

/** The table beside them: which is in use, when it may be changed for the other (NaN: that is not being filled), the latest expiry. */
export const generationsTurn: ValueDeclaration = table.values([0, Number.NaN, Number.NEGATIVE_INFINITY]);

export class Generations {
  readonly #tables: readonly [KeyedTable, KeyedTable];
  readonly #turn: Float64Array;

  constructor(one: KeyedTable, other: KeyedTable, turn: ValueTable) {
    this.#tables = [one, other];
    this.#turn = turn.values;
  }

  get current(): KeyedTable {
    return this.#tables[this.#turn[0] as 0 | 1];
  }

  /** The other table while it is being filled: what is noted in the current one is to be noted there as well. */
  get next(): KeyedTable | null {
    return Number.isNaN(this.#turn[1]!) ? null : this.#tables[(1 - this.#turn[0]!) as 0 | 1];
  }

  /** Something was noted that expires then. */
  note(expiry: number): void {
    if (expiry > this.#turn[2]!) this.#turn[2] = expiry;
  }

  /** Event time has come this far. */
  forget(watermark: number): void {
    const [which, changeAt, newest] = this.#turn as unknown as readonly [number, number, number];
    const { current } = this;
    if (changeAt <= watermark) {
      this.#turn[0] = 1 - which;
      this.#turn[1] = Number.NaN;
      current.clear();
    } else if (Number.isNaN(changeAt) && current.keys.size > keysBeforeForgetting) this.#turn[1] = newest;
  }
}
