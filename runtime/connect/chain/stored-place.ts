// Where a chain stands in a stream that others may write as well, and whether the stream lost some of it. Nobody can tell
// there which rows are gone, so all that is kept is sent again; until that is done the place says so, so that a second fault, or
// a start in between, does not take a half-healed stream for a whole one.

import type { ChainIdentity, Place } from "./chain.ts";
import { markOf } from "./publication.ts";
import type { StreamFacts, StreamPort } from "./stream-port.ts";

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
  /** The last message of the chain itself; null where there is none that is known. */
  #own: { readonly sequence: number; readonly number: number } | null;
  /** A loss that an answer showed. */
  #isShorter = false;
  /** The number that was confirmed when a loss was found; null when nothing is to be healed. */
  #healing: number | null;

  constructor(place: Place | null) {
    this.#place = place;
    this.#created = place?.created ?? null;
    this.#highest = place?.sequence ?? 0;
    this.#healing = place?.healing === true ? place.number : null;
    const { ownSequence: sequence, ownNumber: number } = place ?? {};
    this.#own = sequence === undefined || number === undefined ? null : { sequence, number };
  }

  get place(): Place | null {
    return this.#place;
  }

  /** What the stream is known to have reached now: whatever is published from here on is stored above it. */
  get highest(): number {
    return this.#highest;
  }

  /**
   * True where another message stands in the place of the last one of the chain `id`. What a stream loses is its end, so that its
   * last one is among it wherever any was; and where others write, it may be as long again as it was.
   */
  async isReplaced(port: StreamPort, { id }: ChainIdentity): Promise<boolean> {
    const own = this.#own;
    const message = own === null ? null : await port.read(own.sequence);
    // Where there is none, it was removed, or the stream is shorter.
    return message !== null && markOf(message, id)?.number !== own?.number;
  }

  /** Looks at the stream when the chain is attached, `confirmed` being settled. `isReplaced`: what was said of it. */
  begin({ created, last, retention }: StreamFacts, confirmed: number, isReplaced: boolean): Standing {
    // What is gone from a queue was consumed.
    const isLost =
      retention === "limits" &&
      this.#created !== null &&
      (this.#created !== created || last < this.#highest || isReplaced || this.#isShorter);
    this.#isShorter = false;
    if (isLost) this.#own = null;
    this.#created = created;
    this.#highest = last;
    if (isLost) this.#healing = Math.max(this.#healing ?? 0, confirmed);
    this.#note(created, confirmed);
    if (isLost) return "lost";
    return this.#healing === null ? "whole" : "healing";
  }

  /** True where a message that was stored at `sequence` is not above what the stream had reached before it was published. */
  isShorter(sequence: number, before: number): boolean {
    this.#isShorter ||= sequence <= before;
    return this.#isShorter;
  }

  /** The entry `own` was stored at `sequence`; all entries up to `number` are stored. */
  note(sequence: number, own: number, number: number): void {
    this.#highest = Math.max(this.#highest, sequence);
    if (this.#own === null || sequence > this.#own.sequence) this.#own = { sequence, number: own };
    const created = this.#created;
    if (created === null) return;
    if (this.#healing !== null && number >= this.#healing) this.#healing = null;
    this.#note(created, number);
  }

  #note(created: string, number: number): void {
    const own = this.#own === null ? {} : { ownSequence: this.#own.sequence, ownNumber: this.#own.number };
    const place = { created, sequence: this.#highest, ...own };
    this.#place =
      this.#healing === null ? { ...place, number } : { ...place, number: this.#healing, healing: true };
  }
}
