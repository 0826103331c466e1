// Files of a log are damaged in every way: each damage is found, or costs nothing; never is a commit another than it was.

import { beforeAll, expect, test } from "vitest";
import { WeirError } from "../../errors.ts";
import { openCommitLog } from "./commit-log.ts";
import { seeded, seededBytes, textsOf, Witness } from "./log-lives.fixture.ts";
import { MemoryDisk } from "./memory-disk.ts";

type Image = Map<string, Uint8Array>;

/** A log with a snapshot, a segment behind it and one of a second life, and what it holds. */
let image: Image;
let texts: readonly string[];
let segments: readonly string[];

beforeAll(async () => {
  const disk = new MemoryDisk();
  const witness = new Witness();
  const before = [{ append: 0 }, { append: 0 }, { checkpoint: true }, { append: 40 }, { append: 5 }] as const;
  expect(await witness.live(disk, before, 1)).toBeNull();
  const next = disk.afterKill();
  expect(await witness.live(next, [{ append: 7 }, { append: 4200 }, { append: 9 }], 2)).toBeNull();
  image = new Map([...next.files()].sort(([one], [other]) => (one < other ? -1 : 1)));
  image.delete("reserve");
  texts = witness.texts;
  segments = [...image.keys()].filter((name) => name.startsWith("segment"));
  expect([...image.keys()]).toEqual([
    "position",
    "segment-0000000002",
    "segment-0000000003",
    "snapshot-0000000001-a",
    "snapshot-0000000001-b",
  ]);
  expect(await found(image)).toMatchObject({ texts, usedTwin: false });
});

interface Found {
  readonly texts: readonly string[];
  readonly usedTwin: boolean;
  readonly torn: number;
}

/** What a log with these files is found to hold; null where it is refused as damaged. */
async function found(files: Image): Promise<Found | null> {
  try {
    const { recovery } = await openCommitLog(MemoryDisk.of(files), { random: seededBytes(1) });
    expect(recovery.loss).toBeNull();
    return { texts: textsOf(recovery), usedTwin: recovery.usedTwin, torn: recovery.tornBytes };
  } catch (error) {
    if (error instanceof WeirError && error.code === "WEIR_STATE") return null;
    throw error;
  }
}

function withFile(name: string, bytes: Uint8Array): Image {
  return new Map([...image, [name, bytes]]);
}

function flipped(bytes: Uint8Array, position: number, mask: number): Uint8Array {
  const copy = bytes.slice();
  copy[position] = copy[position]! ^ mask;
  return copy;
}

test("every flipped byte of a segment is found", async () => {
  const random = seeded(3);
  let cases = 0;
  for (const name of segments) {
    const bytes = image.get(name)!;
    for (let position = 0; position < bytes.length; position++) {
      const mask = 1 << Math.floor(random() * 8);
      expect(
        await found(withFile(name, flipped(bytes, position, mask))),
        `${name} at ${position}`,
      ).toBeNull();
      cases++;
    }
  }
  expect(cases).toBeGreaterThan(20_000);
});

test("every flipped bit of a head and a body is found", async () => {
  let cases = 0;
  for (const name of segments) {
    const bytes = image.get(name)!;
    for (let position = 0; position < bytes.length; position++) {
      if (position % 4096 >= 140) continue;
      for (let bit = 0; bit < 8; bit++) {
        expect(await found(withFile(name, flipped(bytes, position, 1 << bit)))).toBeNull();
        cases++;
      }
    }
  }
  expect(cases).toBeGreaterThan(6000);
});

test("a flipped bit of a copy of the snapshot, or of the position, costs nothing", async () => {
  for (const name of [...image.keys()].filter((each) => !segments.includes(each))) {
    const bytes = image.get(name)!;
    for (let position = 0; position < bytes.length; position += position % 4096 < 140 ? 1 : 61) {
      const what = await found(withFile(name, flipped(bytes, position, 1 << (position % 8))));
      expect(what, `${name} at ${position}`).toEqual({ texts, usedTwin: name.endsWith("-a"), torn: 0 });
    }
  }
});

