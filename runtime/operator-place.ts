// Where in a file of the user's own an error was thrown, for whoever has to mend that file. Reads the stacks of errors, and
// knows the files that were loaded in this thread; never loads one.

import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { messageOf } from "./errors.ts";

const files = new Set<string>();

/** From here on `path`, an absolute one without links, is a file of the user's own. */
export function addOperatorFile(path: string): void {
  files.add(path);
}

/** The path of a frame, which is an address where the file was imported, and a path where it was required. */
function pathOf(named: string): string {
  const plain = named.replace(/\?.*$/, "");
  if (!plain.startsWith("file:")) return plain;
  try {
    return fileURLToPath(plain);
  } catch {
    return "";
  }
}

/** The place in a file of the user's own that is nearest to where it was thrown, as `spike.ts:12:5`; null where none is on the stack. */
export function placeOf(thrown: unknown): string | null {
  if (files.size === 0 || !(thrown instanceof Error) || typeof thrown.stack !== "string") return null;
  for (const [, named, line, column] of thrown.stack.matchAll(/^ {4}at (?:.*\()?(.+?):(\d+):(\d+)\)?$/gm)) {
    const path = pathOf(named!);
    if (files.has(path)) return `${basename(path)}:${line}:${column}`;
  }
  return null;
}

/** The message of what code of the user's own threw, and where it stands. */
export function placedMessage(thrown: unknown): string {
  const place = placeOf(thrown);
  return place === null ? messageOf(thrown) : `${messageOf(thrown)} (${place})`;
}
