// Where two pieces of memory differ, page by page, written down as runs. Large blocks are compared first, at the
// speed of memory; only where they differ is it asked which of their pages do. Knows nothing of what the bytes mean.

import type { PlainReader, PlainWriter } from "./plain-bytes.ts";
import { damaged } from "./plain.ts";

/**
 * What is written where one of its bytes differs. With one slot in a hundred touched, pages of 128 bytes make changes
 * twice as long and no sooner made, and those of 1 KiB fourteen times as long.
 */
export const pageBytes = 64;
/** Compared by calls, which cost as much as comparing some hundred bytes. */
const blockBytes = 1_024;
const spanBytes = 65_536;
/** Shorter pieces are compared in a loop of their own. */
const shortBytes = 256;
const wordBytes = 4;

/** Runs of bytes of one piece, in order: those that touch each other become one. */
class Runs {
  readonly #writer: PlainWriter;
  readonly #fresh: Uint8Array;
  readonly #kept: Uint8Array;
  /** Where the last run that was written ended. */
  #written = 0;
  #from = 0;
  #to = 0;

  constructor(writer: PlainWriter, fresh: Uint8Array, kept: Uint8Array) {
    this.#writer = writer;
    this.#fresh = fresh;
    this.#kept = kept;
  }

  add(from: number, to: number): void {
    if (from !== this.#to) {
      this.#write();
      this.#from = from;
    }
    this.#to = to;
  }

  /** True when there was a run. */
  end(): boolean {
    this.#write();
    this.#writer.whole(0);
    return this.#written > 0;
  }

  #write(): void {
    const [from, to] = [this.#from, this.#to];
    if (to === from) return;
    this.#writer.whole(to - from);
    this.#writer.whole(from - this.#written);
    this.#writer.raw(this.#fresh, from, to);
    if (to - from > shortBytes) this.#kept.set(this.#fresh.subarray(from, to), from);
    else for (let i = from; i < to; i++) this.#kept[i] = this.#fresh[i]!;
    this.#written = to;
  }
}

/**
 * Writes what the first `length` bytes of `fresh` have that those of `kept` have not, and copies it to `kept`. Returns
 * false where nothing differs; what was written then says so too.
 */
export function writeRuns(writer: PlainWriter, fresh: Uint8Array, kept: Uint8Array, length: number): boolean {
  const runs = new Runs(writer, fresh, kept);
  if (length <= shortBytes) addShort(fresh, kept, length, runs);
  else if ((fresh.byteOffset | kept.byteOffset) % wordBytes === 0) addLong(fresh, kept, length, runs);
  else addByCalls(bufferOf(fresh), bufferOf(kept), 0, length, pageBytes, runs);
  return runs.end();
}

/** The inverse of `writeRuns`, on the first `length` bytes of `kept`. */
export function readRuns(reader: PlainReader, kept: Uint8Array, length: number): void {
  const isAligned = kept.byteOffset % wordBytes === 0;
  const words = new Int32Array(
    isAligned ? kept.buffer : new ArrayBuffer(0),
    isAligned ? kept.byteOffset : 0,
    isAligned ? Math.floor(kept.length / wordBytes) : 0,
  );
  for (let at = 0, size = reader.whole(); size > 0; size = reader.whole()) {
    at += reader.whole();
    const end = at + size;
    if (end > length) throw damaged("a change lies beyond the end of what it changes");
    // Most runs are pages.
    if (size <= shortBytes && isAligned && (at | size) % wordBytes === 0)
      reader.words(words, at / wordBytes, size / wordBytes);
    else kept.set(reader.raw(size), at);
    at = end;
  }
}

function addShort(fresh: Uint8Array, kept: Uint8Array, length: number, runs: Runs): void {
  for (let at = 0; at < length; at++) {
    if (fresh[at] === kept[at]) continue;
    const from = at - (at % pageBytes);
    const to = Math.min(from + pageBytes, length);
    runs.add(from, to);
    at = to - 1;
  }
}

function addLong(fresh: Uint8Array, kept: Uint8Array, length: number, runs: Runs): void {
  const [a, b] = [bufferOf(fresh), bufferOf(kept)];
  const wholeWords = Math.floor(length / wordBytes);
  const words = new Int32Array(fresh.buffer, fresh.byteOffset, wholeWords);
  const others = new Int32Array(kept.buffer, kept.byteOffset, wholeWords);
  const wordsEnd = wholeWords * wordBytes;
  for (let span = 0; span < wordsEnd; span += spanBytes) {
    const spanEnd = Math.min(span + spanBytes, wordsEnd);
    if (a.compare(b, span, spanEnd, span, spanEnd) === 0) continue;
    for (let block = span; block < spanEnd; block += blockBytes) {
      const blockEnd = Math.min(block + blockBytes, spanEnd);
      if (a.compare(b, block, blockEnd, block, blockEnd) === 0) continue;
      for (let page = block; page < blockEnd; page += pageBytes) {
        const end = Math.min(page + pageBytes, blockEnd);
        if (differs(words, others, page / wordBytes, end / wordBytes)) runs.add(page, end);
      }
    }
  }
  if (a.compare(b, wordsEnd, length, wordsEnd, length) !== 0) runs.add(wordsEnd, length);
}

/** For memory that is not aligned. */
function addByCalls(a: Buffer, b: Buffer, from: number, to: number, size: number, runs: Runs): void {
  for (let at = from; at < to; at += size) {
    const end = Math.min(at + size, to);
    if (a.compare(b, at, end, at, end) !== 0) runs.add(at, end);
  }
}

function differs(words: Int32Array, others: Int32Array, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (words[at] !== others[at]) return true;
  return false;
}

function bufferOf({ buffer, byteOffset, length }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, length);
}
