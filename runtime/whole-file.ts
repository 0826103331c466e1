// Writes small files as a whole or not at all. Why a disk does not take one is told as an error of
// its own, and what was there before stays.

import { closeSync, ftruncateSync, openSync, renameSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { messageOf, WeirError } from "./errors.ts";

/** No room left, and none left of one's share. */
const full = new Set(["ENOSPC", "EDQUOT"]);

/** Calls `task`, which writes at `path`. Throws WEIR_DISK_FULL where there is no room for it, WEIR_FILE where it may not be. */
export function writing<T>(path: string, task: () => T): T {
  try {
    return task();
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : null;
    if (code === null || error instanceof WeirError) throw error;
    const [message, cause] = [messageOf(error), error];
    if (full.has(code)) {
      const remedy =
        "free space on the disk of the state folder, or name a folder on another one with --state";
      throw new WeirError("WEIR_DISK_FULL", `there is no room to write ${path}: ${message}`, {
        remedy,
        cause,
      });
    }
    const remedy = "name a folder that this user may write with --state";
    throw new WeirError("WEIR_FILE", `${path} cannot be written: ${message}`, { remedy, cause });
  }
}

/** Puts a few bytes in the place of those in a file that is there, for which a full disk needs no room. */
export function overwrite(path: string, text: string): void {
  const file = openSync(path, "r+");
  try {
    writeSync(file, text, 0);
    ftruncateSync(file, Buffer.byteLength(text));
  } finally {
    closeSync(file);
  }
}

/**
 * Puts a file in the place of the one that is there. `flush`: its bytes are on the disk before it is. Throws WEIR_DISK_FULL where
 * there is no room for it.
 */
export function writeWhole(
  path: string,
  text: string,
  { mode = 0o600, flush = false }: { readonly mode?: number; readonly flush?: boolean } = {},
): void {
  const temporary = `${path}.new`;
  try {
    writing(path, () => {
      writeFileSync(temporary, text, { mode, flush });
      renameSync(temporary, path);
    });
  } catch (error) {
    // It would take room from what can be written.
    rmSync(temporary, { force: true });
    throw error;
  }
}
