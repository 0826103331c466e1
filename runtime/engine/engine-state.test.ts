// A pipeline's state as bytes: what goes on where it stood, what is refused, and that a refusal changes
// nothing, whatever the bytes.

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { defineKeyed, field, type RecordView, z } from "weir/sdk";
import { WeirError } from "../errors.ts";
import type { PipelinePlan } from "../pipeline/pipeline.ts";
import { dataOf, frameOf } from "../state/frame.ts";
import { applyChange, StateShadow } from "../state/change.ts";
import type { Plain } from "../state/plain.ts";
import { Kept, payloadsOf, planOf, sink, source } from "./engine.fixture.ts";
import { earlierFingerprintsOf, fingerprintOf } from "./fingerprint.ts";
import type { PipelineEngine } from "./pipeline-engine.ts";
import { lawFaults } from "../testing/harness.ts";
import { SourceGroup } from "./source-group.ts";

const windowed = (select: Readonly<Record<string, string>> = { n: "count()", mean: "mean(temp)" }) => ({
  steps: [
    { filter: "temp > -50.0" },
    { deadband: { value: "temp", by: "device", band: 0.5 } },
    {
      branch: {
        minutes: [{ window: { tumbling: "1m", by: "device", select } }, sink],
        newest: [{ throttle: { every: "1m", by: "device", keep: "last" } }, sink],
      },
    },
  ],
});

const plan = planOf(windowed());

/** A pipeline's state, as far as a test looks into it. */
interface Tree {
  readonly [name: string]: Plain;
  readonly course: {
    readonly [name: string]: Plain;
    readonly home: { readonly kept: readonly Plain[]; readonly others: Readonly<Record<string, Plain>> };
  };
}

interface Running {
  readonly group: SourceGroup;
  readonly engine: PipelineEngine;
  readonly kept: Kept;
}

function runningOf(of: PipelinePlan = plan, identity = "one"): Running {
  const kept = new Kept();
  const group = new SourceGroup([of], { headers: [null], identity, outputs: () => kept });
  return { group, engine: group.engines[0]!, kept };
}

const reading = (n: number): Readonly<Record<string, unknown>> => ({
  device: `d${n % 5}`,
  ts: n * 7_000,
  temp: n % 11 === 3 ? null : (n * 37) % 90,
});

/** Readings `from … to - 1`, one late and one broken among them. */
function feed({ group }: Running, from: number, to: number): void {
  for (let n = from; n < to; n++) {
    group.feed(payloadsOf([reading(n)]), n * 7_000);
    if (n % 13 === 5) group.feed(payloadsOf([{ device: "d1", ts: 0, temp: 1 }, "{"]), n * 7_000);
  }
}

function ended(running: Running): unknown {
  running.group.finish(1e9);
  return { rows: running.kept.rows, letters: running.kept.letters, counts: running.engine.counts() };
}

/** An engine after some readings, and its snapshot. */
function after(readings: number): Running & { readonly snapshot: Uint8Array } {
  const running = runningOf();
  feed(running, 0, readings);
  return { ...running, snapshot: running.engine.snapshot(readings * 7_000) };
}

function refusal(task: () => void): WeirError {
  try {
    task();
  } catch (error) {
    if (error instanceof WeirError) return error;
    throw error;
  }
  throw new Error("it was not refused");
}

test("rows, row ids, dead letters, counts and the ledger go on as if nothing had been", () => {
  const whole = runningOf();
  feed(whole, 0, 100);
  const expected = ended(whole);
  for (const cut of [0, 1, 40, 99, 100]) {
    const before = after(cut);
    const next = runningOf();
    next.engine.restore(before.snapshot, cut * 7_000);
    expect(next.engine.counts()).toEqual(before.engine.counts());
    next.kept.rows.push(...before.kept.rows);
    next.kept.letters.push(...before.kept.letters);
    feed(next, cut, 100);
    expect(ended(next)).toEqual(expected);
  }
});

