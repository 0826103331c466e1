// The decision what of a folder stands, as a table.

import { expect, test } from "vitest";
import { decide, type FoundSegment } from "./recovery.ts";
import type { Segment } from "./segment.ts";

const origin = "00".repeat(16);

/** Segment `sequence` with the commits from `first` to `last`, and what is found behind them. */
function segment(
  sequence: number,
  first: number,
  last: number,
  rest: Partial<Pick<Segment, "beyond" | "restBytes">> = {},
): FoundSegment {
  const commits = Array.from({ length: last - first + 1 }, (_, index) => ({
    number: first + index,
    body: Uint8Array.of(sequence, first + index),
    bytes: 4096,
  }));
  const head = { origin, sequence, epoch: 1, first, id: "", owner: "" };
  return { sequence, segment: { ...head, commits, restBytes: 0, beyond: null, ...rest } };
}

function position(
  sequence: number,
  number: number,
): {
  origin: string;
  sequence: number;
  epoch: number;
  number: number;
} {
  return { origin, sequence, epoch: 1, number };
}

function snapshot(number: number): { readonly snapshot: Parameters<typeof decide>[0]["snapshot"] } {
  return { snapshot: { origin, generation: 1, epoch: 1, number, body: new Uint8Array(0) } };
}

const none = { snapshot: null, position: null, badCopies: [] };

const cases: readonly [string, Parameters<typeof decide>[0], object][] = [
  [
    "nothing but an empty segment",
    { ...none, segments: [segment(1, 1, 0)] },
    { number: 0, damage: null, lastUnsure: false },
  ],
  [
    "all acknowledged",
    { ...none, segments: [segment(1, 1, 3)], position: position(1, 3) },
    { number: 3, damage: null, lastUnsure: false },
  ],
  [
    "one more than acknowledged: it may never have reached the disk",
    { ...none, segments: [segment(1, 1, 3)], position: position(1, 2) },
    { number: 3, damage: null, lastUnsure: true },
  ],
  [
    "nobody knows what was acknowledged",
    { ...none, segments: [segment(1, 1, 3)] },
    { number: 3, damage: null, lastUnsure: true },
  ],
  [
    "a torn end",
    { ...none, segments: [segment(1, 1, 3, { restBytes: 99 })], position: position(1, 3) },
    { number: 3, damage: null, tornBytes: 99 },
  ],
  [
    "an end that was acknowledged",
    { ...none, segments: [segment(1, 1, 3, { restBytes: 99 })], position: position(1, 4) },
    {
      number: 3,
      damage: {
        reason: "commit 4 in segment-0000000001 was acknowledged and is damaged or cut off",
        known: 4,
      },
    },
  ],
  [
    "an end that another commit follows",
    { ...none, segments: [segment(1, 1, 3, { restBytes: 99, beyond: 6 })] },
    {
      number: 3,
      damage: { reason: "commit 4 in segment-0000000001 is damaged, and commit 6 follows it", known: 6 },
    },
  ],
  [
    "a torn end that a later start has settled",
    { ...none, segments: [segment(1, 1, 3, { restBytes: 99 }), segment(2, 4, 5)], position: position(2, 5) },
    { number: 5, damage: null, tornBytes: 0 },
  ],
  [
    "a commit that a later start has written again",
    { ...none, segments: [segment(1, 1, 3), segment(2, 3, 4)], position: position(2, 4) },
    { number: 4, damage: null },
  ],
  [
    "an end of an earlier segment that is short",
    { ...none, segments: [segment(1, 1, 2), segment(2, 4, 5)], position: position(2, 5) },
    {
      number: 2,
      damage: {
        reason:
          "commit 3 in segment-0000000001 is damaged or missing, and segment-0000000002 begins behind it",
        known: 5,
      },
    },
  ],
  [
    "a segment that is missing",
    { ...none, segments: [segment(1, 1, 3), segment(3, 6, 7)], position: position(3, 7) },
    {
      number: 3,
      sequence: 1,
      damage: {
        reason:
          "commit 4 in segment-0000000001 is damaged or missing, and segment-0000000003 begins behind it",
        known: 7,
      },
    },
  ],
  [
    "a newest segment that is missing",
    { ...none, segments: [segment(1, 1, 3)], position: position(2, 5) },
    { number: 3, damage: { reason: "segment-0000000002 is missing", known: 5 } },
  ],
  [
    "a newest segment that is newer than what was noted",
    { ...none, segments: [segment(1, 1, 3), segment(2, 4, 3)], position: position(1, 3) },
    { number: 3, damage: null, lastUnsure: false },
  ],
  [
    "a segment without its beginning",
    { ...none, segments: [segment(1, 1, 3), { sequence: 2, segment: "does not begin as one" }] },
    { number: 3, damage: { reason: "segment-0000000002 does not begin as one", known: 3 } },
  ],
  [
    "no segment",
    { ...none, ...snapshot(7), segments: [] },
    { number: 7, damage: { reason: "there is no segment-0000000001, nor any other segment", known: 0 } },
  ],
  [
    "a snapshot, and what follows it",
    { ...none, ...snapshot(3), segments: [segment(1, 1, 3), segment(2, 4, 6)], position: position(2, 6) },
    { number: 6, sequence: 2, damage: null },
  ],
  [
    "a snapshot within a segment",
    { ...none, ...snapshot(2), segments: [segment(1, 1, 4)], position: position(1, 4) },
    { number: 4, damage: null },
  ],
  [
    "a snapshot that covers a damaged segment",
    {
      ...none,
      ...snapshot(3),
      segments: [segment(1, 1, 1, { beyond: 3 }), segment(2, 4, 4)],
      position: position(2, 4),
    },
    { number: 4, damage: null },
  ],
  [
    "no snapshot, where there must have been one",
    { ...none, segments: [segment(2, 4, 6)], position: position(2, 6) },
    {
      number: 0,
      damage: { reason: "commit 1 is damaged or missing, and segment-0000000002 begins behind it", known: 6 },
    },
  ],
  [
    "a snapshot of which no copy is good: they are what is to be put back",
    {
      ...none,
      badCopies: ["snapshot-0000000001-a", "snapshot-0000000001-b"],
      segments: [segment(2, 4, 6)],
      position: position(2, 6),
    },
    {
      number: 0,
      damage: {
        reason:
          "snapshot-0000000001-a and snapshot-0000000001-b cannot be used; commit 1 is damaged or missing, and segment-0000000002 begins behind it",
        known: 6,
      },
    },
  ],
];

test.each(cases)("%s", (_, content, expected) => {
  expect(decide(content)).toMatchObject(expected);
});

test("each commit comes once, from the segment that wrote it last", () => {
  const { commits } = decide({
    ...none,
    ...snapshot(1),
    segments: [segment(1, 1, 3), segment(2, 3, 4), segment(3, 4, 5)],
  });
  expect(commits.map(({ body }) => [...body])).toEqual([
    [1, 2],
    [2, 3],
    [3, 4],
    [3, 5],
  ]);
});
