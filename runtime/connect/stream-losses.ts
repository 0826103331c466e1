// What a stream lost before it was read, by reason: counted exactly where that can be known, and said in one line. Decides
// nothing about where reading goes on.

import type { ConnectorLog } from "./connector-log.ts";
import type { StreamEvent } from "./stream-resume.ts";

function sentence(event: StreamEvent, isWhole: boolean, unread: number): string {
  const some = (records: number): string => `${isWhole ? "" : "at most "}${records} messages`;
  switch (event.kind) {
    case "recreated":
      return `the stream was made anew; reading it from its start${unread > 0 ? `, without ${unread} messages that were not read of the old one` : ""}`;
    case "regressed":
      return `the stream lost its end: the last ${event.records} messages that were read are not in it any more, and their numbers are given anew; going on with what was stored since`;
    case "gap":
      return `${some(event.records)} were gone before they were read: the stream dropped them by age, number or size, or somebody deleted or purged them`;
    case "purged":
      return `${some(event.records)} were gone before they were read: the stream was emptied`;
  }
}

export class StreamLosses {
  readonly #log: ConnectorLog;
  readonly #name: string;
  readonly #counts: Record<string, number> = {};
  /** Said once until all was read, however often it happens. */
  #gapTold = false;

  /** `name` is what lines begin with. */
  constructor(log: ConnectorLog, name: string) {
    this.#log = log;
    this.#name = name;
  }

  /** `isWhole`: every number of the stream is a message for this source. `unread`: messages that are known to have waited. */
  tell(event: StreamEvent, isWhole: boolean, unread = 0): void {
    const isBound = !isWhole && (event.kind === "gap" || event.kind === "purged");
    // A subject filter leaves numbers out, so that only a bound is known.
    this.count(
      isBound ? `${event.kind}_at_most` : event.kind,
      event.kind === "recreated" ? unread : event.records,
    );
    if (event.kind === "gap" && this.#gapTold) return;
    if (event.kind === "gap") this.#gapTold = true;
    this.#log.warn(`${this.#name}: ${sentence(event, isWhole, unread)}`);
  }

  /** `unread`: what waited in the stream before, if it is another one now. */
  tellAll(events: readonly StreamEvent[], gaps: boolean, isWhole: boolean, unread: number): void {
    for (const event of events)
      if (gaps || (event.kind !== "gap" && event.kind !== "purged"))
        this.tell(event, isWhole, event.kind === "recreated" ? unread : 0);
  }

  count(reason: string, records: number): void {
    this.#counts[reason] = (this.#counts[reason] ?? 0) + records;
  }

  /** Nothing waits at the stream: another gap is said again. */
  caughtUp(): void {
    this.#gapTold = false;
  }

  /** By reason, those that never came. */
  get counts(): Readonly<Record<string, number>> {
    return { ...this.#counts };
  }
}
