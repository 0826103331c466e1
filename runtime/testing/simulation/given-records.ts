// Which records count: what a runner was given, life after life, without what a later life was given again because it was not
// committed. Told by watching what runners are fed and where lives go on.

import { payloadAt, type PayloadBatch } from "../../batch/payloads.ts";
import type { Plain } from "../../state/plain.ts";
import type { Given } from "./expected-rows.ts";
import type { InputRecord } from "./workload.ts";

/** One batch that a runner was fed. */
interface Feed {
  readonly source: number;
  /** Up to where its source was read then. */
  readonly position: Plain;
  readonly records: readonly InputRecord[];
}

const decoder = new TextDecoder();

export class GivenRecords {
  #feeds: Feed[] = [];

  /** A copy, for a state that is copied. */
  copy(): GivenRecords {
    const copy = new GivenRecords();
    copy.#feeds = [...this.#feeds];
    return copy;
  }

  fed(source: number, payloads: PayloadBatch, position: Plain): void {
    const records: InputRecord[] = [];
    for (let row = 0; row < payloads.count; row++)
      records.push(JSON.parse(decoder.decode(payloadAt(payloads, row))) as InputRecord);
    this.#feeds.push({ source, position, records });
  }

  /**
   * A life goes on behind these positions, one by source: what was fed after them did not happen. Answers what is wrong
   * with the positions, or null: together they must be one moment of what was fed.
   */
  resume(positions: readonly Plain[]): string | null {
    const ends = positions.map((position, source) => {
      if (position === null) return -1;
      const wanted = JSON.stringify(position);
      return this.#feeds.findLastIndex(
        (feed) => feed.source === source && JSON.stringify(feed.position) === wanted,
      );
    });
    for (const [source, position] of positions.entries()) {
      if (position !== null && ends[source] === -1)
        return `source ${source} goes on at ${JSON.stringify(position)}, up to which nothing was fed`;
    }
    const kept = this.#feeds.filter((feed, place) => place <= (ends[feed.source] ?? -1));
    const isMoment = kept.every((feed, place) => feed === this.#feeds[place]);
    this.#feeds = kept;
    return isMoment ? null : "the positions of the sources are not of one moment";
  }

  /** All that counts, in the order in which it was fed. */
  get records(): readonly Given[] {
    return this.#feeds.flatMap(({ source, records }) => records.map((record) => ({ source, record })));
  }
}
