// How an incarnation begins, from what the folder holds: what it takes over, what its first segment says, and which files it
// gives up. Pure, but for the names that it draws.

import { dirname } from "node:path";
import { WeirError } from "../../errors.ts";
import { copies, segmentName, snapshotName } from "./file-names.ts";
import type { Folder } from "./folder.ts";
import { type Decision, decide } from "./recovery.ts";
import type { SegmentHead } from "./segment.ts";

export interface LogRecovery {
  /** Of this incarnation; durable already. */
  readonly epoch: number;
  /** Body of the newest good snapshot. */
  readonly snapshot: Uint8Array | null;
  /** Bodies of the commits behind it, in order. */
  readonly commits: readonly Uint8Array[];
  /** Dropped at the end, of a commit that was never finished; 0 normally. */
  readonly tornBytes: number;
  /** Names of copies of snapshots that are no good, where another one does and nothing was lost by that. */
  readonly badCopies: readonly string[];
  /** What `acceptLoss` accepted; null when nothing is missing. */
  readonly loss: LogLoss | null;
}

export interface LogLoss {
  readonly reason: string;
  /** Commits from this number on are lost … */
  readonly from: number;
  /** … up to this one at least; null where nobody knows of one. */
  readonly through: number | null;
}

export interface StartOptions {
  readonly owner: string;
  readonly acceptLoss: boolean;
  readonly random: (bytes: number) => Uint8Array;
}

export interface Start {
  readonly recovery: LogRecovery;
  readonly head: SegmentHead;
  /** Commits that the first segment is to hold from the beginning. */
  readonly carried: readonly Uint8Array[];
  /** Of the last commit. */
  readonly number: number;
  /** Of the newest snapshot, whole or not. */
  readonly generation: number;
  /** Of segments behind the snapshot. */
  readonly bytes: number;
  /** Names of files that stay only for whoever wants to look at what was lost. */
  readonly givenUp: readonly string[];
  /** Names of files that never counted. */
  readonly leftOver: readonly string[];
}

export function startOf(place: string, folder: Folder, options: StartOptions): Start {
  const { files } = folder;
  const isNew = files.segments.length === 0 && files.snapshots.length === 0 && !files.position;
  const decision = isNew ? nothing : decide(folder);
  refuseOther(place, folder, options.owner);
  if (decision.damage !== null && !options.acceptLoss)
    throw damageOf(place, decision, decision.damage.reason, options.owner);
  const head = headOf(folder, decision, options);
  const carried = decision.lastUnsure ? decision.commits.slice(-1).map(({ body }) => body) : [];
  return {
    head,
    carried,
    recovery: recoveryOf(folder, decision, head),
    number: decision.number,
    generation: files.snapshots.at(-1) ?? 0,
    bytes: decision.commits.reduce((sum, { bytes }) => sum + bytes, 0),
    givenUp: decision.damage === null ? [] : givenUpOf(folder, decision),
    leftOver: [...files.unfinished, ...emptyBefore(folder, head)],
  };
}

const nothing: Decision = {
  number: 0,
  sequence: 0,
  commits: [],
  tornBytes: 0,
  lastUnsure: false,
  damage: null,
};

/** What follows a loss is another log to the outside: its numbers were in use for other commits. */
function headOf(
  { files, newest, snapshot, position }: Folder,
  decision: Decision,
  o: StartOptions,
): SegmentHead {
  const known = decision.damage === null ? newest : null;
  return {
    origin: newest?.origin ?? snapshot?.origin ?? Buffer.from(o.random(16)).toString("hex"),
    id: known?.id ?? Buffer.from(o.random(12)).toString("base64url"),
    owner: o.owner,
    sequence: Math.max(files.segments.at(-1) ?? 0, position?.sequence ?? 0) + 1,
    epoch: Math.max(newest?.epoch ?? 0, snapshot?.epoch ?? 0, position?.epoch ?? 0) + 1,
    first: decision.number + (decision.lastUnsure ? 0 : 1),
  };
}

function recoveryOf({ snapshot, badCopies }: Folder, decision: Decision, head: SegmentHead): LogRecovery {
  const { damage, number } = decision;
  return {
    epoch: head.epoch,
    snapshot: snapshot?.body ?? null,
    commits: decision.commits.map(({ body }) => body),
    tornBytes: decision.tornBytes,
    badCopies: snapshot === null ? [] : badCopies,
    loss:
      damage === null
        ? null
        : {
            reason: damage.reason,
            from: number + 1,
            through: damage.known > number ? damage.known : null,
          },
  };
}

/** An empty segment at the end is replaced by the next one, so that starts without commits leave no files. */
function emptyBefore({ newest, files }: Folder, head: SegmentHead): readonly string[] {
  const isEmpty = newest !== null && newest.sequence === files.segments.at(-1) && newest.first === head.first;
  return isEmpty ? [segmentName(newest.sequence)] : [];
}

function givenUpOf({ files, snapshot }: Folder, decision: Decision): string[] {
  const segments = files.segments.filter((sequence) => sequence > decision.sequence).map(segmentName);
  const snapshots = files.snapshots
    .filter((generation) => generation > (snapshot?.generation ?? 0))
    .flatMap((generation) => copies.map((copy) => snapshotName(generation, copy)));
  return [...segments, ...snapshots];
}

function refuseOther(place: string, { newest }: Folder, owner: string): void {
  if (newest === null || newest.owner === owner) return;
  throw new WeirError("WEIR_STATE", `${place}: the state is of "${newest.owner}", expected "${owner}"`, {
    remedy: `a folder of state is known by its name: call it ${newest.owner} again, or move it out of ${dirname(place)}`,
  });
}

function damageOf(place: string, { number }: Decision, reason: string, owner: string): WeirError {
  // Whose folder it is: the pipelines that share it are named together.
  const [name] = owner.split("+");
  const kept = number === 0 ? "nothing of it" : `what was committed up to ${number}`;
  return new WeirError("WEIR_STATE", `${place}: the commit log is damaged: ${reason}`, {
    remedy:
      "start it again, which helps where the disk only failed to read; then look with `weir outbox export` at the rows that can still be read, " +
      `and start once with \`weir run FILE --state ${dirname(place)} --accept-loss ${name}\`, which keeps ${kept}, begins a new log, ` +
      "and makes what is missing anew from what the source still has; what of that had been sent already comes twice. " +
      "A copy of the folder that was made while nothing ran, and after which nothing ran, loses nothing",
  });
}
