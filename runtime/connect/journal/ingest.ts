// The loop that puts what a source receives into a journal, made durable in groups. No engine and no code of the user's runs
// here, so that little can end it. Thin: what is kept and dropped is the source's queue's and the journal's business.

import { type Clock, sleep } from "../../clock.ts";
import { limits } from "../../limits.ts";
import type { Delivery, Source } from "../connect.ts";
import type { ConnectorLog } from "../connector-log.ts";
import type { JournalWriter } from "./journal-writer.ts";
import type { SequenceGaps } from "./sequence-gaps.ts";

export interface IngestOptions {
  readonly source: Source;
  readonly writer: JournalWriter;
  /** Where publishers number their records. */
  readonly gaps?: SequenceGaps | null;
  /** What lines begin with. */
  readonly name: string;
  readonly log: ConnectorLog;
  readonly clock: Clock;
}

/** What one read takes; the same as a reader of the journal takes at once. */
const wanted = { rows: limits.batch_rows_max, bytes: limits.batch_bytes_max };

export class Ingest {
  readonly #options: IngestOptions;
  /** Records that the journal had no room for. */
  #refused = 0;
  #stopping = false;
  #told = false;

  constructor(options: IngestOptions) {
    this.#options = options;
  }

  /** Runs until the source has ended, as it does once it was closed: then all that it had received is durable. */
  async run(): Promise<void> {
    const { source, writer } = this.#options;
    for (;;) {
      const first = await source.read({ ...wanted, wait_ms: 1_000, age_ms: limits.journal_group_ms });
      if (first === "end") break;
      if (first !== null) await this.#group(first);
      await writer.tidy();
    }
  }

  /** Takes no more; what was received is still written. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#options.source.close();
  }

  /** Writes what is there, up to a bound, and synchronises it once. */
  async #group(first: Delivery): Promise<void> {
    const { source, writer } = this.#options;
    let bytes = 0;
    for (let next: Delivery | null = first; next !== null; ) {
      await this.#write(next);
      bytes += next.payloads.bytes.length;
      if (bytes >= limits.journal_group_bytes_max) break;
      const more: Delivery | null | "end" = await source.read({ ...wanted, wait_ms: 0, age_ms: 0 });
      next = more === "end" ? null : more;
    }
    await writer.sync();
  }

  /** What was lost so far before it could be written. */
  #dropped(): Record<string, number> {
    const { source, gaps } = this.#options;
    const own = { journal_full: this.#refused, missing: gaps?.missing ?? 0 };
    return {
      ...source.stats().dropped,
      ...Object.fromEntries(Object.entries(own).filter(([, records]) => records > 0)),
    };
  }

  /** Waits for room on the disk, while the source's queue does what it does when it is full. */
  async #write({ payloads }: Delivery): Promise<void> {
    const { writer, gaps, clock, log, name } = this.#options;
    gaps?.note(payloads);
    for (;;) {
      const dropped = this.#dropped();
      const appended = await writer.append(payloads, dropped);
      if (appended === "written") {
        this.#told = false;
        return;
      }
      if (!this.#told) {
        const what =
          appended === "full" ? "the journal is full, so new records are dropped" : "the disk is full";
        log.warn(`${name}: ${what}; each record that is lost is counted`);
        this.#told = true;
      }
      if (appended === "full" || this.#stopping) {
        this.#refused += payloads.count;
        return;
      }
      await sleep(clock, limits.journal_room_ms);
    }
  }
}
