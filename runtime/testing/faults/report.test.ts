// What a run says at its end, which scenarios it runs, and the figures of measurements.

import { describe, expect, it } from "vitest";
import { choose, seedOf } from "./catalogue.ts";
import { growthOf } from "./overload.ts";
import { recoveryTimes } from "./recovery.ts";
import { isPassed, type Outcome, outcomeText, reportOf, reportText } from "./report.ts";

const clean = { records: 100, lost: 0, duplicated: 0, out_of_order: 0, wrong: 0, notes: [] };
const fine: Outcome = { name: "F1", seed: 7, isShort: false, crashes: 3, verdict: clean, fault: null };

describe("a report", () => {
  it("adds up, and passes where something ran and all is clean", () => {
    const report = reportOf([fine, { ...fine, name: "F3" }], ["F35 (no faketime)"]);
    expect(report).toEqual({
      runs: 2,
      crashes: 6,
      records: 200,
      lost: 0,
      duplicated: 0,
      out_of_order: 0,
      wrong: 0,
      skipped: ["F35 (no faketime)"],
    });
    expect(isPassed(report)).toBe(true);
    expect(reportText(report)).toMatch(/^ok: 2 scenarios, .*skipped F35/);
  });

  it("fails where nothing ran", () => {
    expect(isPassed(reportOf([], ["F1"]))).toBe(false);
  });

  it.each(["lost", "duplicated", "out_of_order", "wrong"] as const)("fails where something is %s", (what) => {
    const outcome = { ...fine, verdict: { ...clean, [what]: 1, notes: [`${what}: record 5`] } };
    expect(isPassed(reportOf([outcome], []))).toBe(false);
    expect(outcomeText(outcome)).toContain("npm run faults -- --seed 7 --only F1");
    expect(outcomeText(outcome)).toContain(`${what}: record 5`);
  });

  it("says how the run that failed is run again, which is the short one where it was short", () => {
    const failed = { ...fine, fault: "waited 120 s for the probe" };
    expect(outcomeText(failed)).toMatch(/again: npm run faults -- --seed 7 --only F1$/);
    expect(outcomeText({ ...failed, isShort: true })).toMatch(/--seed 7 --only F1 --short$/);
  });

  it("counts a scenario that did not end as it must", () => {
    const outcome = { ...fine, fault: "waited 120 s for the probe" };
    expect(reportOf([outcome], []).wrong).toBe(1);
    expect(outcomeText(outcome)).toContain("FAILED");
  });
});

describe("a choice of scenarios", () => {
  const run = (): Promise<void> => Promise.resolve();
  const all = [
    { name: "A", about: "", run },
    { name: "B", about: "", needs: ["strace" as const], run },
  ];

  it("skips by name what the machine lacks, and knows no other names", () => {
    const choice = choose(all, null, new Set(["strace" as const]));
    expect(choice.chosen.map(({ name }) => name)).toEqual(["A"]);
    expect(choice.skipped).toEqual(["B (no strace)"]);
    expect(choose(all, ["B", "C"], new Set()).unknown).toEqual(["C"]);
    expect(choose(all, ["B"], new Set()).chosen.map(({ name }) => name)).toEqual(["B"]);
  });

  it("gives each scenario a seed of its own, the same each time", () => {
    expect(seedOf(5, "F1")).toBe(seedOf(5, "F1"));
    expect(new Set([seedOf(5, "F1"), seedOf(5, "F3"), seedOf(6, "F1")]).size).toBe(3);
  });
});

describe("measured figures", () => {
  it("are the middle and the worst of recovery times", () => {
    const values = Array.from({ length: 20 }, (_, place) => 100 + place);
    expect(recoveryTimes(values)).toEqual({ p50_ms: 109, p99_ms: 119 });
  });

  it("are how far memory grew once it was warm", () => {
    const warming = Array.from({ length: 30 }, (_, place) => place);
    expect(growthOf([...warming, ...Array.from({ length: 70 }, () => 100)])).toBe(0);
    const growing = Array.from({ length: 70 }, (_, place) => 100 + place);
    expect(growthOf([...warming, ...growing])).toBeGreaterThan(0.4);
    // What is given back is no growth.
    expect(growthOf([...warming, ...growing.toReversed()])).toBe(0);
  });
});
