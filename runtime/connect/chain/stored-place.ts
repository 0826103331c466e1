// Where a chain stands in a stream that others may write as well, and whether the stream lost some of it. Nobody can tell
// there which rows are gone, so all that is kept is sent again; until that is done the old place stays, so that a second fault,
// or a start in between, does not take a half-healed stream for a whole one.

import type { Place } from "./chain.ts";
import type { StreamFacts } from "./stream-port.ts";

export class StoredPlace {
  #place: Place | null;
  #created = "";
  /** The highest sequence that the stream is known to have reached. */
  #highest = 0;
  /** The number that was confirmed when the loss was found; null when nothing is to be healed. */
  #healing: number | null = null;

  constructor(place: Place | null) {
    this.#place = place;
  }

  get place(): Place | null {
    return this.#place;
  }

  /** Looks at the stream when the chain is attached, `confirmed` being settled. True where it lost what it had confirmed. */
  begin({ created, last, retention }: StreamFacts, confirmed: number): boolean {
    const place = this.#place;
    const isLost = place !== null && (place.created !== created || last < place.sequence);
    // What is gone from a queue was consumed.
    if (isLost && retention === "limits") this.#healing ??= confirmed;
    this.#created = created;
    this.#highest = last;
    if (this.#healing === null) this.#place = { created, sequence: last, number: confirmed };
    return this.#healing !== null;
  }

  /** A message was stored at `sequence`; all entries up to `number` are stored. */
  note(sequence: number, number: number): void {
    this.#highest = Math.max(this.#highest, sequence);
    if (this.#healing !== null && number < this.#healing) return;
    this.#healing = null;
    this.#place = { created: this.#created, sequence: this.#highest, number };
  }
}
