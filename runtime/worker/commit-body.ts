// What one commit writes down, and what a snapshot of the log does, as bytes and back. Knows nothing of disks.

import { bytesOf, isMap, listOf, member, type Plain, textOf } from "../state/plain.ts";
import { readPlain, written } from "../state/written.ts";

/** All that a commit changes, at one place between two batches. */
export interface Commit {
  /** By source, the position up to which it is settled; null before its first. */
  readonly positions: readonly Plain[];
  /** By pipeline, how its state differs from the last commit's; absent where it does not. */
  readonly states: ReadonlyMap<string, Uint8Array>;
  /** What the outbox was given since the last commit. */
  readonly outputs: Plain;
}

/** All of it: what was true after one commit. */
export interface Snapshot {
  readonly positions: readonly Plain[];
  /** By pipeline, its whole state. */
  readonly states: ReadonlyMap<string, Uint8Array>;
  /** What the outbox holds, and where. */
  readonly outbox: Plain;
}

/** What a log tells of its runner. */
export interface Recovered {
  /** By source; empty where nothing was committed yet. */
  readonly positions: readonly Plain[];
  /** By pipeline, changes to be applied to nothing, in order. */
  readonly states: ReadonlyMap<string, readonly Uint8Array[]>;
  readonly outbox: Plain | null;
  /** What the outbox was given after that, commit by commit. */
  readonly outputs: readonly Plain[];
}

function statesData(states: ReadonlyMap<string, Uint8Array>): Plain {
  return [...states].map(([name, bytes]) => [name, bytes]);
}

function statesOf(data: Plain): Map<string, Uint8Array> {
  return new Map(
    listOf(data).map((pair) => {
      const [name, bytes] = listOf(pair, 2);
      return [textOf(name!), bytesOf(bytes!)];
    }),
  );
}

export function commitBody({ positions, states, outputs }: Commit): Uint8Array {
  return written({ positions, states: statesData(states), outputs });
}

export function snapshotBody({ positions, states, outbox }: Snapshot): Uint8Array {
  return written({ positions, states: statesData(states), outbox });
}

/** What the bodies of a snapshot and of the commits behind it say together. Throws WEIR_STATE where they are none. */
export function recoveredFrom(snapshot: Uint8Array | null, commits: readonly Uint8Array[]): Recovered {
  let positions: readonly Plain[] = [];
  let outbox: Plain | null = null;
  const states = new Map<string, Uint8Array[]>();
  const outputs: Plain[] = [];
  const add = (data: Plain): void => {
    positions = listOf(member(data, "positions"));
    for (const [name, change] of statesOf(member(data, "states"))) {
      const changes = states.get(name);
      if (changes === undefined) states.set(name, [change]);
      else changes.push(change);
    }
  };
  if (snapshot !== null) {
    const data = readPlain(snapshot);
    add(data);
    outbox = member(data, "outbox");
  }
  for (const body of commits) {
    const data = readPlain(body);
    add(data);
    outputs.push(member(data, "outputs"));
  }
  return { positions, states, outbox: isMap(outbox) || Array.isArray(outbox) ? outbox : null, outputs };
}
