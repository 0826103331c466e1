// Whether the room that is kept for a last commit is there for it: a commit that finds none while the reserve still stands was
// refused for nothing.

import { WeirError } from "../../errors.ts";
import type { CommitLog } from "../../state/log/commit-log.ts";
import type { Disk } from "../../state/log/disk.ts";
import { reserveName } from "../../state/log/file-names.ts";
import type { Journal } from "../../worker/durable-task.ts";

/** A commit with its head, that fits into the reserve for certain. */
const fitting_bytes = 4_000;

export function reserveWatched(log: CommitLog, disk: Disk, wrong: (what: string) => void): Journal {
  return {
    get bytes() {
      return log.bytes;
    },
    append: async (body) => {
      try {
        return await log.append(body);
      } catch (fault) {
        const isForRoom = fault instanceof WeirError && fault.code === "WEIR_DISK_FULL";
        if (isForRoom && body.length < fitting_bytes && (await isThere(disk, reserveName)))
          wrong("a commit was refused, and the room that is kept for it was not used");
        throw fault;
      }
    },
    checkpoint: (body) => log.checkpoint(body),
    close: () => log.close(),
  };
}

/** A disk that does not answer says nothing against anybody. */
async function isThere(disk: Disk, name: string): Promise<boolean> {
  try {
    return (await disk.list()).includes(name);
  } catch {
    return false;
  }
}
