// What applying would change, as a table.

import { expect, test } from "vitest";
import { planChanges, planLines } from "./change-plan.ts";

const present = new Map([
  ["climate", "1"],
  ["doors", "1"],
  ["old", "1"],
]);
const wanted = [
  { name: "new", revision: "1" },
  { name: "doors", revision: "2" },
  { name: "climate", revision: "1" },
];

test("what is not named stays, unless it is pruned", () => {
  expect(planLines(planChanges(wanted, present, false))).toEqual([
    "= climate 1",
    "~ doors 1 → 2",
    "+ new 1",
    "= old 1",
  ]);
  expect(planLines(planChanges(wanted, present, true))).toEqual([
    "= climate 1",
    "~ doors 1 → 2",
    "+ new 1",
    "- old 1",
  ]);
});

test("nothing and nothing is nothing", () => {
  expect(planChanges([], new Map(), true)).toEqual([]);
});

test("another signature is a change by itself, and goes without saying where the text is another one", () => {
  const changes = planChanges(wanted, present, false, new Set(["climate", "doors", "new"]));
  expect(planLines(changes)).toEqual([
    "~ climate 1, with another signature",
    "~ doors 1 → 2",
    "+ new 1",
    "= old 1",
  ]);
});
