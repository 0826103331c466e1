// What one commit writes down, and what a snapshot of the log does, as bytes and back. Knows nothing of disks.

import { copied, listOf, member, type Plain, sameBytesOf, textOf } from "../state/plain.ts";
import { viewPlain, written } from "../state/written.ts";

/** All that a commit changes, at one place between two batches. */
export interface Commit {
  /** The pipelines that run; null where they are those of the last commit. */
  readonly pipelines: readonly string[] | null;
  /** By source, the position up to which it is settled; null before its first. */
  readonly positions: readonly Plain[];
  /** By pipeline, how its state differs from the last commit's; absent where it does not. */
  readonly states: ReadonlyMap<string, Uint8Array>;
  /** What the outbox was given since the last commit. */
  readonly outputs: Plain;
  /** By chain, where the other side is known to have it; plain data of its target. */
  readonly places: Plain;
}

/** A pipeline that is not run at present, as it was when it last was. */
export interface Away {
  readonly positions: readonly Plain[];
  /** Of its state, to be applied to nothing, in order. */
  readonly changes: readonly Uint8Array[];
}

/** All of it: what was true after one commit. */
export interface Snapshot {
  readonly pipelines: readonly string[];
  /** By name. */
  readonly away: ReadonlyMap<string, Away>;
  readonly positions: readonly Plain[];
  /** By pipeline, its whole state. */
  readonly states: ReadonlyMap<string, Uint8Array>;
  /** What the outbox holds, and where. */
  readonly outbox: Plain;
  readonly places: Plain;
}

/** What a log tells of its runner. */
export interface Recovered {
  /** By pipeline, by source, up to where it was settled when it last ran. */
  readonly positions: ReadonlyMap<string, readonly Plain[]>;
  /** By pipeline, changes to be applied to nothing, in order: views of what was read, which nobody else keeps. */
  readonly states: Map<string, readonly Uint8Array[]>;
  readonly outbox: Plain | null;
  /** What the outbox was given after that, commit by commit. */
  readonly outputs: readonly Plain[];
  /** Null where nothing was committed yet. */
  readonly places: Plain;
}

function statesData(states: ReadonlyMap<string, Uint8Array>): Plain {
  return [...states].map(([name, bytes]) => [name, bytes]);
}

function statesOf(data: Plain): Map<string, Uint8Array> {
  return new Map(
    listOf(data).map((pair) => {
      const [name, bytes] = listOf(pair, 2);
      return [textOf(name!), sameBytesOf(bytes!)];
    }),
  );
}

export function commitBody({ pipelines, positions, states, outputs, places }: Commit): Uint8Array {
  return written({ pipelines, positions, states: statesData(states), outputs, places });
}

export function snapshotBody({ pipelines, away, positions, states, outbox, places }: Snapshot): Uint8Array {
  const others = [...away].map(([name, each]): Plain => [name, each.positions, each.changes]);
  return written({ pipelines, away: others, positions, states: statesData(states), outbox, places });
}

/** What the bodies of a snapshot and of the commits behind it say together. Throws WEIR_STATE where they are none. */
export function recoveredFrom(snapshot: Uint8Array | null, commits: readonly Uint8Array[]): Recovered {
  const reader = new BodyReader();
  if (snapshot !== null) reader.snapshot(viewPlain(snapshot));
  for (const body of commits) reader.commit(viewPlain(body));
  return reader.recovered();
}

class BodyReader {
  readonly #positions = new Map<string, readonly Plain[]>();
  readonly #states = new Map<string, Uint8Array[]>();
  readonly #outputs: Plain[] = [];
  #outbox: Plain | null = null;
  #places: Plain = null;
  #running: readonly string[] = [];
  #last: readonly Plain[] = [];

  snapshot(data: Plain): void {
    for (const each of listOf(member(data, "away"))) {
      const [name, positions, changes] = listOf(each, 3) as [Plain, Plain, Plain];
      this.#positions.set(textOf(name), listOf(copied(positions)));
      this.#states.set(
        textOf(name),
        listOf(changes).map((change) => sameBytesOf(change)),
      );
    }
    this.#take(data);
    this.#outbox = copied(member(data, "outbox"));
  }

  commit(data: Plain): void {
    this.#take(data);
    this.#outputs.push(copied(member(data, "outputs")));
  }

  recovered(): Recovered {
    this.#note();
    return {
      positions: this.#positions,
      states: this.#states,
      outbox: this.#outbox,
      outputs: this.#outputs,
      places: copied(this.#places),
    };
  }

  #take(data: Plain): void {
    const pipelines = member(data, "pipelines");
    if (pipelines !== null) {
      this.#note();
      this.#running = listOf(pipelines).map(textOf);
    }
    this.#last = listOf(member(data, "positions"));
    this.#places = member(data, "places");
    for (const [name, change] of statesOf(member(data, "states"))) {
      const changes = this.#states.get(name);
      if (changes === undefined) this.#states.set(name, [change]);
      else changes.push(change);
    }
  }

  /** Those that ran until here have come as far as the last commit. */
  #note(): void {
    const last = listOf(copied(this.#last));
    for (const name of this.#running) this.#positions.set(name, last);
  }
}