test("every length that a file may be cut to is found, or costs nothing", async () => {
  let cases = 0;
  for (const [name, bytes] of image) {
    const isSegment = segments.includes(name);
    for (let length = 0; length < bytes.length; length += name === "position" ? 37 : 1) {
      const what = await found(withFile(name, bytes.subarray(0, length)));
      const expected = isSegment ? null : { texts, usedTwin: name.endsWith("-a"), torn: 0 };
      expect(what, `${name} cut to ${length}`).toEqual(expected);
      cases++;
    }
  }
  expect(cases).toBeGreaterThan(20_000);
});

test("every missing file is found, or costs nothing", async () => {
  for (const name of image.keys()) {
    const without = new Map(image);
    without.delete(name);
    const expected = segments.includes(name) ? null : { texts, usedTwin: name.endsWith("-a"), torn: 0 };
    expect(await found(without), name).toEqual(expected);
  }
  const withoutSnapshots = [...image].filter(([name]) => !name.startsWith("snapshot"));
  expect(await found(new Map(withoutSnapshots))).toBeNull();
  expect(await found(new Map([["position", image.get("position")!]]))).toBeNull();
});

test("both copies of the snapshot damaged is refused", async () => {
  const damaged = new Map(image);
  for (const copy of ["a", "b"]) {
    const name = `snapshot-0000000001-${copy}`;
    damaged.set(name, flipped(image.get(name)!, 70, 4));
  }
  expect(await found(damaged)).toBeNull();
});

test("zeros or garbage behind the end are dropped and counted", async () => {
  const random = seeded(5);
  const name = segments.at(-1)!;
  const bytes = image.get(name)!;
  for (let length = 1; length < 9000; length += 83) {
    for (const fill of [() => 0, () => random() * 256]) {
      const tail = Uint8Array.from({ length }, fill);
      const what = await found(withFile(name, Buffer.concat([bytes, tail])));
      expect(what).toEqual({ texts, usedTwin: false, torn: length });
    }
  }
});

/** Damages one file, in a way drawn at random. */
function damaged(files: Image, random: () => number): Image {
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

test("20,000 damages at random: found, or nothing lost; with several, never a wrong commit", async () => {
  let refused = 0;
  let fine = 0;
  for (let seed = 0; seed < 20_000; seed++) {
    const random = seeded(seed);
    let files = damaged(image, random);
    const isSingle = seed % 4 < 3;
    for (let more = isSingle ? 0 : 1 + random() * 2; more > 0; more--) files = damaged(files, random);
    const what = await found(files);
    if (what === null) refused++;
    else if (isSingle) expect(what.texts, `seed ${seed}`).toEqual(texts);
    else expect(what.texts, `seed ${seed}`).toEqual(texts.slice(0, what.texts.length));
    if (what?.texts.length === texts.length) fine++;
  }
  expect(refused).toBeGreaterThan(5000);
  expect(fine).toBeGreaterThan(5000);
});

test("with acceptLoss any damage opens, says what is lost, and the log goes on as another one", async () => {
  const options = { random: seededBytes(1) };
  const original = await openCommitLog(MemoryDisk.of(image), options);
  let losses = 0;
  for (let seed = 0; seed < 2000; seed++) {
    const random = seeded(seed);
    let disk = MemoryDisk.of(damaged(damaged(image, random), random));
    const { log, recovery } = await openCommitLog(disk, { random: seededBytes(seed + 7), acceptLoss: true });
    const left = textsOf(recovery);
    expect(left).toEqual(texts.slice(0, left.length));
    const isLoss = recovery.loss !== null;
    if (isLoss) {
      losses++;
      expect(recovery.loss).toMatchObject({ from: left.length + 1 });
      expect(log.id).not.toBe(original.log.id);
    }
    expect(await log.append(Buffer.from("after"))).toBe(left.length + 1);
    disk = disk.afterCrash(random);
    const again = await openCommitLog(disk, options);
    expect(textsOf(again.recovery)).toEqual([...left, "after"]);
    expect(again.recovery.loss).toBeNull();
    expect(again.log.id).toBe(log.id);
  }
  expect(losses).toBeGreaterThan(500);
});
