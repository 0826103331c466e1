// Reads what a folder holds, as far as it counts, for `decide`. Changes nothing.

import { messageOf, WeirError } from "../../errors.ts";
import { limits } from "../../limits.ts";
import { headBytes, pageBytes } from "./block.ts";
import type { Disk } from "./disk.ts";
import { isRefusal } from "./disk-fault.ts";
import { copies, type LogFiles, logFiles, positionName, segmentName, snapshotName } from "./file-names.ts";
import { type Position, readPositions } from "./position-file.ts";
import { type FolderContent, type FoundSegment, isInUse } from "./recovery.ts";
import { readSegment, type Segment, segmentFileBytesMax } from "./segment.ts";
import { readSnapshot, type Snapshot } from "./snapshot-file.ts";
import { readWhole } from "./whole-file.ts";

export interface Folder extends FolderContent {
  readonly files: LogFiles;
  /** Of the newest segment that is whole; null where there is none. */
  readonly newest: Segment | null;
}

export async function readFolder(disk: Disk): Promise<Folder> {
  const names = await disk.list();
  const files = logFiles(names);
  const waiting = [...files.segments];
  const segments: FoundSegment[] = [];
  let newest: Segment | null = null;
  // Backwards: how far back is needed is known only with a snapshot, and which snapshots count only with a segment.
  const readUntil = async (isEnough: () => boolean): Promise<void> => {
    while (!isEnough()) {
      const sequence = waiting.pop();
      if (sequence === undefined) return;
      const segment = await readFoundSegment(disk, sequence, newest?.origin ?? null);
      if (typeof segment !== "string") newest ??= segment;
      segments.unshift({ sequence, segment });
    }
  };
  await readUntil(() => newest !== null);
  const origin = (newest as Segment | null)?.origin ?? null;
  const { snapshot, badCopies } = await newestSnapshot(disk, files, names, origin);
  const number = snapshot?.number ?? 0;
  await readUntil(() => segments.some((found) => isInUse(found, number)));
  const position = await readPosition(disk, files, origin ?? snapshot?.origin ?? null);
  return { files, newest, snapshot, badCopies, segments, position };
}

async function readFoundSegment(
  disk: Disk,
  sequence: number,
  origin: string | null,
): Promise<Segment | string> {
  const bytes = await readable(readWhole(disk, segmentName(sequence), segmentFileBytesMax));
  if (typeof bytes === "string") return bytes;
  const segment = bytes === null ? null : readSegment(bytes, sequence);
  if (segment === null) return "does not begin as one";
  return origin !== null && segment.origin !== origin ? "is of another log" : segment;
}

async function newestSnapshot(
  disk: Disk,
  files: LogFiles,
  names: readonly string[],
  origin: string | null,
): Promise<{ readonly snapshot: Snapshot | null; readonly badCopies: readonly string[] }> {
  const badCopies: string[] = [];
  for (const generation of files.snapshots.toReversed()) {
    for (const copy of copies) {
      const name = snapshotName(generation, copy);
      const snapshot = names.includes(name) ? await readCopy(disk, name, generation) : null;
      if (snapshot !== null && (origin === null || snapshot.origin === origin))
        return { snapshot, badCopies };
      badCopies.push(name);
    }
  }
  return { snapshot: null, badCopies };
}

async function readCopy(disk: Disk, name: string, generation: number): Promise<Snapshot | null> {
  const found = await readable(readWhole(disk, name, most));
  return found instanceof Uint8Array ? readSnapshot(found, generation) : null;
}

/** Those of the copies that a start would go on from which are no good, also where the other one does. */
export async function badCopiesIn(disk: Disk, { snapshot, badCopies }: Folder): Promise<readonly string[]> {
  if (snapshot === null) return badCopies;
  const { generation, origin } = snapshot;
  const there = await disk.list();
  const found: string[] = [];
  for (const copy of copies) {
    const name = snapshotName(generation, copy);
    const read = there.includes(name) ? await readCopy(disk, name, generation) : null;
    if (read?.origin !== origin) found.push(name);
  }
  return [...new Set([...badCopies, ...found])];
}

const most = limits.log_snapshot_bytes_max + headBytes;

async function readPosition(disk: Disk, files: LogFiles, origin: string | null): Promise<Position | null> {
  if (!files.position) return null;
  const bytes = await readable(readWhole(disk, positionName, 16 * pageBytes));
  const position = bytes instanceof Uint8Array ? readPositions(bytes) : null;
  return position !== null && (origin === null || position.origin === origin) ? position : null;
}

/** What was read, or why it cannot be. What the disk refuses is no fault of the file's. */
async function readable<Read>(reading: Promise<Read>): Promise<Read | string> {
  try {
    return await reading;
  } catch (error) {
    if (isRefusal(error) || error instanceof WeirError) throw error;
    return `cannot be read: ${messageOf(error)}`;
  }
}
