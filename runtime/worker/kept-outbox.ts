// The outbox of a state folder that no worker works with: opened to be looked at. Takes the folder's lock meanwhile, so that
// no worker starts on it, and writes nothing.

import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../clock.ts";
import { WeirError } from "../errors.ts";
import { FileDisk } from "../state/log/file-disk.ts";
import { badCopiesIn, readFolder } from "../state/log/folder.ts";
import { decide } from "../state/log/recovery.ts";
import { Outbox } from "../state/outbox/outbox.ts";
import { recoveredFrom } from "./commit-body.ts";
import { stateFolders } from "./state-folders.ts";

export interface KeptOutbox {
  readonly folder: string;
  readonly outbox: Outbox;
  /** Why commits behind the last one that stands cannot be read; null when all is well. */
  readonly damage: string | null;
  /** Bytes of a commit that was never finished. */
  readonly tornBytes: number;
  /** Names of copies of the snapshot in use that are no good; with the other one nothing is lost. */
  badCopies(): Promise<readonly string[]>;
}

/** Paths of the folders in `state` that hold an outbox: its own, where it is one, or those in it. */
export function outboxFolders(state: string): readonly string[] {
  if (!existsSync(state))
    throw new WeirError("WEIR_FILE", `there is no ${state}`, {
      remedy: "name the state folder, as --state of weir run or `state` in weir.yaml does",
    });
  if (!statSync(state).isDirectory())
    throw new WeirError("WEIR_FILE", `${state} is no folder`, {
      remedy: "name the state folder, as --state of weir run or `state` in weir.yaml does",
    });
  const inside = stateFolders(state).map(({ name }) => join(state, name));
  if (inside.length > 0) return inside;
  if (existsSync(join(state, "pipelines.json"))) return [state];
  throw new WeirError("WEIR_FILE", `${state} is no state folder`, {
    remedy: "name the one that weir run was given; it has a folder for each group of pipelines",
  });
}

/** Hands the outbox in `folder` to `look`. Rejects with WEIR_STATE where a worker has the folder. */
export async function withKeptOutbox<Answer>(
  folder: string,
  clock: Clock,
  look: (kept: KeptOutbox) => Promise<Answer>,
): Promise<Answer> {
  const disk = await FileDisk.open(folder);
  const lock = await disk.lock();
  if (lock === null)
    throw new WeirError("WEIR_STATE", `${folder}: a worker works with this folder`, {
      remedy: "end it first; `weir outbox ls` without a folder asks those that run",
    });
  try {
    return await look(await open(folder, disk, clock));
  } finally {
    await lock.release();
  }
}

async function open(folder: string, disk: FileDisk, clock: Clock): Promise<KeptOutbox> {
  const found = await readFolder(disk);
  const { segments, snapshots, position } = found.files;
  const isNew = segments.length === 0 && snapshots.length === 0 && !position;
  const { commits, damage, tornBytes } = isNew ? { commits: [], damage: null, tornBytes: 0 } : decide(found);
  const recovered = recoveredFrom(
    found.snapshot?.body ?? null,
    commits.map(({ body }) => body),
  );
  // All that the log has stays in memory, as nothing is to be written.
  const outbox = await Outbox.open(disk, recovered.outbox, {
    clock,
    memoryBytes: Number.POSITIVE_INFINITY,
    lookedAt: true,
  });
  for (const frame of recovered.outputs) outbox.replay(frame);
  return {
    folder,
    outbox,
    damage: damage?.reason ?? null,
    tornBytes,
    badCopies: () => badCopiesIn(disk, found),
  };
}
