// Reads a journal while another process writes it: frame by frame, from a place on, across segments. What is not whole at the
// end of the newest segment is not there yet; anywhere else it is torn or damaged, is stepped over, and the records that are
// missing are counted by the numbers of those that follow. Never changes a file.

import { headBytes, pageBytes } from "../../state/log/block.ts";
import type { Disk, DiskFile } from "../../state/log/disk.ts";
import { limits } from "../../limits.ts";
import { type JournalFrame, readFrameBody } from "./journal-frame.ts";
import {
  firstOffset,
  type FoundFrame,
  frameLength,
  readFrame,
  readSegmentHead,
  type SegmentHead,
  segmentName,
  segmentsOf,
} from "./journal-files.ts";

/** Behind what was read. */
export interface JournalPlace {
  readonly journal: string;
  readonly segment: number;
  /** Where the frame begins that the next record is in, or will be. */
  readonly offset: number;
  /** Of the next record. */
  readonly number: number;
}

export type JournalLoss =
  /** Frames cannot be read. Exact. */
  | { readonly kind: "damaged"; readonly records: number }
  /** The ingest dropped them, by age or size, before they were read. Exact. */
  | { readonly kind: "expired"; readonly records: number }
  /** Read, and then lost by the disk: their numbers are others' now. Exact. */
  | { readonly kind: "regressed"; readonly records: number }
  /** The end of a segment cannot be read: what was being written when its ingest ended, or damage that nobody can count. */
  | { readonly kind: "torn" }
  /** Another journal is in the folder. */
  | { readonly kind: "recreated" };

/** A frame with where it stands. */
export interface ReadFrame extends JournalFrame {
  readonly run: number;
  /** Of its first record. */
  readonly number: number;
  /** The place of this frame, with nothing of it read, and the one behind it. */
  readonly place: JournalPlace;
  readonly behind: JournalPlace;
}

interface Open {
  readonly file: DiskFile;
  readonly head: SegmentHead;
}

export class JournalReader {
  readonly #disk: Disk;
  readonly #lost: (loss: JournalLoss) => void;
  #open: Open | null = null;
  /** Null before the first segment that was ever read. */
  #place: JournalPlace | null;
  /** What was read of the file, from `#from` on. */
  #bytes: Buffer = Buffer.alloc(0);
  #from = 0;
  /** Something that could not be read was stepped over since the last frame. */
  #stepped = false;
  /** Times in a row that nothing was there, and where it was no frame. */
  #looks = 0;
  #suspect = -1;

  constructor(disk: Disk, place: JournalPlace | null, lost: (loss: JournalLoss) => void) {
    this.#disk = disk;
    this.#place = place;
    this.#lost = lost;
  }

