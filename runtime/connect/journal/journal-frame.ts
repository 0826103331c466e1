// Payloads as the body of one block of a journal, and back. Pure; whether the bytes are whole is known from the block.
//
//   bytes             what; numbers are little-endian
//   4                 length of what follows as JSON: the count, the subjects, and what was dropped so far
//   others            that JSON, and zeros up to a multiple of 8
//   8 × count         when each arrived, ms since the epoch
//   4 × (count + 1)   where each begins, and where the last one ends
//   2 × count         which subject each has
//   others            the payloads

import type { PayloadBatch } from "../../batch/payloads.ts";
import { damaged } from "../../state/plain.ts";

/** Records that a run of the ingest lost before they could be written, by reason, since it began. */
export type DroppedSoFar = Readonly<Record<string, number>>;

export interface JournalFrame {
  readonly payloads: PayloadBatch;
  readonly dropped: DroppedSoFar;
}

interface Head {
  readonly count: number;
  readonly subjects: readonly string[];
  readonly dropped: DroppedSoFar;
}

function placesOf(count: number, headEnd: number) {
  const arrived = Math.ceil(headEnd / 8) * 8;
  const offsets = arrived + 8 * count;
  const subject = offsets + 4 * (count + 1);
  return { arrived, offsets, subject, bytes: subject + 2 * count };
}

function bytesOf(array: Float64Array | Uint32Array | Uint16Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

export function frameBody({ payloads, dropped }: JournalFrame): Uint8Array {
  const { count, subjects, bytes, offsets, subject, arrived } = payloads;
  const head = Buffer.from(JSON.stringify({ count, subjects, dropped } satisfies Head));
  const places = placesOf(count, 4 + head.length);
  const end = offsets[count]!;
  const body = Buffer.alloc(places.bytes + end);
  body.writeUInt32LE(head.length, 0);
  body.set(head, 4);
  body.set(bytesOf(arrived.subarray(0, count)), places.arrived);
  body.set(bytesOf(offsets.subarray(0, count + 1)), places.offsets);
  body.set(bytesOf(subject.subarray(0, count)), places.subject);
  body.set(bytes.subarray(0, end), places.bytes);
  return body;
}

/** What `frameBody` was given. Its payloads are a view of `body`. */
export function readFrameBody(body: Uint8Array): JournalFrame {
  const buffer = Buffer.from(body.buffer, body.byteOffset, body.length);
  if (buffer.length < 4) throw damaged("a journal's block is too short");
  const headEnd = 4 + buffer.readUInt32LE(0);
  const { count, subjects, dropped } = headOf(buffer.toString("utf8", 4, headEnd));
  const places = placesOf(count, headEnd);
  if (places.bytes > body.length) throw damaged("a journal's block is shorter than it says");
  const part = (from: number, to: number): ArrayBuffer => Uint8Array.from(body.subarray(from, to)).buffer;
  const bytes = body.subarray(places.bytes);
  const offsets = new Uint32Array(part(places.offsets, places.subject));
  const subject = new Uint16Array(part(places.subject, places.bytes));
  const arrived = new Float64Array(part(places.arrived, places.offsets));
  for (let row = 0; row < count; row++)
    if (offsets[row]! > offsets[row + 1]! || subject[row]! >= subjects.length)
      throw damaged("a journal's block contradicts itself");
  if (offsets[count] !== bytes.length) throw damaged("a journal's block contradicts itself");
  return { payloads: { bytes, offsets, count, subjects, subject, arrived }, dropped };
}

function headOf(text: string): Head {
  let head: unknown;
  try {
    head = JSON.parse(text);
  } catch {
    head = null;
  }
  if (
    typeof head === "object" &&
    head !== null &&
    "count" in head &&
    Number.isSafeInteger(head.count) &&
    Number(head.count) >= 0 &&
    "subjects" in head &&
    Array.isArray(head.subjects) &&
    "dropped" in head &&
    typeof head.dropped === "object"
  )
    return head as Head;
  throw damaged("a journal's block does not say what it holds");
}
