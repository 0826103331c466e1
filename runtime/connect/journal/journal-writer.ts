// Writes a journal: payloads as frames in segments, in order, within bounds of bytes and age. What is appended is durable after
// `sync`. One process has a journal at a time; who that is, is settled by a lock outside. Never reads what it wrote.

import type { Clock } from "../../clock.ts";
import type { PayloadBatch } from "../../batch/payloads.ts";
import { limits } from "../../limits.ts";
import { headBytes, pageBytes, pagedLength } from "../../state/log/block.ts";
import type { Disk, DiskFile } from "../../state/log/disk.ts";
import { isLackOfRoom } from "../../state/log/disk-fault.ts";
import type { Overflow } from "../payload-queue.ts";
import { type DroppedSoFar, frameBody, readFrameBody } from "./journal-frame.ts";
import {
  firstOffset,
  readFrame,
  readSegmentHead,
  segmentBlock,
  type SegmentHead,
  segmentName,
  segmentsOf,
  writeFrame,
} from "./journal-files.ts";

export interface JournalOptions {
  readonly disk: Disk;
  /** Bytes that all segments may take. */
  readonly bytes: number;
  /** How long records are kept that nobody reads, ms. */
  readonly age: number;
  /** What goes when there is no room for more: the oldest segment, or what comes. */
  readonly overflow: Overflow;
  readonly clock: Clock;
  /** For a journal that is begun: 32 hexadecimal digits that no other has. */
  readonly identity: () => string;
  /** Told of what earlier runs wrote, as far as it is kept, the oldest first. */
  readonly recall?: (payloads: PayloadBatch) => void;
}

interface Kept {
  readonly segment: number;
  readonly bytes: number;
  /** Since when nothing more was written to it. */
  readonly ended: number;
}

/** Not written: `full`, the journal may take no more; `no_room`, the disk has no more, and the same may be tried again. */
export type Appended = "written" | "full" | "no_room";

export class JournalWriter {
  readonly #options: JournalOptions;
  readonly #segmentBytes: number;
  /** Earlier segments, as far as the reader has not removed them. */
  #kept: Kept[];
  #head: SegmentHead;
  #file: DiskFile;
  #end = firstOffset;
  #begun: number;
  #number: number;
  #block = Buffer.alloc(0);

  private constructor(options: JournalOptions, kept: Kept[], head: SegmentHead, file: DiskFile) {
    this.#options = options;
    this.#segmentBytes = segmentBytesOf(options.bytes);
    this.#kept = kept;
    this.#head = head;
    this.#file = file;
    this.#begun = options.clock.elapsed();
    this.#number = head.first;
  }

  /** Begins a segment behind those that are there, which are left as they are. */
  static async open(options: JournalOptions): Promise<JournalWriter> {
    const { disk, clock } = options;
    const segments = await segmentsOf(disk);
    const kept: Kept[] = [];
    let known: string | null = null;
    let first = 1;
    for (const segment of segments) {
      const found = await endOf(disk, segment, options.recall);
      kept.push({ segment, bytes: found.bytes, ended: clock.elapsed() });
      known = found.journal ?? known;
      first = Math.max(first, found.next);
    }
    const segment = (segments.at(-1) ?? 0) + 1;
    const head = { journal: known ?? options.identity(), segment, run: segment, first };
    return new JournalWriter(options, kept, head, await beginSegment(disk, head));
  }

  /** Number of the next record. */
  get next(): number {
    return this.#number;
  }

  /** Bytes that the segments take, those included that the reader may have removed since. */
  get bytes(): number {
    return this.#kept.reduce((sum, { bytes }) => sum + bytes, this.#end);
  }