  /** The next frame; null when there is none now. */
  async next(): Promise<ReadFrame | null> {
    for (;;) {
      const open = this.#open ?? (await this.#openNext());
      if (open === null || this.#place === null) return null;
      const found = await this.#frame(open);
      if (typeof found === "object") {
        this.#looks = 0;
        const frame = this.#accept(found, this.#place);
        if (frame !== null) return frame;
      } else if (!(await this.#goOn(open, found))) {
        this.#looks++;
        return null;
      }
    }
  }

  async close(): Promise<void> {
    const open = this.#open;
    this.#open = null;
    await open?.file.close();
  }

  /** The frame at the place. */
  async #frame({ file, head }: Open): Promise<FoundFrame | "short" | "bad"> {
    const { offset } = this.#place!;
    if (offset >= this.#from) {
      const known = readFrame(this.#bytes, offset - this.#from, head);
      if (typeof known === "object") return known;
    }
    await this.#fill(file, offset, limits.journal_chunk_bytes);
    const found = readFrame(this.#bytes, 0, head);
    const length = found === "short" ? frameLength(this.#bytes, 0) : null;
    if (length === null || length <= limits.journal_chunk_bytes) return found;
    await this.#fill(file, offset, length);
    return readFrame(this.#bytes, 0, head);
  }

  /** Takes up to `length` bytes into memory, as far as they are there. */
  async #fill(file: DiskFile, from: number, length: number): Promise<void> {
    const there = Math.max(0, (await file.size()) - from);
    const bytes = await file.read(from, Math.min(length, there));
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#from = from;
  }

  #accept(found: FoundFrame, place: JournalPlace): ReadFrame | null {
    let frame: JournalFrame;
    const behind = { ...place, offset: place.offset + found.length };
    try {
      frame = readFrameBody(found.body);
    } catch {
      // Whole and yet wrong: nothing that was ever written.
      this.#stepped = true;
      this.#place = behind;
      return null;
    }
    const records = found.number - place.number;
    if (records > 0) this.#lost({ kind: this.#stepped ? "damaged" : "expired", records });
    else if (this.#stepped) this.#lost({ kind: "torn" });
    this.#stepped = false;
    const number = Math.max(found.number + frame.payloads.count, place.number);
    const from = { ...place, number: Math.max(found.number, place.number) };
    this.#place = { ...behind, number };
    if (number <= from.number) return null;
    return { ...frame, run: found.run, number: found.number, place: from, behind: this.#place };
  }

  /** What stands at the place is no whole frame. False where that may change; else the place is another one now. */
  async #goOn(open: Open, found: "short" | "bad"): Promise<boolean> {
    const { offset, segment } = this.#place!;
    // Looking into the folder costs more than looking into the file, and what is bad once may be half-written.
    const isSuspect = found === "bad" && this.#suspect === offset;
    this.#suspect = found === "bad" ? offset : -1;
    if (!isSuspect && this.#looks % limits.journal_looks !== 0) return false;
    const isOver = (await segmentsOf(this.#disk)).some((each) => each > segment);
    // It may have been finished just before its successor was begun.
    if (typeof (await this.#frame(open)) === "object") return true;
    if (!isOver && !isSuspect) return false;
    const next = await this.#nextFrame(open, offset + pageBytes);
    // What follows was written later, so by now this one is whole, or never will be.
    if (typeof (await this.#frame(open)) === "object") return true;
    if (next !== null) {
      this.#stepped = true;
      this.#place = { ...this.#place!, offset: next };
      return true;
    }
    if (!isOver) return false;
    if ((await open.file.size()) > offset) this.#stepped = true;
    await this.close();
    return true;
  }

  /** Where the next whole frame begins; null where there is none in this segment. */
  async #nextFrame({ file, head }: Open, from: number): Promise<number | null> {
    const size = await file.size();
    for (let at = from; at + headBytes <= size; at += pageBytes) {
      if (at < this.#from || at + headBytes > this.#from + this.#bytes.length)
        await this.#fill(file, at, limits.journal_chunk_bytes);
      const length = frameLength(this.#bytes, at - this.#from);
      if (length === null) continue;
      await this.#fill(file, at, Math.max(limits.journal_chunk_bytes, length));
      if (typeof readFrame(this.#bytes, 0, head) === "object") return at;
    }
    return null;
  }

  /** Opens the segment of the place, or the first one behind it. */
  async #openNext(): Promise<Open | null> {
    const place = this.#place;
    const all = await segmentsOf(this.#disk);
    for (const segment of all) {
      if (place !== null && (segment < place.segment || (segment === place.segment && this.#isOver(segment))))
        continue;
      const file = await this.#disk.open(segmentName(segment)).catch(() => null);
      // Removed in this moment.
      if (file === null) continue;
      const read = readSegmentHead(await file.read(0, firstOffset), segment);
      const head =
        read ?? (place === null ? null : { journal: place.journal, segment, run: 0, first: place.number });
      if (head === null || (read === null && segment === all.at(-1))) {
        await file.close();
        // The newest one is being made.
        if (segment === all.at(-1)) return null;
        continue;
      }
      if (read === null) this.#stepped = true;
      this.#enter(head, place);
      this.#open = { file, head };
      return this.#open;
    }
    return null;
  }

  /** The last segment that was entered, once it is closed. */
  #left = -1;

  #isOver(segment: number): boolean {
    return segment === this.#left;
  }

  #enter(head: SegmentHead, place: JournalPlace | null): void {
    const { journal, segment, first } = head;
    this.#left = segment;
    this.#bytes = Buffer.alloc(0);
    this.#from = 0;
    if (place === null || place.journal !== journal) {
      if (place !== null) this.#lost({ kind: "recreated" });
      this.#place = { journal, segment, offset: firstOffset, number: first };
    } else if (segment === place.segment) {
      this.#place = place;
    } else {
      const regressed = place.number - first;
      if (regressed > 0) this.#lost({ kind: "regressed", records: regressed });
      this.#place = { journal, segment, offset: firstOffset, number: Math.min(place.number, first) };
    }
  }
}
