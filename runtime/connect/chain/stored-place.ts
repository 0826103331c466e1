// Where a chain stands in a stream that others may write as well, and whether the stream lost some of it. Nobody can tell
// there which rows are gone, so all that is kept is sent again; until that is done the place says so, so that a second fault, or
// a start in between, does not take a half-healed stream for a whole one.

import type { Place } from "./chain.ts";
import type { StreamFacts } from "./stream-port.ts";

/** What became of a stream since it was looked at last. */
export type Standing =
  /** Nothing was lost, or all that was is there again. */
  | "whole"
  /** Something was lost since. */
  | "lost"
  /** What was lost before is not there again yet. */
  | "healing";

export class StoredPlace {
  /** To be written down. */
  #place: Place | null;
  /** The stream as it was seen last, and the highest sequence that it is known to have reached. */
  #created: string | null;
  #highest: number;
  /** A loss that an answer showed. */
  #isShorter = false;
  /** The number that was confirmed when a loss was found; null when nothing is to be healed. */
  #healing: number | null;

  constructor(place: Place | null) {
    this.#place = place;
    this.#created = place?.created ?? null;
    this.#highest = place?.sequence ?? 0;
    this.#healing = place?.healing === true ? place.number : null;
  }

  get place(): Place | null {
    return this.#place;
  }

  /** What the stream is known to have reached now: whatever is published from here on is stored above it. */
  get highest(): number {
    return this.#highest;
  }

  /** Looks at the stream when the chain is attached, `confirmed` being settled. */
  begin({ created, last, retention }: StreamFacts, confirmed: number): Standing {
    // What is gone from a queue was consumed.
    const isLost =
      retention === "limits" &&
      this.#created !== null &&
      (this.#created !== created || last < this.#highest || this.#isShorter);
    this.#isShorter = false;
    this.#created = created;
    this.#highest = last;
    if (isLost) this.#healing = Math.max(this.#healing ?? 0, confirmed);
    this.#place =
      this.#healing === null
        ? { created, sequence: last, number: confirmed }
        : { created, sequence: last, number: this.#healing, healing: true };
    if (isLost) return "lost";
    return this.#healing === null ? "whole" : "healing";
  }

  /** True where a message that was stored at `sequence` is not above what the stream had reached before it was published. */
  isShorter(sequence: number, before: number): boolean {
    this.#isShorter ||= sequence <= before;
    return this.#isShorter;
  }

  /** A message was stored at `sequence`; all entries up to `number` are stored. */
  note(sequence: number, number: number): void {
    this.#highest = Math.max(this.#highest, sequence);
    const created = this.#created;
    if (created === null) return;
    if (this.#healing !== null && number >= this.#healing) this.#healing = null;
    this.#place =
      this.#healing === null
        ? { created, sequence: this.#highest, number }
        : { created, sequence: this.#highest, number: this.#healing, healing: true };
  }
}
