// What nobody holds any more is gone after the call, and V8 is left as it was.

import { runInNewContext } from "node:vm";
import { setImmediate } from "node:timers/promises";
import { expect, test } from "vitest";
import { giveBackMemory } from "./settle.ts";

test("what is no longer held is let go of, and the rest stays", async () => {
  const held = { rows: [1, 2, 3] };
  const left = new WeakRef({ rows: [4, 5, 6] });
  const seen = new WeakRef(held);
  // Within the turn in which they were made, weak references hold.
  await setImmediate();
  giveBackMemory();
  expect(left.deref()).toBeUndefined();
  expect(seen.deref()).toBe(held);
});

test("nobody else can collect afterwards", () => {
  giveBackMemory();
  expect(runInNewContext("typeof gc")).toBe("undefined");
});
