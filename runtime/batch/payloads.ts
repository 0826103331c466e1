// Payloads: records as bytes, many in one buffer. What connect delivers and codecs read.
// Knows nothing of what the bytes mean.

import type { Origin } from "../../operators/sdk/index.ts";
import { limits } from "../limits.ts";

/** `count` payloads; the i-th is `bytes[offsets[i] … offsets[i + 1])`. */
export interface Payloads {
  readonly bytes: Uint8Array;
  readonly offsets: Uint32Array;
  readonly count: number;
}

/** The records of one message: where they lie in some bytes. The arrays may be longer. */
export interface Records {
  readonly bytes: Uint8Array;
  readonly starts: Uint32Array;
  readonly ends: Uint32Array;
  readonly count: number;
}

/** Those behind the first `done`. */
export function recordsFrom(records: Records, done: number): Records {
  if (done === 0) return records;
  const { bytes, starts, ends, count } = records;
  return {
    bytes,
    starts: starts.subarray(done),
    ends: ends.subarray(done),
    count: Math.max(0, count - done),
  };
}

/** A list of records, used for one message after the other. */
export class RecordList implements Records {
  bytes: Uint8Array = new Uint8Array(0);
  starts: Uint32Array = new Uint32Array(256);
  ends: Uint32Array = new Uint32Array(256);
  count = 0;

  begin(message: Uint8Array): void {
    this.bytes = message;
    this.count = 0;
  }

  add(start: number, end: number): void {
    if (this.count === this.starts.length) this.#grow();
    this.starts[this.count] = start;
    this.ends[this.count++] = end;
  }

  #grow(): void {
    const [starts, ends] = [this.starts, this.ends];
    this.starts = new Uint32Array(starts.length * 2);
    this.ends = new Uint32Array(ends.length * 2);
    this.starts.set(starts);
    this.ends.set(ends);
  }
}

/** Payloads with where and when each of them arrived. */
export interface PayloadBatch extends Payloads {
  /** Distinct subjects (topics, file names) of this batch. */
  readonly subjects: readonly string[];
  /** By payload, an index into `subjects`. */
  readonly subject: Uint16Array;
  /** By payload, when it arrived at the edge, wall clock ms. */
  readonly arrived: Float64Array;
}

/** The bytes of one payload, in place. */
export function payloadAt(payloads: Payloads, row: number): Uint8Array {
  return payloads.bytes.subarray(payloads.offsets[row]!, payloads.offsets[row + 1]!);
}

/** Where rows came from that were read from payloads, row i from payload i. Whoever copies many finds their bytes side by side. */
export class PayloadOrigin implements Origin {
  readonly payloads: PayloadBatch;

  constructor(payloads: PayloadBatch) {
    this.payloads = payloads;
  }

  payload(row: number): Uint8Array {
    return payloadAt(this.payloads, row);
  }

  subject(row: number): string {
    return this.payloads.subjects[this.payloads.subject[row]!] ?? "";
  }
}

/** Where a part of so many rows and bytes ends that begins at `from`; at least one payload is in it. */
export function endOfPart(
  view: PayloadBatch,
  from: number,
  limits: { readonly rows: number; readonly bytes: number },
): number {
  let to = from + 1;
  const rowsEnd = Math.min(view.count, from + limits.rows);
  while (to < rowsEnd && view.offsets[to + 1]! - view.offsets[from]! <= limits.bytes) to++;
  return to;
}

/** A copy of the payloads `from … to - 1`. */
export function copyOfPayloads(view: PayloadBatch, from: number, to: number): PayloadBatch {
  const start = view.offsets[from]!;
  return {
    bytes: view.bytes.slice(start, view.offsets[to]!),
    offsets: view.offsets.slice(from, to + 1).map((offset) => offset - start),
    count: to - from,
    subjects: view.subjects.slice(),
    subject: view.subject.slice(from, to),
    arrived: view.arrived.slice(from, to),
  };
}

/** A copy that owns its memory, so that it can be transferred. */
export function ownedPayloads(payloads: PayloadBatch): PayloadBatch {
  return {
    bytes: payloads.bytes.slice(),
    offsets: payloads.offsets.slice(),
    count: payloads.count,
    subjects: payloads.subjects,
    subject: payloads.subject.slice(),
    arrived: payloads.arrived.slice(),
  };
}

/** A copy in memory that threads share: that of an earlier copy, which nobody reads any more, where it is large enough. */
export function sharedPayloads(payloads: PayloadBatch, spare: SharedArrayBuffer | null): PayloadBatch {
  const { bytes, offsets, count, subjects, subject, arrived } = payloads;
  // The widest first, so that each begins at a multiple of what its numbers take.
  const arrays = [arrived, offsets, subject, bytes];
  const length = arrays.reduce((total, { byteLength }) => total + byteLength, 0);
  const memory = spare !== null && spare.byteLength >= length ? spare : new SharedArrayBuffer(length * 2);
  let at = 0;
  const copy = <T extends Float64Array | Uint32Array | Uint16Array | Uint8Array>(array: T): T => {
    const make = array.constructor as new (memory: SharedArrayBuffer, at: number, length: number) => T;
    const shared = new make(memory, at, array.length);
    shared.set(array);
    at += array.byteLength;
    return shared;
  };
  return {
    arrived: copy(arrived),
    offsets: copy(offsets),
    subject: copy(subject),
    bytes: copy(bytes),
    count,
    subjects,
  };
}

