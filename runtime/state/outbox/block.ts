// Rows as bytes, one after the other: what a commit's frame and an outbox file hold of a chain. Blocks that are put
// together are one block. Knows no numbers and no files.
//
// A row: a byte of marks, then what they say is there, then the length of the payload and the payload. What the row before
// had as well is left out: a marked subject, headers (count + 1; 0 for none), number of rows, form (empty for none). `caused` is a difference to
// that of the row before, or eight bytes where that would not be exact. Whole numbers are written seven bits a byte.

import { damaged } from "../plain.ts";
import type { KeptRow } from "./entry.ts";

const newSubject = 1;
const newHeaders = 2;
const newRows = 4;
const exactCaused = 8;
const newForm = 16;
const allMarks = newSubject | newHeaders | newRows | exactCaused | newForm;

/** Written with its sign it is still a whole number that can be told from the next. */
const differenceMax = 2 ** 51;

const firstBytes = 4_096;
/** What a row takes beside its texts and payload, at most. */
const rowBytesMax = 64;

type Headers = KeptRow["headers"];

/** Writes rows down as they come. */
export class BlockWriter {
  #bytes: Buffer = Buffer.allocUnsafeSlow(firstBytes);
  #length = 0;
  #count = 0;
  #rows = 0;
  #before: KeptRow | null = null;

  /** Of what was added since the last `take`. */
  get length(): number {
    return this.#length;
  }

  get count(): number {
    return this.#count;
  }

  /** Rows in the payloads. */
  get rows(): number {
    return this.#rows;
  }

  add(row: KeptRow): void {
    const before = this.#before;
    let size = rowBytesMax + row.payload.length;
    let marks = 0;
    if (before === null || before.subject !== row.subject) {
      marks |= newSubject;
      size += row.subject.length * 3;
    }
    if (before === null || !sameHeaders(before.headers, row.headers)) {
      marks |= newHeaders;
      size += headersBound(row.headers);
    }
    if (before === null || before.rows !== row.rows) marks |= newRows;
    if (before === null || before.form !== row.form) {
      marks |= newForm;
      size += (row.form?.length ?? 0) * 3;
    }
    const difference = before === null ? Number.NaN : row.caused - before.caused;
    const isExact =
      Number.isInteger(difference) &&
      Math.abs(difference) <= differenceMax &&
      Object.is(before!.caused + difference, row.caused);
    if (!isExact) marks |= exactCaused;
    this.#reserve(size);
    this.#bytes[this.#length++] = marks;
    if (marks & newSubject) this.#text(row.subject);
    if (marks & newHeaders) this.#headers(row.headers);
    if (marks & newRows) this.#whole(row.rows);
    if (marks & newForm) this.#text(row.form ?? "");
    if (isExact) this.#whole(difference < 0 ? -difference * 2 - 1 : difference * 2);
    else this.#length = this.#bytes.writeDoubleLE(row.caused, this.#length);
    this.#whole(row.payload.length);
    this.#bytes.set(row.payload, this.#length);
    this.#length += row.payload.length;
    this.#before = row;
    this.#count++;
    this.#rows += row.rows;
  }

