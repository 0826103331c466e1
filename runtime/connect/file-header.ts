// The first line of a file whose rows do not name their columns, as those of CSV. Rows of other columns are never
// appended under it: whoever reads the file would take one column for another.

import type { FileHandle } from "node:fs/promises";
import { WeirError } from "../errors.ts";

/** What a file of `size` bytes lacks of its header: all of it where it is new, its end where a crash cut it off, else nothing. */
export async function missingHeader(
  file: FileHandle,
  size: number,
  path: string,
  header: string,
): Promise<string> {
  const line = `${header}\n`;
  // Room for what other programs put around it: a byte order mark, and a carriage return.
  const start = Buffer.alloc(Math.min(size, Buffer.byteLength(line) + 4));
  await file.read(start, 0, start.length, 0);
  const text = start.toString("utf8").replace(/^\uFEFF/, "");
  if (text.length < line.length && line.startsWith(text)) return line.slice(text.length);
  if (text.startsWith(line) || text.startsWith(`${header}\r\n`)) return "";
  throw new WeirError("WEIR_FILE", `${path} does not begin with the columns of the rows, ${header}`, {
    remedy: "Write to another file, or move this one away.",
  });
}