test("a snapshot changes nothing, is the same twice, and the same again once restored", () => {
  const { engine, snapshot } = after(60);
  expect(engine.snapshot(60 * 7_000)).toEqual(snapshot);
  const next = runningOf();
  next.engine.restore(snapshot, 60 * 7_000);
  expect(next.engine.snapshot(60 * 7_000)).toEqual(snapshot);
});

test("what an engine held before is gone", () => {
  const { snapshot } = after(60);
  const used = runningOf();
  feed(used, 0, 33);
  used.engine.restore(snapshot, 60 * 7_000);
  expect(used.engine.snapshot(60 * 7_000)).toEqual(snapshot);
});

describe("state goes on where steps that keep nothing", () => {
  const [filter, deadband, branch] = windowed().steps;
  const always = { filter: "temp < 1000.0" };

  test.each([
    ["are others", [always, deadband, branch]],
    ["are gone", [deadband, branch]],
    ["are new", [filter, always, deadband, always, branch]],
  ])("%s", (_title, steps) => {
    const whole = runningOf();
    feed(whole, 0, 120);
    const before = after(60);
    const next = runningOf(planOf({ steps }));
    next.engine.restore(before.snapshot, 60 * 7_000);
    next.kept.rows.push(...before.kept.rows);
    feed(next, 60, 120);
    for (const running of [whole, next]) running.group.finish(1e9);
    expect(next.kept.rows).toEqual(whole.kept.rows);
    expect(lawFaults(next.engine.counts())).toEqual([]);
  });

  test("were written down in a list with the others, as they were before", () => {
    const lined = planOf({ steps: [filter, deadband, always, branch] });
    const running = runningOf(lined);
    feed(running, 0, 60);
    const tree = running.engine.tree() as unknown as Tree;
    const { kept, others } = tree.course.home;
    const home = [kept[0]!, others["3 filter"]!, ...kept.slice(1)];
    const fingerprint = earlierFingerprintsOf(lined)[1]!;
    const earlier = { ...tree, fingerprint, course: { ...tree.course, home } };
    const next = runningOf(lined);
    next.engine.restoreTree(earlier, 0);
    expect(next.engine.tree()).toEqual(tree);
    expect(refusal(() => runningOf().engine.restoreTree(earlier, 0)).code).toBe("WEIR_STATE_CHANGED");
  });
});

describe("what an operator remembers of a key by name", () => {
  /** Counts and sums readings of a key, in whichever order its memory has them. */
  const counting = (memory: () => { count: number; total: number }): PipelinePlan => {
    const config = z.strictObject({ by: field.keys("Key."), value: field.column(["float64"], "Reading.") });
    const columns = () => ({ count: "float64", total: "float64" }) as const;
    const each =
      ({ value }: z.output<typeof config>) =>
      (record: RecordView, own: ReturnType<typeof memory>) => {
        own.total += record.number(value) || 0;
        return { count: ++own.count, total: own.total };
      };
    const own = defineKeyed({ name: "counting", summary: "", config, memory, columns, each });
    return planOf({ steps: [{ counting: { by: "device", value: "temp" } }, sink] }, [own]);
  };
  const before = counting(() => ({ count: 0, total: 0 }));

  test("is not taken for something else when its memory has another order", () => {
    const running = runningOf(before);
    feed(running, 0, 20);
    const snapshot = running.engine.snapshot(0);
    const after = runningOf(counting(() => ({ total: 0, count: 0 })));
    expect(refusal(() => after.engine.restore(snapshot, 0)).message).toMatch(/other steps, settings, tables/);
    runningOf(counting(() => ({ count: 0, total: 0 }))).engine.restore(snapshot, 0);
  });

  test("goes on from what was written before numbers had names", () => {
    const running = runningOf(before);
    feed(running, 0, 20);
    const tree = running.engine.tree() as unknown as Tree;
    const next = runningOf(before);
    next.engine.restoreTree({ ...tree, fingerprint: earlierFingerprintsOf(before)[0]! }, 0);
    expect(next.engine.tree()).toEqual(tree);
  });
});