  /** The block so far, in memory of its own; then another begins. */
  take(): Uint8Array {
    const block = Uint8Array.prototype.slice.call(this.#bytes, 0, this.#length);
    if (this.#bytes.length > firstBytes && this.#length < this.#bytes.length / 8)
      this.#bytes = Buffer.allocUnsafeSlow(Math.max(firstBytes, this.#bytes.length / 4));
    this.#length = 0;
    this.#count = 0;
    this.#rows = 0;
    this.#before = null;
    return new Uint8Array(block);
  }

  #reserve(size: number): void {
    if (this.#length + size <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, this.#length + size));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }

  #whole(value: number): void {
    let rest = value;
    while (rest >= 128) {
      this.#bytes[this.#length++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#length++] = rest;
  }

  #text(text: string): void {
    if (text.length * 3 < 128) {
      // The length fits into one byte, so that the text is looked through once.
      const length = this.#bytes.write(text, this.#length + 1);
      this.#bytes[this.#length] = length;
      this.#length += length + 1;
      return;
    }
    this.#whole(Buffer.byteLength(text));
    this.#length += this.#bytes.write(text, this.#length);
  }

  #headers(headers: Headers): void {
    const pairs = headers === null ? [] : Object.entries(headers);
    this.#whole(headers === null ? 0 : pairs.length + 1);
    for (const [name, value] of pairs) {
      this.#text(name);
      this.#text(value);
    }
  }
}

/** Rows as one block. */
export function blockOf(rows: readonly KeptRow[]): Uint8Array {
  const writer = new BlockWriter();
  for (const row of rows) writer.add(row);
  return writer.take();
}

function sameHeaders(some: Headers, others: Headers): boolean {
  if (some === others) return true;
  if (some === null || others === null) return false;
  const names = Object.keys(some);
  const otherNames = Object.keys(others);
  // In the same order too: the bytes that are sent are the same whenever they are.
  return (
    names.length === otherNames.length &&
    names.every((name, place) => otherNames[place] === name && some[name] === others[name])
  );
}

function headersBound(headers: Headers): number {
  if (headers === null) return 0;
  return Object.entries(headers).reduce(
    (size, [name, value]) => size + (name.length + value.length) * 3 + 16,
    0,
  );
}

/** The rows of a block. Payloads are views of it. Throws where it is none, or of another number of rows. */
export function rowsOf(block: Uint8Array, count: number): readonly KeptRow[] {
  const reader = new BlockReader(block);
  const rows: KeptRow[] = [];
  for (let before: KeptRow | null = null; !reader.done; rows.push(before)) before = reader.next(before);
  if (rows.length !== count) throw damaged(`a block holds ${rows.length} rows, expected ${count}`);
  return rows;
}

class BlockReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(block: Uint8Array) {
    this.#bytes = Buffer.from(block.buffer, block.byteOffset, block.length);
  }

  get done(): boolean {
    return this.#at === this.#bytes.length;
  }

  next(before: KeptRow | null): KeptRow {
    const marks = this.#byte();
    if (marks > allMarks || (before === null && marks !== allMarks))
      throw damaged("a block's row has no sense");
    const subject = marks & newSubject ? this.#text() : before!.subject;
    const headers = marks & newHeaders ? this.#headers() : before!.headers;
    const rows = marks & newRows ? this.#whole() : before!.rows;
    const form = marks & newForm ? this.#text() : (before!.form ?? "");
    const caused =
      marks & exactCaused ? this.#bytes.readDoubleLE(this.#skip(8)) : before!.caused + this.#signed();
    const row = { subject, payload: this.#payload(), caused, rows, headers };
    return form === "" ? row : { ...row, form };
  }

  /** Steps over `length` bytes; where they begin. */
  #skip(length: number): number {
    const begin = this.#at;
    this.#at += length;
    if (this.#at > this.#bytes.length) throw damaged("a block ends within a row");
    return begin;
  }

  #byte(): number {
    return this.#bytes[this.#skip(1)]!;
  }

  #whole(): number {
    let value = 0;
    for (let unit = 1; unit <= Number.MAX_SAFE_INTEGER; unit *= 128) {
      const byte = this.#byte();
      value += (byte & 127) * unit;
      if (byte < 128 && value <= Number.MAX_SAFE_INTEGER) return value;
    }
    throw damaged("a block holds a number that is too large");
  }

  #signed(): number {
    const value = this.#whole();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  #text(): string {
    const begin = this.#skip(this.#whole());
    return this.#bytes.toString("utf8", begin, this.#at);
  }

  #payload(): Uint8Array {
    const length = this.#whole();
    return new Uint8Array(this.#bytes.buffer, this.#bytes.byteOffset + this.#skip(length), length);
  }

  #headers(): Headers {
    const count = this.#whole();
    if (count === 0) return null;
    const pairs: [string, string][] = [];
    for (let pair = 1; pair < count; pair++) pairs.push([this.#text(), this.#text()]);
    return Object.fromEntries(pairs);
  }
}
