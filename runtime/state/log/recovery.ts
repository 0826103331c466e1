// What a folder's files amount to: which commits stand, whether the end of the log is one that was never finished, and what is
// damage. Pure: files come in as what they hold, and a decision comes out. Nothing is read, written or removed here.
//
// The last segment ends where no whole commit follows. What is there was never finished, and is dropped, unless one of these says
// that a commit was acknowledged at that place: the position file knows of it, or a later commit begins behind it (a commit is
// begun only when the one before is durable). Earlier segments are settled by the first number of the one behind them. So a
// commit that was acknowledged cannot be dropped in silence, however it was damaged, with one exception that no log with
// one synchronisation for each commit can avoid: after a power cut, commits at the very end that are damaged or cut off, while
// the position that would tell had not reached the disk either. After a mere end of the process it always has.

import { segmentName } from "./file-names.ts";
import type { Position } from "./position-file.ts";
import type { Commit, Segment } from "./segment.ts";
import type { Snapshot } from "./snapshot-file.ts";

export interface FolderContent {
  /** The newest snapshot that is whole. */
  readonly snapshot: Snapshot | null;
  /** By sequence, the oldest first. Those before the one in use may be left out. */
  readonly segments: readonly FoundSegment[];
  readonly position: Position | null;
  /** Names of copies of snapshots that were looked at and are no good, or missing. */
  readonly badCopies: readonly string[];
}

export interface FoundSegment {
  readonly sequence: number;
  /** What it holds, or what is wrong with it. */
  readonly segment: Segment | string;
}

export interface Decision {
  /** Of the last commit that stands, within the snapshot or behind it; 0 when there is none. */
  readonly number: number;
  /** Of the segment that holds it; 0 when none does. */
  readonly sequence: number;
  /** Those behind the snapshot, in order. */
  readonly commits: readonly Commit[];
  readonly tornBytes: number;
  /** True when the last commit may be in the memory of the system alone: it is to be written again before it is believed. */
  readonly lastUnsure: boolean;
  readonly damage: Damage | null;
}

export interface Damage {
  readonly reason: string;
  /** The greatest number of a commit that is known to have been there. */
  readonly known: number;
}

/** True for the segment from which on segments count behind commit `number`: the last one that begins no later. */
export function isInUse({ segment }: FoundSegment, number: number): boolean {
  return typeof segment !== "string" && segment.first <= number + 1;
}

export function decide(content: FolderContent): Decision {
  const { segments, position } = content;
  const walk = walked(content);
  const newest = segments.at(-1);
  const acknowledged =
    newest !== undefined && position?.sequence === newest.sequence ? position.number : null;
  const reason = reasonOf(walk, content);
  const known = Math.max(0, position?.number ?? 0, ...segments.map(knownOf));
  const torn = newest === undefined || typeof newest.segment === "string" ? 0 : newest.segment.restBytes;
  return {
    number: walk.number,
    sequence: walk.sequence,
    commits: walk.commits,
    tornBytes: reason === null ? torn : 0,
    lastUnsure: walk.sequence === newest?.sequence && (acknowledged ?? 0) < walk.number,
    damage: reason === null ? null : { reason, known },
  };
}

/** What is damaged, by the names of the files; null where nothing is that counts. */
function reasonOf({ reason, number }: Walk, { segments, position, badCopies }: FolderContent): string | null {
  const found = reason ?? missingAtEnd(number, segments.at(-1), position);
  return found === null || badCopies.length === 0
    ? found
    : `${badCopies.join(" and ")} cannot be used; ${found}`;
}

/** What the position knows that is not there; null where nothing is. */
function missingAtEnd(
  number: number,
  newest: FoundSegment | undefined,
  position: Position | null,
): string | null {
  if (newest === undefined)
    return `there is no ${segmentName(position?.sequence ?? 1)}, nor any other segment`;
  if (position === null || position.sequence < newest.sequence) return null;
  if (position.sequence > newest.sequence) return `${segmentName(position.sequence)} is missing`;
  if (position.number <= number) return null;
  return `commit ${number + 1} in ${segmentName(newest.sequence)} was acknowledged and is damaged or cut off`;
}

interface Walk {
  readonly number: number;
  readonly sequence: number;
  readonly commits: readonly Commit[];
  /** What stopped it before the end. */
  readonly reason: string | null;
}

/** Gathers commits segment by segment, as far as one follows the other. */
function walked({ snapshot, segments }: FolderContent): Walk {
  const commits: Commit[] = [];
  let number = snapshot?.number ?? 0;
  let sequence = 0;
  const stop = (reason: string | null): Walk => ({ number, sequence, commits, reason });
  const start = segments.findLastIndex((found) => isInUse(found, snapshot?.number ?? 0));
  for (const [index, found] of segments.slice(Math.max(start, 0)).entries()) {
    const { segment } = found;
    if (typeof segment === "string") return stop(`${segmentName(found.sequence)} ${segment}`);
    if (segment.first > number + 1) {
      const before = sequence === 0 ? "" : `in ${segmentName(sequence)} `;
      return stop(
        `commit ${number + 1} ${before}is damaged or missing, and ${segmentName(found.sequence)} begins behind it`,
      );
    }
    const next = segments[Math.max(start, 0) + index + 1]?.segment;
    // What a segment holds beyond the first commit of the next one was never finished, or was written again there.
    const end = next === undefined || typeof next === "string" ? Infinity : next.first;
    for (const commit of segment.commits) {
      if (commit.number <= number || commit.number >= end) continue;
      commits.push(commit);
      number = commit.number;
      sequence = segment.sequence;
    }
    if (segment.beyond !== null && segment.beyond < end)
      return stop(
        `commit ${number + 1} in ${segmentName(found.sequence)} is damaged, and commit ${segment.beyond} follows it`,
      );
  }
  return stop(null);
}

function knownOf({ segment }: FoundSegment): number {
  if (typeof segment === "string") return 0;
  return Math.max(segment.first + segment.commits.length - 1, segment.beyond ?? 0);
}
