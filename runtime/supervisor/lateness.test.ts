// How late looks are, and that it is forgotten.

import { expect, test } from "vitest";
import { Lateness } from "./lateness.ts";

test("the latest of the last times counts", () => {
  const lateness = new Lateness(1_000);
  expect(lateness.largest()).toBe(0);
  for (const at of [0, 1_000, 3_500, 4_500]) lateness.note(at);
  expect(lateness.largest()).toBe(1_500);
  for (let at = 5_500; at < 20_000; at += 1_000) lateness.note(at);
  expect(lateness.largest()).toBe(0);
});

test("a clock that was put back is not late", () => {
  const lateness = new Lateness(1_000);
  lateness.note(50_000);
  lateness.note(10_000);
  expect(lateness.largest()).toBe(0);
});
