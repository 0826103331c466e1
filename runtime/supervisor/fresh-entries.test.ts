// Whether a device may run what it has been given, before it says so.

import { expect, test } from "vitest";
import { limits } from "../limits.ts";
import { FreshEntries } from "./fresh-entries.ts";

const entry = { host: "a", name: "p", term: 2, revision: "r" };
const silent = new Map([["a", new Set<string>()]]);
const says = new Map([["a", new Set(["p"])]]);
const isRun = (runs: ReadonlyMap<string, ReadonlySet<string>>): boolean | undefined =>
  runs.get("a")?.has("p");

test("it may for a while, until it has said so once, and not where it cannot be heard", () => {
  const fresh = new FreshEntries();
  const later = limits.control_entry_fresh_ms;
  expect(isRun(fresh.runs([entry], silent, 1_000))).toBe(true);
  expect(isRun(fresh.runs([entry], silent, 999 + later))).toBe(true);
  expect(isRun(fresh.runs([entry], silent, 1_000 + later))).toBe(false);
  // Another turn is another entry.
  const next = { ...entry, term: 3 };
  expect(isRun(fresh.runs([next], silent, 2_000 + later))).toBe(true);
  expect(isRun(fresh.runs([next], says, 3_000 + later))).toBe(true);
  expect(isRun(fresh.runs([next], silent, 3_500 + later))).toBe(false);
  expect(fresh.runs([entry], new Map(), 0).get("a")).toBeUndefined();
});
