// Records from a journal that an ingest process writes beside this one: what core NATS sent is read from the disk, so that an
// end of this process, however sudden, loses none of it. Segments before the committed one are removed.

import { copyOfPayloads, endOfPart } from "../../batch/payloads.ts";
import { sleep, wallClock, type Clock } from "../../clock.ts";
import { limits } from "../../limits.ts";
import type { Disk } from "../../state/log/disk.ts";
import { isMap, member, numberOf, type Plain, textOf, wholeOf } from "../../state/plain.ts";
import type { Delivery, ReadLimits, Source, SourceStats } from "../connect.ts";
import type { ConnectorLog } from "../connector-log.ts";
import type { DroppedSoFar } from "./journal-frame.ts";
import { segmentName, segmentsOf } from "./journal-files.ts";
import { type JournalLoss, JournalReader, type ReadFrame } from "./journal-reader.ts";

export interface JournalSourceOptions {
  readonly disk: Disk;
  /** What lines begin with. */
  readonly name: string;
  readonly log: ConnectorLog;
  readonly clock?: Clock;
}

/** What `commit` takes, as data that may be written down. */
export type JournalPosition = {
  readonly journal: string;
  readonly segment: number;
  readonly offset: number;
  /** Of the next record. */
  readonly number: number;
  /** Which run of the ingest wrote the last record, and what that had lost by then, which is counted already. */
  readonly run: number;
  readonly dropped: DroppedSoFar;
};

export function journalSource(options: JournalSourceOptions): Source {
  return new StoredSource(options);
}

function positionOf(data: Plain): JournalPosition {
  const dropped = member(data, "dropped");
  const counts = isMap(dropped) ? Object.entries(dropped) : [];
  return {
    journal: textOf(member(data, "journal")),
    segment: wholeOf(member(data, "segment")),
    offset: wholeOf(member(data, "offset")),
    number: wholeOf(member(data, "number")),
    run: wholeOf(member(data, "run")),
    dropped: Object.fromEntries(counts.map(([reason, count]) => [reason, numberOf(count)])),
  };
}

class StoredSource implements Source {
  readonly #disk: Disk;
  readonly #name: string;
  readonly #log: ConnectorLog;
  readonly #clock: Clock;
  #reader!: JournalReader;
  #frame: ReadFrame | null = null;
  /** Rows of the frame that were handed out. */
  #row = 0;
  #position: JournalPosition | null = null;
  /** What was committed last is in this segment; those before it are gone. */
  #segment = 0;
  #records = 0;
  #bytes = 0;
  readonly #dropped: Record<string, number> = {};
  #closed = false;

  constructor({ disk, name, log, clock }: JournalSourceOptions) {
    this.#disk = disk;
    this.#name = name;
    this.#log = log;
    this.#clock = clock ?? wallClock;
  }

  open(resume?: Plain | null): Promise<void> {
    this.#position = resume === undefined || resume === null ? null : positionOf(resume);
    this.#reader = new JournalReader(this.#disk, this.#position, (loss) => this.#lose(loss));
    return Promise.resolve();
  }

  async read({ rows, bytes, wait_ms }: ReadLimits): Promise<Delivery | null | "end"> {
    if (this.#closed) return "end";
    const frame = this.#frame ?? (await this.#next(wait_ms));
    if (frame === null) return this.#closed ? "end" : null;
    const { payloads } = frame;
    const from = this.#row;
    const to = endOfPart(payloads, from, { rows, bytes });
    const isAll = to === payloads.count;
    this.#row = to;
    this.#frame = isAll ? null : frame;
    const place = isAll ? frame.behind : { ...frame.place, number: frame.number + to };
    const position = { ...place, run: frame.run, dropped: frame.dropped };
    this.#position = position;
    this.#records += to - from;
    const part = from === 0 && isAll ? payloads : copyOfPayloads(payloads, from, to);
    this.#bytes += part.bytes.length;
    return { payloads: part, position };
  }

  async commit(position: unknown): Promise<void> {
    const { segment } = position as JournalPosition;
    if (segment <= this.#segment) return;
    for (const each of await segmentsOf(this.#disk))
      if (each < segment) await this.#disk.remove(segmentName(each));
    this.#segment = segment;
  }

  stats(): SourceStats {
    return { records: this.#records, bytes: this.#bytes, dropped: { ...this.#dropped }, lag: null };
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#reader.close();
  }

  /** The next frame, once it is there; null when none comes within `wait_ms`. */
  async #next(wait_ms: number): Promise<ReadFrame | null> {
    const end = this.#clock.elapsed() + wait_ms;
    for (;;) {
      const frame = await this.#reader.next();
      if (frame !== null) {
        this.#takeIn(frame);
        return frame;
      }
      const left = end - this.#clock.elapsed();
      if (this.#closed || left <= 0) return null;
      await sleep(this.#clock, Math.min(left, limits.journal_poll_ms));
      if (this.#closed) return null;
    }
  }

  #takeIn(frame: ReadFrame): void {
    this.#frame = frame;
    this.#row = frame.place.number - frame.number;
    const before = this.#position;
    for (const [reason, count] of Object.entries(frame.dropped)) {
      const known = before?.run === frame.run ? (before.dropped[reason] ?? 0) : 0;
      this.#count(reason, count - known);
    }
  }

  #lose(loss: JournalLoss): void {
    const records = "records" in loss ? loss.records : 0;
    this.#dropped[loss.kind] = (this.#dropped[loss.kind] ?? 0) + records;
    const what = {
      damaged: `${records} records of the journal cannot be read: its bytes are not what was written`,
      expired: `${records} records were dropped from the journal before they were read: it is bounded by bytes and age`,
      regressed: `the journal lost its end: the last ${records} records that were read are not in it any more; going on with what came since`,
      torn: "the end of a segment cannot be read: what was being written when the ingest ended; going on behind it",
      recreated: "the journal is another one than before; reading it from its start",
    };
    this.#log.warn(`${this.#name}: ${what[loss.kind]}`);
  }

  #count(reason: string, records: number): void {
    if (records > 0) this.#dropped[reason] = (this.#dropped[reason] ?? 0) + records;
  }
}
