// How far a chain has a file, in a small file beside it: two slots that are written in turn, so that a write which is cut
// short leaves the one before it. Knows nothing of what the file holds.

import type { FileHandle } from "node:fs/promises";
import { crc32 } from "node:zlib";

/** All up to `offset` is on the disk, and with it every entry of the chain up to `number`. */
export interface FileMark {
  readonly chain: string;
  readonly epoch: number;
  readonly number: number;
  readonly offset: number;
}

/** A mark with how many were written before it. */
export interface CountedMark extends FileMark {
  readonly count: number;
}

/** Bytes of a slot; a chain's name takes most of it. */
const slotBytes = 1_024;

/** The newest mark that is whole; null where there is none. */
export async function readMark(file: FileHandle): Promise<CountedMark | null> {
  const bytes = Buffer.alloc(2 * slotBytes);
  const { bytesRead } = await file.read(bytes, 0, bytes.length, 0);
  const marks = [0, slotBytes]
    .map((start) => slotOf(bytes.subarray(0, bytesRead).subarray(start, start + slotBytes)))
    .filter((mark) => mark !== null);
  return marks.sort((a, b) => b.count - a.count)[0] ?? null;
}

/** Writes a mark over the older of the two, and makes it durable. */
export async function writeMark(file: FileHandle, mark: CountedMark): Promise<void> {
  const text = JSON.stringify(mark);
  const slot = Buffer.alloc(slotBytes, " ");
  slot.write(`${checksum(text)} ${text}`);
  await file.write(slot, 0, slotBytes, (mark.count % 2) * slotBytes);
  await file.datasync();
}

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(8, "0");
}

function slotOf(slot: Buffer): CountedMark | null {
  const text = slot.toString().trimEnd();
  const json = text.slice(9);
  if (json === "" || text.slice(0, 8) !== checksum(json)) return null;
  // Written by us, as the checksum says.
  return JSON.parse(json) as CountedMark;
}
