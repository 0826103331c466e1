// Makes folders. Where a file system takes none, as /proc does, Node's own way of making those above as well never
// returns; this one says so.

import { mkdirSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** Makes a folder and those above it, where there are none; returns the highest that was made. Throws the system's error. */
export function makeFolder(path: string, mode = 0o777): string | undefined {
  const missing: string[] = [];
  let place = resolve(path);
  for (; !exists(place) && dirname(place) !== place; place = dirname(place)) missing.push(place);
  // What is there and no folder is refused in the system's words.
  if (missing.length === 0) mkdirSync(place, { recursive: true });
  for (const each of missing.toReversed()) {
    try {
      mkdirSync(each, { mode });
    } catch (error) {
      // Somebody else was sooner.
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
  }
  return missing.at(-1);
}
