// What one worker may take: with a pipeline of its own what that asks for, where it is more; and that each limit shows in
// how it is started.

import { expect, test } from "vitest";
import { limits } from "../limits.ts";
import type { WorkerLimits } from "./driver.ts";
import { isStartedAs, limitedRevision, ownLimits } from "./worker-limits.ts";

const usual = { memory_bytes: 2 ** 28, processors: 0.5, pids: 256 };
const base = limits.worker_base_bytes;

test.each<[string, WorkerLimits, { processors: number; memory_bytes: number }, WorkerLimits]>([
  ["little", usual, { processors: 0.1, memory_bytes: 1_000 }, usual],
  [
    "much memory",
    usual,
    { processors: 0, memory_bytes: 2 ** 30 },
    { ...usual, memory_bytes: base + 2 ** 30 },
  ],
  ["much work", usual, { processors: 2, memory_bytes: 0 }, { ...usual, processors: 2 }],
  [
    "a part of a byte",
    usual,
    { processors: 0, memory_bytes: 2 ** 30 / 3 },
    { ...usual, memory_bytes: base + 357_913_942 },
  ],
  ["more where there are no limits", {}, { processors: 64, memory_bytes: 2 ** 40 }, {}],
])("of a pipeline that asks for %s", (_, given, demand, expected) => {
  expect(ownLimits(given, demand)).toEqual(expected);
});

test("no two limits are started alike", () => {
  const all: WorkerLimits[] = [
    {},
    { memory_bytes: 256 },
    { processors: 256 },
    { pids: 256 },
    { memory_bytes: 256, pids: 256 },
    usual,
  ];
  const revisions = all.map((each) => limitedRevision("1a2b", each));
  expect(new Set(revisions).size).toBe(all.length);
  for (const revision of revisions) {
    expect(revision).toMatch(/^[A-Za-z0-9_.-]{1,64}$/);
    expect(isStartedAs(revision, "1a2b")).toBe(true);
    expect(isStartedAs(revision, "1a2")).toBe(false);
  }
});
