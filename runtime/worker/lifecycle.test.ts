// The table of a life: which phases follow which, and which are the end.

import fc from "fast-check";
import { expect, test } from "vitest";
import { Life, type LifeEvent, transitions } from "./lifecycle.ts";

const events: readonly LifeEvent[] = ["opened", "asked", "ended", "drained", "failed"];

test("from its start to its end", () => {
  const life = new Life(1);
  expect([life.phase, life.since]).toEqual(["starting", 1]);
  expect(life.on("opened", 2)).toBe(true);
  expect(life.on("opened", 3)).toBe(false);
  expect([life.phase, life.since]).toEqual(["running", 2]);
  life.on("asked", 4);
  life.on("ended", 5);
  expect([life.phase, life.since]).toEqual(["draining", 4]);
  life.on("drained", 6);
  expect([life.phase, life.since]).toEqual(["stopped", 6]);
});

test.each([
  [["asked", "opened", "drained"], "stopped"],
  [["opened", "ended"], "stopped"],
  [["failed", "opened"], "failed"],
  [["opened", "failed", "asked", "drained"], "failed"],
  [["opened", "asked", "failed"], "failed"],
  [["opened", "ended", "failed"], "stopped"],
] as const)("%j leads to %s", (happening, phase) => {
  const life = new Life(0);
  for (const event of happening) life.on(event, 1);
  expect(life.phase).toBe(phase);
});

test("nothing comes back to life, and what was asked to end never runs", () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...events)), (happening) => {
      const life = new Life(0);
      let asked = false;
      let over = false;
      for (const event of happening) {
        life.on(event, 1);
        asked ||= event === "asked";
        if (over) expect(["stopped", "failed"]).toContain(life.phase);
        if (asked) expect(life.phase).not.toBe("running");
        over ||= life.phase === "stopped" || life.phase === "failed";
      }
    }),
  );
});

test("every event means something in every phase", () => {
  expect(Object.keys(transitions).sort()).toEqual(["draining", "failed", "running", "starting", "stopped"]);
  for (const row of Object.values(transitions)) expect(Object.keys(row).sort()).toEqual([...events].sort());
});
