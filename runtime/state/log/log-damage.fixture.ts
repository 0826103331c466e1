// A whole log as files, what it is found to hold once they are damaged, and ways to damage them.

import { expect } from "vitest";
import { WeirError } from "../../errors.ts";
import { openCommitLog } from "./commit-log.ts";
import { seededBytes, textsOf, Witness } from "./log-lives.fixture.ts";
import { MemoryDisk } from "./memory-disk.ts";

export type Image = ReadonlyMap<string, Uint8Array>;

/** A log with a snapshot, a segment behind it and one of a second life, and what it holds. */
export async function wholeLog(): Promise<{ readonly image: Image; readonly texts: readonly string[] }> {
  const disk = new MemoryDisk();
  const witness = new Witness();
  const before = [{ append: 0 }, { append: 0 }, { checkpoint: true }, { append: 40 }, { append: 5 }] as const;
  expect(await witness.live(disk, before, 1)).toBeNull();
  const next = disk.afterKill();
  expect(await witness.live(next, [{ append: 7 }, { append: 4200 }, { append: 9 }], 2)).toBeNull();
  const image = new Map([...next.files()].sort(([one], [other]) => (one < other ? -1 : 1)));
  expect([...image.keys()]).toEqual([
    "position",
    "segment-0000000002",
    "segment-0000000003",
    "snapshot-0000000001-a",
    "snapshot-0000000001-b",
  ]);
  return { image, texts: witness.texts };
}

export interface Found {
  readonly texts: readonly string[];
  readonly usedTwin: boolean;
  readonly torn: number;
}

/** What a log with these files is found to hold; null where it is refused as damaged. Anything else is thrown. */
export async function found(files: Image): Promise<Found | null> {
  try {
    const { recovery } = await openCommitLog(MemoryDisk.of(files), { random: seededBytes(1) });
    return { texts: textsOf(recovery), usedTwin: recovery.badCopies.length > 0, torn: recovery.tornBytes };
  } catch (error) {
    if (error instanceof WeirError && error.code === "WEIR_STATE") return null;
    throw error;
  }
}

export function flipped(bytes: Uint8Array, position: number, mask: number): Uint8Array {
  const copy = bytes.slice();
  copy[position] = copy[position]! ^ mask;
  return copy;
}

/** Damages one file, in a way drawn at random. */
export function damaged(files: Image, random: () => number): Image {
  const names = [...files.keys()];
  const below = (end: number): number => Math.floor(random() * end);
  const name = names[below(names.length)]!;
  const bytes = files.get(name)!;
  const copy = bytes.slice();
  const other = files.get(names[below(names.length)]!)!;
  const ways: readonly (() => Uint8Array | null)[] = [
    () => flipped(bytes, below(bytes.length), 1 << below(8)),
    () => flipped(bytes, Math.min(bytes.length - 1, below(4) * 4096 + below(70)), 1 + below(255)),
    () => bytes.subarray(0, below(bytes.length)),
    () => bytes.subarray(0, below(4) * 4096),
    () => Buffer.concat([bytes, Uint8Array.from({ length: below(9000) }, () => random() * 256)]),
    () => Buffer.concat([bytes, new Uint8Array(below(9000))]),
    () => Buffer.concat([bytes, bytes.subarray(4096 * below(3))]),
    () => copy.fill(0, below(bytes.length)),
    () => copy.fill(below(256), below(bytes.length), below(bytes.length)),
    () => copy.copyWithin(4096 * below(4), 4096 * below(4), 4096 * below(4)),
    () => other,
    () => null,
  ];
  const next = new Map(files);
  const result = bytes.length === 0 ? null : ways[below(ways.length)]!();
  if (result === null) next.delete(name);
  else next.set(name, result);
  return next;
}
