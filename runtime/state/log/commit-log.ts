// Opens the commit log: what a group of pipelines has committed, in a folder of its own. A commit is some bytes with the next
// number; it stands once `append` resolved, however the process ends, and no commit is ever taken for another or left out.
// Knows nothing of what commits hold.
//
//   segment-<sequence>        commits in order; a new file with each start and each snapshot
//   snapshot-<generation>-a   the whole state behind a commit, and its twin …-b
//   position                  how far commits were acknowledged
//   reserve                   room for a last commit on a full disk, and for the next starts there (reserve-start)
//   damaged-…                 what was given up with `acceptLoss`
//
// Errors of the disk are of two kinds. No room: nothing happened, and the same call may succeed later (WEIR_DISK_FULL). Any
// other: nobody knows what the disk holds, a repeat would prove nothing, and the log takes no more calls (WEIR_STATE); opening
// it again finds all that stood.

import { randomBytes } from "node:crypto";
import { WeirError } from "../../errors.ts";
import { limits } from "../../limits.ts";
import type { Disk, DiskLock } from "./disk.ts";
import { diskRefusal } from "./disk-fault.ts";
import { givenUp } from "./file-names.ts";
import { readFolder } from "./folder.ts";
import { type CommitLog, createSegment, LogWriter } from "./log-writer.ts";
import { PositionFile } from "./position-file.ts";
import { Reserve } from "./reserve.ts";
import { type LogRecovery, startOf } from "./start.ts";

export type { CommitLog } from "./log-writer.ts";
export type { LogRecovery } from "./start.ts";

export interface CommitLogOptions {
  /** Whose log; a folder of somebody else is refused. */
  readonly owner?: string;
  /** Opens in spite of damage, with all that stands before it. */
  readonly acceptLoss?: boolean;
  readonly reserveBytes?: number;
  readonly random?: (bytes: number) => Uint8Array;
}

/** Takes the folder for itself. Rejects where the log is damaged, of somebody else, in use, or of a newer format. */
export async function openCommitLog(
  disk: Disk,
  options: CommitLogOptions = {},
): Promise<{ readonly log: CommitLog; readonly recovery: LogRecovery }> {
  const lock: DiskLock | null = await disk.lock().catch((error: unknown) => {
    throw diskRefusal(disk.place, "lock the state folder", error);
  });
  if (lock === null)
    throw new WeirError("WEIR_STATE_BUSY", `${disk.place}: another weir works with this state folder`, {
      remedy: "end the other one, or give this one a state folder of its own",
    });
  try {
    return await begin(disk, lock, options);
  } catch (error) {
    await lock.release();
    throw diskRefusal(disk.place, "open the commit log", error);
  }
}

async function begin(
  disk: Disk,
  lock: DiskLock,
  options: CommitLogOptions,
): Promise<{ readonly log: CommitLog; readonly recovery: LogRecovery }> {
  const { owner = "", acceptLoss = false, random = randomBytes } = options;
  const folder = await readFolder(disk);
  const start = startOf(disk.place, folder, { owner, acceptLoss, random });
  const most = options.reserveBytes ?? limits.log_reserve_bytes;
  const reserve = new Reserve(disk, most, random, folder.files.reserve);
  await giveUp(disk, start.givenUp);
  const segment = await reserve.tryStart(() => createSegment(disk, start.head, start.carried));
  try {
    for (const name of start.leftOver) await disk.remove(name);
    const { origin, sequence, epoch } = start.head;
    const noted = { origin, sequence, epoch, number: start.number };
    const position = await reserve.tryStart(() => PositionFile.create(disk, noted));
    try {
      await reserve.keep();
    } catch (error) {
      await position.close();
      throw error;
    }
    const { number, generation, bytes, recovery } = start;
    const log = new LogWriter({ disk, lock, reserve, position, segment, number, generation, bytes });
    return { log, recovery };
  } catch (error) {
    await segment.file.close();
    throw error;
  }
}

/** Before there is a new segment: as long as there is none, the damage is found again. */
async function giveUp(disk: Disk, names: readonly string[]): Promise<void> {
  const there = await disk.list();
  for (const name of names) if (there.includes(name)) await disk.rename(name, givenUp(name));
  if (names.length > 0) await disk.syncNames();
}
