// Files that are read or written as a whole. Knows nothing of what is in them.

import type { Disk, DiskFile } from "./disk.ts";

/** The bytes of a file; null where it is longer than `most`. */
export async function readWhole(disk: Disk, name: string, most: number): Promise<Uint8Array | null> {
  const file = await disk.open(name);
  try {
    const size = await file.size();
    return size > most ? null : await file.read(0, size);
  } finally {
    await file.close();
  }
}

/** A new file with these parts, in the place of one of the name. Its bytes are durable when it resolves; it stays open. */
export async function createWhole(
  disk: Disk,
  name: string,
  parts: Iterable<Uint8Array>,
  pieceBytes: number,
): Promise<DiskFile> {
  await disk.remove(name);
  const file = await disk.create(name);
  try {
    let position = 0;
    for (const part of parts) {
      for (let from = 0; from < part.length; from += pieceBytes) {
        const piece = part.subarray(from, from + pieceBytes);
        await file.write(position, piece);
        position += piece.length;
        // Each piece by itself: what waits to be written holds up whoever synchronises another file.
        await file.sync();
      }
    }
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}
