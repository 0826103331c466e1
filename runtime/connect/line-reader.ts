// Lines of a file, read in chunks of a fixed size: LF or CR LF, empty ones skipped, one that is too long
// skipped and counted without ever being held in memory. Knows nothing of what a line means.

import type { LineSplitter } from "../codec/kernel/line-splitter.ts";
import { limits } from "../limits.ts";

const lineFeed = 10;
const carriageReturn = 13;
const byteOrderMark = [0xef, 0xbb, 0xbf];

/** What lines are read from: an open file, or what reads like one. */
export interface LineFile {
  read(buffer: Buffer, at: number, length: number, position: number): Promise<{ readonly bytesRead: number }>;
}

export class LineReader {
  readonly #file: LineFile;
  readonly #lengthMax: number;
  readonly #splitter: LineSplitter | null;
  #buffer: Buffer;
  /** Unread bytes are `#buffer[#start … #end)`. */
  #start = 0;
  #end = 0;
  /** Bytes before it hold no line feed. */
  #searched = 0;
  /** The offset in the file of `#buffer[#start]`. */
  #offset: number;
  #skipping = false;
  #atEnd = false;
  #oversize = 0;
  /** A chunk that is being read behind `#end`. */
  #reading: Promise<{ readonly bytesRead: number }> | null = null;

  /** With a splitter, lines may be taken many at once. */
  constructor(
    file: LineFile,
    offset = 0,
    lengthMax: number = limits.payload_bytes_max,
    splitter: LineSplitter | null = null,
  ) {
    this.#file = file;
    this.#offset = offset;
    this.#lengthMax = lengthMax;
    this.#splitter = splitter;
    this.#buffer = splitter === null ? Buffer.alloc(limits.file_chunk_bytes) : splitter.buffer;
  }

  /** Lines that were longer than allowed. */
  get oversize(): number {
    return this.#oversize;
  }

  /** Where the next line begins, in bytes from the start of the file. */
  get offset(): number {
    return this.#offset;
  }

  /** True when there will be no more lines. */
  get ended(): boolean {
    return this.#atEnd && this.#start === this.#end;
  }

  /** The next line that is in memory; null when `fill` must be called first. Valid until then. */
  next(): Uint8Array | null {
    for (;;) {
      const found = this.#find();
      if (found < 0 && !this.#atEnd) return null;
      const from = this.#start;
      const to = found < 0 ? this.#end : found;
      if (found < 0 && from === to) return null;
      this.#advance(found < 0 ? to : to + 1);
      const line = this.#accept(from, to);
      if (line !== null) return line;
    }
  }

  /** Has the splitter take the lines that are in memory; true when it has no room for the next one. */
  take(rows: number, bytes: number): boolean {
    const splitter = this.#splitter!;
    if (this.#skipping && !this.#skip()) return false;
    // What stands at the end of the file is a line, whether or not it has an end.
    const end = this.#atEnd && this.#start < this.#end ? this.#end + 1 : this.#end;
    if (end > this.#end) this.#buffer[this.#end] = lineFeed;
    const { at, full, oversize } = splitter.split(this.#start, end, {
      lengthMax: this.#lengthMax,
      rows,
      bytes,
    });
    this.#oversize += oversize;
    this.#advance(Math.min(at, this.#end));
    return full;
  }

  /** Leaves out what is left of a line that is too long; false when its end is not in memory. */
  #skip(): boolean {
    const found = this.#find();
    if (found < 0 && !this.#atEnd) return false;
    this.#skipping = false;
    this.#advance(found < 0 ? this.#end : found + 1);
    return true;
  }

  /** Reads one chunk more. */
  async fill(): Promise<void> {
    if (this.#atEnd) return;
    if (this.#reading === null) this.#dropOversize();
    this.#reading ??= this.#begin();
    const position = this.#offset + (this.#end - this.#start);
    const reading = this.#reading;
    this.#reading = null;
    const { bytesRead } = await reading;
    const isFirst = position === 0;
    this.#end += bytesRead;
    if (bytesRead === 0) this.#atEnd = true;
    if (isFirst && byteOrderMark.every((byte, place) => this.#buffer[place] === byte)) this.#advance(3);
  }

  /** Has the next chunk read while something else is done, where little is left; `fill` then waits for it. */
  ahead(): void {
    const left = this.#end - this.#start;
    if (this.#atEnd || this.#reading !== null || this.#skipping) return;
    if (left > Math.min(limits.file_chunk_bytes, this.#lengthMax)) return;
    this.#reading = this.#begin();
    // `fill` tells what went wrong, if it is ever called.
    this.#reading.catch(() => undefined);
  }

  #begin(): Promise<{ readonly bytesRead: number }> {
    this.#makeRoom();
    const position = this.#offset + (this.#end - this.#start);
    const length = Math.min(limits.file_chunk_bytes, this.#buffer.length - this.#end);
    return this.#file.read(this.#buffer, this.#end, length, position);
  }

  #find(): number {
    const place = this.#buffer
      .subarray(0, this.#end)
      .indexOf(lineFeed, Math.max(this.#start, this.#searched));
    this.#searched = place < 0 ? this.#end : place;
    return place;
  }

  /** The line without its end; null when it is empty or too long. */
  #accept(from: number, to: number): Uint8Array | null {
    if (this.#skipping) {
      this.#skipping = false;
      return null;
    }
    const end = to > from && this.#buffer[to - 1] === carriageReturn ? to - 1 : to;
    if (end === from) return null;
    if (end - from > this.#lengthMax) {
      this.#oversize++;
      return null;
    }
    return this.#buffer.subarray(from, end);
  }

  /** A line that is already longer than allowed is given up before its end is seen. */
  #dropOversize(): void {
    if (this.#end - this.#start <= this.#lengthMax + 1 && !this.#skipping) return;
    if (!this.#skipping) this.#oversize++;
    this.#skipping = true;
    this.#advance(this.#end);
  }

  #advance(to: number): void {
    this.#offset += to - this.#start;
    this.#start = to;
    this.#searched = Math.max(this.#searched, to);
  }

  #makeRoom(): void {
    const length = this.#end - this.#start;
    if (this.#end + limits.file_chunk_bytes <= this.#buffer.length) return;
    if (length + limits.file_chunk_bytes > this.#buffer.length) {
      const buffer = Buffer.alloc(Math.max(this.#buffer.length, length + limits.file_chunk_bytes));
      this.#buffer.copy(buffer, 0, this.#start, this.#end);
      this.#buffer = buffer;
    } else {
      this.#buffer.copyWithin(0, this.#start, this.#end);
    }
    this.#searched -= this.#start;
    this.#start = 0;
    this.#end = length;
  }
}
