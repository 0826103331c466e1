// Reads files of bounded size. What was looked at is what is read: by the file that was opened, not by its path a second time.

import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";

/** The bytes of a regular file no larger than `bytesMax`. */
export function readBounded(path: string, bytesMax: number): Buffer {
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const facts = fstatSync(file);
    if (!facts.isFile()) throw new Error("not a regular file");
    if (facts.size > bytesMax) throw new Error(`larger than ${bytesMax} bytes`);
    return readFileSync(file);
  } finally {
    closeSync(file);
  }
}
