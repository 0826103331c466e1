// Reads files of bounded size. What was looked at is what is read: by the file that was opened, not by its path a second time.

import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";

const partBytesMax = 65_536;

/** The bytes of a regular file no larger than `bytesMax`. */
export function readBounded(path: string, bytesMax: number): Buffer {
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const facts = fstatSync(file);
    if (!facts.isFile()) throw new Error("not a regular file");
    if (facts.size > bytesMax) throw new Error(`larger than ${bytesMax} bytes`);
    return readUpTo(file, bytesMax);
  } finally {
    closeSync(file);
  }
}

/** Files that grow meanwhile, and those that the kernel makes as they are read, are longer than was said. */
function readUpTo(file: number, bytesMax: number): Buffer {
  const parts: Buffer[] = [];
  let length = 0;
  for (;;) {
    const part = Buffer.allocUnsafe(Math.min(bytesMax - length + 1, partBytesMax));
    const read = readSync(file, part, 0, part.length, null);
    if (read === 0) return Buffer.concat(parts, length);
    parts.push(part.subarray(0, read));
    length += read;
    if (length > bytesMax) throw new Error(`larger than ${bytesMax} bytes`);
  }
}
