// How many rows a window step sends in one call of the engine's: after a silence thousands of windows may be
// due at once, and what is sent has to find room before more is. Counts only.

/** The rest is for the next call. */
export class Allowance {
  readonly #rows: number;
  #left: number;

  constructor(rows: number) {
    this.#rows = rows;
    this.#left = rows;
  }

  /** A call of the engine's begins. */
  begin(): void {
    this.#left = this.#rows;
  }

  /** All that is due now is sent, however much; nothing more of this call is, once it is spent behind that. */
  lift(): void {
    this.#left = Number.POSITIVE_INFINITY;
  }

  spend(): void {
    this.#left = 0;
  }

  take(rows: number): void {
    this.#left -= rows;
  }

  get isSpent(): boolean {
    return this.#left <= 0;
  }
}