/** The buffers to transfer with payloads that own their memory. */
export function payloadBuffers({ bytes, offsets, subject, arrived }: PayloadBatch): ArrayBuffer[] {
  return [bytes, offsets, subject, arrived].map((array) => array.buffer as ArrayBuffer);
}

/** Gathers payloads into one buffer, up to a number of rows and bytes. Reused after `take`. */
export class PayloadBuilder {
  readonly #rowsMax: number;
  readonly #bytesMax: number;
  #bytes: Uint8Array;
  #offsets: Uint32Array;
  #subject: Uint16Array;
  #arrived: Float64Array;
  #subjects: string[] = [];
  #codes = new Map<string, number>();
  /** Neighbours often share their subject. */
  #lastSubject: string | null = null;
  #lastCode = 0;
  #count = 0;

  constructor(rowsMax: number = limits.batch_rows_max, bytesMax: number = limits.batch_bytes_max) {
    this.#rowsMax = rowsMax;
    this.#bytesMax = bytesMax;
    this.#bytes = new Uint8Array(Math.min(bytesMax, 65_536));
    this.#offsets = new Uint32Array(rowsMax + 1);
    this.#subject = new Uint16Array(rowsMax);
    this.#arrived = new Float64Array(rowsMax);
  }

  get count(): number {
    return this.#count;
  }

  get size(): number {
    return this.#offsets[this.#count]!;
  }

  /** True when `length` more bytes fit. A first payload always fits, however large. */
  fits(length: number): boolean {
    if (this.#count === 0) return true;
    return this.#count < this.#rowsMax && this.size + length <= this.#bytesMax;
  }

  /** Appends a copy of the payload. Call only when it fits. */
  add(payload: Uint8Array, subject: string, arrived: number): void {
    const at = this.size;
    this.#copy(payload, at);
    this.#subject[this.#count] = this.#code(subject);
    this.#arrived[this.#count] = arrived;
    this.#offsets[++this.#count] = at + payload.length;
  }

  /**
   * Appends a copy of each record from number `first` on, all of one message, as far as they fit; returns the first that
   * did not. Call only when that of number `first` fits.
   */
  addRecords(records: Records, first: number, subject: string, arrived: number): number {
    const { bytes, starts, ends } = records;
    const behind = this.#lastFitting(records, first);
    const from = starts[first]!;
    let at = this.size;
    // One copy of all, then each is moved over what stands between them.
    const shift = at - from;
    this.#copy(bytes.subarray(from, ends[behind - 1]), at);
    const own = this.#bytes;
    const offsets = this.#offsets;
    const row = this.#count - first;
    for (let record = first; record < behind; record++) {
      const start = starts[record]! + shift;
      const end = ends[record]! + shift;
      if (start !== at) own.copyWithin(at, start, end);
      at += end - start;
      offsets[row + record + 1] = at;
    }
    this.#subject.fill(this.#code(subject), row + first, row + behind);
    this.#arrived.fill(arrived, row + first, row + behind);
    this.#count = row + behind;
    return behind;
  }

  /** The batch so far. It is valid until the builder's next `reset`. */
  view(): PayloadBatch {
    const count = this.#count;
    return {
      bytes: this.#bytes.subarray(0, this.size),
      offsets: this.#offsets.subarray(0, count + 1),
      count,
      subjects: this.#subjects,
      subject: this.#subject.subarray(0, count),
      arrived: this.#arrived.subarray(0, count),
    };
  }

  /** Empties the builder; batches viewed before are no longer valid. */
  reset(): void {
    this.#count = 0;
    this.#subjects = [];
    this.#codes = new Map();
    this.#lastSubject = null;
  }

  /** Hands over the batch so far with buffers of its own, and starts anew. */
  take(): PayloadBatch {
    const batch = this.view();
    this.#bytes = new Uint8Array(this.#bytes.length);
    this.#offsets = new Uint32Array(this.#rowsMax + 1);
    this.#subject = new Uint16Array(this.#rowsMax);
    this.#arrived = new Float64Array(this.#rowsMax);
    this.reset();
    return batch;
  }

  #copy(bytes: Uint8Array, at: number): void {
    const end = at + bytes.length;
    if (end > this.#bytes.length) this.#grow(end);
    this.#bytes.set(bytes, at);
  }

  /** The number behind the last record that fits, if number `first` does. */
  #lastFitting({ starts, ends, count }: Records, first: number): number {
    const rows = Math.min(count, first + this.#rowsMax - this.#count);
    const end = starts[first]! + this.#bytesMax - this.size;
    let behind = rows;
    while (behind > first + 1 && ends[behind - 1]! > end) behind--;
    return behind;
  }

  #code(subject: string): number {
    if (subject === this.#lastSubject) return this.#lastCode;
    let code = this.#codes.get(subject);
    if (code === undefined) {
      code = this.#subjects.length;
      this.#subjects.push(subject);
      this.#codes.set(subject, code);
    }
    this.#lastSubject = subject;
    this.#lastCode = code;
    return code;
  }

  #grow(needed: number): void {
    const bytes = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    bytes.set(this.#bytes.subarray(0, this.size));
    this.#bytes = bytes;
  }
}