test("time for which nobody listened is no silence of the source", () => {
  const idle = planOf({ source: { ...source, time: { field: "ts", idle: "10s" } }, ...windowed() });
  const running = runningOf(idle);
  running.group.feed(payloadsOf([reading(0)]), 0);
  running.group.tick(4_000);
  const next = runningOf(idle);
  next.engine.restore(running.engine.snapshot(4_000), 1_000_000);
  next.group.tick(1_005_999);
  expect(next.engine.watermark).toBe(0);
  next.group.tick(1_006_000);
  expect(next.engine.watermark).toBe(10_000);
});

describe("is refused, and nothing is changed", () => {
  const { snapshot } = after(60);

  /** Tries a snapshot on an engine that has a state of its own. */
  function tried(bytes: Uint8Array, of: PipelinePlan = plan): WeirError {
    const running = runningOf(of);
    feed(running, 0, 20);
    const before = running.engine.snapshot(0);
    const error = refusal(() => running.engine.restore(bytes, 0));
    expect(running.engine.snapshot(0)).toEqual(before);
    expect(error.code).toBe("WEIR_STATE");
    expect(error.remedy).toBeDefined();
    return error;
  }

  test.each([
    ["another aggregate", windowed({ n: "count()", mean: "max(temp)" })],
    ["another name", windowed({ n: "count()", average: "mean(temp)" })],
    ["another step that keeps something", { steps: windowed().steps.toSpliced(1, 1) }],
    ["another setting", { steps: [{ deadband: { value: "temp", band: 1 } }, sink] }],
    [
      "another column",
      { source: { ...source, schema: { device: "float64", ts: "time", temp: "float64" } }, ...windowed() },
    ],
  ])("one of a pipeline with %s", (_title, parts) => {
    expect(tried(snapshot, planOf(parts)).message).toMatch(/other steps, settings, tables or columns/);
  });

  test("one of another format", () => {
    const other = snapshot.slice();
    other[4]!++;
    expect(tried(other).message).toMatch(/format 3, expected 2/);
  });

  test.each([0, 3, 4, 43, 44, 45, 500])("one of which %i bytes are left", (length) => {
    expect(tried(snapshot.slice(0, length)).message).toMatch(/damaged/);
  });

  test("one of which any bits are turned", () => {
    const flips = fc.array(fc.record({ at: fc.nat(snapshot.length - 1), bit: fc.nat(7) }), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(flips, (all) => {
        const other = snapshot.slice();
        for (const { at, bit } of all) other[at]! ^= 1 << bit;
        if (Buffer.from(other).equals(snapshot)) return;
        tried(other);
      }),
      { seed: 8, numRuns: 120 },
    );
  });
});

/** What an operator does with numbers that it never wrote is not known; it may fail, and nothing else may. */
test("bytes that a checksum was made for are refused, or go on until an operator fails", () => {
  const { snapshot } = after(60);
  const body = new StateShadow().change(dataOf(snapshot, [fingerprintOf(plan)]))!;
  const changes = fc.array(fc.record({ at: fc.nat(body.length - 1), byte: fc.nat(255) }), {
    minLength: 1,
    maxLength: 3,
  });
  const outcomes = { refused: 0, worked: 0 };
  fc.assert(
    fc.property(changes, (all) => {
      const other = Buffer.from(body);
      for (const { at, byte } of all) other[at] = byte;
      let data: Plain;
      try {
        data = applyChange(null, other);
      } catch {
        return;
      }
      const next = runningOf();
      try {
        next.engine.restore(frameOf(fingerprintOf(plan), data), 0);
        feed(next, 60, 70);
        next.group.finish(1e9);
        outcomes.worked++;
      } catch (error) {
        if (!(error instanceof WeirError)) throw error;
        expect(["WEIR_STATE", "WEIR_STATE_CHANGED", "WEIR_OPERATOR"]).toContain(error.code);
        if (error.code === "WEIR_STATE") expect(next.engine.counts()).toEqual(runningOf().engine.counts());
        outcomes.refused++;
      }
    }),
    { seed: 9, numRuns: 200 },
  );
  expect(Math.min(outcomes.refused, outcomes.worked)).toBeGreaterThan(20);
});
