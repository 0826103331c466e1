// Files of a log are damaged at every byte and every length of their structure, and at some of what lies between: each
// damage is found, or costs nothing.

import { beforeAll, expect, test } from "vitest";
import { flipped, found, type Image, wholeLog } from "./log-damage.fixture.ts";
import { seeded } from "./log-lives.fixture.ts";

let image: Image;
let texts: readonly string[];
let segments: readonly string[];

beforeAll(async () => {
  ({ image, texts } = await wholeLog());
  segments = [...image.keys()].filter((name) => name.startsWith("segment"));
});

/** How far the next place is: in what begins each page all are taken, of the rows behind it one of seven. */
function stepFrom(position: number): number {
  return position % 4096 < 140 ? 1 : 7;
}

function withFile(name: string, bytes: Uint8Array): Image {
  return new Map([...image, [name, bytes]]);
}

test("a flipped byte of a segment is found", async () => {
  const random = seeded(3);
  let cases = 0;
  const missed: string[] = [];
  for (const name of segments) {
    const bytes = image.get(name)!;
    for (let position = 0; position < bytes.length; position += stepFrom(position)) {
      const mask = 1 << Math.floor(random() * 8);
      if ((await found(withFile(name, flipped(bytes, position, mask)))) !== null)
        missed.push(`${name} at ${position}`);
      cases++;
    }
  }
  expect(missed).toEqual([]);
  expect(cases).toBeGreaterThan(3_000);
});

test("every flipped bit of a head and a body is found", async () => {
  let cases = 0;
  const missed: string[] = [];
  for (const name of segments) {
    const bytes = image.get(name)!;
    for (let position = 0; position < bytes.length; position++) {
      if (position % 4096 >= 140) continue;
      for (let bit = 0; bit < 8; bit++) {
        if ((await found(withFile(name, flipped(bytes, position, 1 << bit)))) !== null)
          missed.push(`${name} at ${position}, bit ${bit}`);
        cases++;
      }
    }
  }
  expect(missed).toEqual([]);
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

test("a length that a file may be cut to is found, or costs nothing", async () => {
  let cases = 0;
  for (const [name, bytes] of image) {
    const isSegment = segments.includes(name);
    for (let length = 0; length < bytes.length; length += name === "position" ? 37 : stepFrom(length)) {
      const what = await found(withFile(name, bytes.subarray(0, length)));
      const expected = isSegment ? null : { texts, usedTwin: name.endsWith("-a"), torn: 0 };
      if (what !== null || !isSegment) expect(what, `${name} cut to ${length}`).toEqual(expected);
      cases++;
    }
  }
  expect(cases).toBeGreaterThan(3_000);
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

test("a damaged commit that another follows is found without the position, too", async () => {
  const name = "segment-0000000003";
  const bytes = image.get(name)!;
  const missed: string[] = [];
  // The last of the three commits takes one page: without the position, nothing tells it from one that was never finished.
  for (let at = 0; at < bytes.length - 4096; at++) {
    if (at % 4096 >= 140 && at % 7 > 0) continue;
    const files = new Map(withFile(name, flipped(bytes, at, 1 << (at % 8))));
    files.delete("position");
    if ((await found(files)) !== null) missed.push(`at ${at}`);
  }
  expect(missed).toEqual([]);
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
