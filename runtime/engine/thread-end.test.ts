// A thread that ends, and one that never does.

import { expect, it } from "vitest";
import { endThread } from "./thread-end.ts";

it("a thread that ends leaves the process alone", async () => {
  let isLost = false;
  await endThread({ terminate: () => Promise.resolve(1) }, () => (isLost = true));
  expect(isLost).toBe(false);
});

it("a thread that does not end takes the process with it", async () => {
  let isLost = false;
  await endThread({ terminate: () => new Promise<never>(() => {}) }, () => (isLost = true), 50);
  expect(isLost).toBe(true);
});