  /** Adds the payloads. `dropped`: what this run lost so far before it could be written. */
  async append(payloads: PayloadBatch, dropped: DroppedSoFar): Promise<Appended> {
    const body = frameBody({ payloads, dropped });
    const length = pagedLength(body.length);
    try {
      await this.#roll(length);
      if (!(await this.#makeRoom(length))) return "full";
      if (this.#block.length < length) this.#block = Buffer.allocUnsafeSlow(length);
      writeFrame(this.#block, this.#head, this.#number, body);
      // At the same place again where it fails half-way: nothing counts that is not whole.
      await this.#file.write(this.#end, this.#block.subarray(0, length));
    } catch (fault) {
      if (isLackOfRoom(fault)) return "no_room";
      throw fault;
    }
    this.#end += length;
    this.#number += payloads.count;
    return "written";
  }

  /** Resolves once what was appended is durable. A failure is final: nobody knows then what is. */
  sync(): Promise<void> {
    return this.#file.sync();
  }

  /** Removes segments that are too old. */
  async tidy(): Promise<void> {
    const { clock, age } = this.#options;
    const now = clock.elapsed();
    while (this.#kept.length > 0 && now - this.#kept[0]!.ended > age) await this.#removeOldest();
    if (this.#end > firstOffset && now - this.#begun > age / limits.journal_segments_min) await this.#begin();
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  /** Begins another segment where this one is full. */
  async #roll(length: number): Promise<void> {
    if (this.#end > firstOffset && this.#end + length > this.#segmentBytes) await this.#begin();
  }

  async #begin(): Promise<void> {
    const { disk, clock } = this.#options;
    await this.#file.sync();
    const { journal, segment, run } = this.#head;
    const head = { journal, segment: segment + 1, run, first: this.#number };
    const file = await beginSegment(disk, head);
    await this.#file.close();
    this.#kept.push({ segment, bytes: this.#end, ended: clock.elapsed() });
    this.#file = file;
    this.#head = head;
    this.#end = firstOffset;
    this.#begun = clock.elapsed();
  }

  async #makeRoom(length: number): Promise<boolean> {
    const { bytes, overflow, disk } = this.#options;
    if (this.bytes + length <= bytes) return true;
    const there = new Set(await segmentsOf(disk));
    this.#kept = this.#kept.filter(({ segment }) => there.has(segment));
    if (overflow === "drop_newest") return this.bytes + length <= bytes;
    while (this.bytes + length > bytes && this.#kept.length > 0) await this.#removeOldest();
    return this.bytes + length <= bytes;
  }

  async #removeOldest(): Promise<void> {
    const [oldest, ...others] = this.#kept;
    if (oldest === undefined) return;
    await this.#options.disk.remove(segmentName(oldest.segment));
    this.#kept = others;
  }
}

/** A part of the whole, so that dropping the oldest drops little. */
function segmentBytesOf(bytes: number): number {
  return Math.min(limits.journal_segment_bytes_max, Math.floor(bytes / limits.journal_segments_min));
}

async function beginSegment(disk: Disk, head: SegmentHead): Promise<DiskFile> {
  const name = segmentName(head.segment);
  const file = await disk.create(name);
  try {
    await file.write(0, segmentBlock(head));
    await file.sync();
    await disk.syncNames();
    return file;
  } catch (fault) {
    await file.close();
    // It has no content that counts, and its number would be in the way of the next try.
    await disk.remove(name).catch(() => {});
    throw fault;
  }
}

/** Of which journal an earlier segment is, and the number behind its last record that can be read. */
async function endOf(
  disk: Disk,
  segment: number,
  recall: JournalOptions["recall"],
): Promise<{ readonly bytes: number; readonly journal: string | null; readonly next: number }> {
  const file = await disk.open(segmentName(segment));
  try {
    const size = await file.size();
    const bytes = Buffer.from(await file.read(0, Math.min(size, limits.journal_segment_bytes_max * 2)));
    const head = readSegmentHead(bytes, segment);
    if (head === null) return { bytes: size, journal: null, next: 1 };
    let next = head.first;
    for (let at = firstOffset; at + headBytes <= bytes.length; ) {
      const frame = readFrame(bytes, at, head);
      // Behind a damaged place others may stand: their numbers are given.
      if (typeof frame === "object") {
        const { payloads } = readFrameBody(frame.body);
        next = frame.number + payloads.count;
        recall?.(payloads);
      }
      at += typeof frame === "object" ? frame.length : pageBytes;
    }
    return { bytes: size, journal: head.journal, next };
  } finally {
    await file.close();
  }
}
