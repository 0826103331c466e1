// A lock on a folder that ends with the process, however it ends. Says only whether this process has it.
//
// Node has no flock, but its SQLite locks files as the system does (fcntl): the kernel lets go of such a lock when its process
// ends, so that no lock is ever stale, no number of a process has to be believed, and none can be taken for another's. It holds
// between containers that share the volume, whatever namespaces they are in, because the kernel keeps it with the file; and on
// network file systems that have locks. The file is empty and stays so: nothing is written, so that a full disk is no hindrance.
// Other ways fail in one of these: a file with the number of a process is stale after a power cut, and numbers mean nothing in
// another container; a bound socket stays behind, and two that clear it away at once both go on.
//
// A lock of this kind belongs to a process, and is gone when that closes the file in any other way. So nothing else opens it.

import { open } from "node:fs/promises";
import type { DatabaseSync } from "node:sqlite";
import { WeirError } from "../../errors.ts";
import type { DiskLock } from "./disk.ts";
import { diskRefusal } from "./disk-fault.ts";

/** Locks in force; one that nobody holds on to would be let go of when memory is collected. */
const held = new Set<DatabaseSync>();

/** Of SQLite. */
const [busy, full] = [5, 13];

/** Takes the lock that the file at `path` stands for; null where another has it, in this process or elsewhere. */
export async function lockFile(path: string): Promise<DiskLock | null> {
  await createFile(path);
  // Asked for here, so that who needs no lock does not load it.
  const { DatabaseSync } = await import("node:sqlite");
  const database = new DatabaseSync(path);
  try {
    database.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    if (error instanceof Error && "errcode" in error && error.errcode === busy) return null;
    if (error instanceof Error && "errcode" in error && error.errcode === full)
      throw diskRefusal(path, "lock it", Object.assign(error, { code: "ENOSPC" }));
    throw new WeirError("WEIR_STATE", `${path} cannot be locked: ${String(error)}`, {
      remedy: "use a disk whose file system has locks, and leave that file empty",
      cause: error,
    });
  }
  held.add(database);
  return {
    release() {
      if (held.delete(database)) database.close();
      return Promise.resolve();
    },
  };
}

/** Opens it only where it is not there yet: closing it would end a lock that this process has. */
async function createFile(path: string): Promise<void> {
  try {
    const created = await open(path, "wx", 0o600);
    await created.close();
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  }
}
