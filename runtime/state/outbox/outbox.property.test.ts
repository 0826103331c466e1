// An outbox against a model, through random sequences of all that is done with it and processes killed at any point.

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { KeptRow } from "./entry.ts";
import type { ChainLane } from "./lanes.ts";
import type { OutboxOptions } from "./outbox.ts";
import { added, chains, idsOf, Model, modelCondenser } from "./outbox-model.fixture.ts";

const chain = fc.constantFrom(...chains);
const addedChain = fc.constantFrom(...added);
const count = fc.integer({ min: 1, max: 20 });
const step = fc.oneof(
  fc.record({ do: fc.constant("add" as const), chain: addedChain, count }),
  fc.record({ do: fc.constant("commit" as const) }),
  fc.record({ do: fc.constant("commit" as const) }),
  fc.record({ do: fc.constant("send" as const), chain, count, bytes: fc.integer({ min: 1, max: 4_000 }) }),
  fc.record({ do: fc.constant("land" as const), chain, count }),
  fc.record({ do: fc.constant("confirm" as const), chain }),
  fc.record({ do: fc.constant("attach" as const), chain }),
  fc.record({ do: fc.constant("lose" as const), chain, count }),
  fc.record({ do: fc.constant("wait" as const), ms: fc.constantFrom(10, 500, 5_000, 20_000, 60_000) }),
  fc.record({ do: fc.constant("wait" as const), ms: fc.constant(5_000) }),
  fc.record({ do: fc.constant("snapshot" as const) }),
  fc.record({ do: fc.constant("snapshot done" as const) }),
  fc.record({ do: fc.constant("crash" as const) }),
  fc.record({ do: fc.constantFrom("die before" as const, "die behind" as const) }),
);
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

async function run(
  options: Omit<OutboxOptions, "clock">,
  steps: readonly Step[],
  seed: number,
): Promise<Model> {
  let state = seed;
  const random = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  const model = new Model(options, random);
  await model.open();
  let snapshot: (() => Promise<void>) | null = null;
  for (const each of steps) {
    if (each.do === "add") model.add(each.chain, each.count);
    if (each.do === "commit") await model.commit();
    if (each.do === "send") await model.send(each.chain, each.count, each.bytes);
    if (each.do === "land") model.land(each.chain, each.count);
    if (each.do === "confirm") model.confirm(each.chain);
    if (each.do === "attach") await model.attach(each.chain);
    if (each.do === "lose") {
      model.lose(each.chain, each.count);
      await model.attach(each.chain);
    }
    if (each.do === "wait") model.clock.advanceTo(model.clock.now() + each.ms);
    if (each.do === "snapshot") snapshot ??= model.snapshot();
    if (each.do === "snapshot done") {
      await snapshot?.();
      snapshot = null;
    }
    if (each.do === "crash") await model.crash();
    if (each.do === "die before") await model.commit("before");
    if (each.do === "die behind") await model.commit("behind");
  }
  await model.drain();
  return model;
}

/** Texts of rows that a receiver has, in the order of their numbers. */
function stored(model: Model, name: (typeof chains)[number]): readonly string[] {
  const { rows } = model.receivers[name];
  return [...rows].sort(([one], [other]) => one - other).map(([, { payload }]) => String(payload));
}

const textsOf = (rows: readonly KeptRow[]): readonly string[] => rows.map(({ payload }) => String(payload));

describe("whatever is killed and whenever", () => {
  const steps = fc.array(step, { minLength: 20, maxLength: 120, size: "max" });
  const laneOf = (name: string): ChainLane => ({
    connection: "cloud",
    lane: name === "alarm" ? "alarm" : "live",
  });
  const options = { laneOf, retention: 10_000, memoryBytes: 2_000, fileBytes: 300 };

  test("every committed row is stored once, in order and to the last byte", { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.nat(), async (some, seed) => {
        const model = await run(options, some, seed);
        for (const name of added) {
          const { length } = model.committed[name];
          expect([...model.receivers[name].rows.keys()].sort((a, b) => a - b)).toStrictEqual(
            Array.from({ length }, (_, place) => place + 1),
          );
          expect(stored(model, name)).toStrictEqual(textsOf(model.committed[name]));
        }
      }),
      { numRuns: 100 },
    );
  });

  test("a row that waits is sent live or as backlog, and never as both", { timeout: 60_000 }, async () => {
    let moved = 0;
    await fc.assert(
      fc.asyncProperty(steps, fc.nat(), async (some, seed) => {
        const model = await run({ ...options, backlogAfter: 6_000 }, some, seed);
        const backlog = stored(model, "live.backlog");
        const both = [...stored(model, "live"), ...backlog];
        expect(both.toSorted()).toStrictEqual(textsOf(model.committed.live).toSorted());
        expect(stored(model, "alarm")).toStrictEqual(textsOf(model.committed.alarm));
        // In its own chain each keeps its order.
        const kept = textsOf(model.committed.live).filter((text) => backlog.includes(text));
        expect(backlog).toStrictEqual(kept);
        moved += backlog.length;
      }),
      { numRuns: 100 },
    );
    expect(moved).toBeGreaterThan(5);
  });

  test("what is condensed is as if it had not been: each row is in one that arrives", {
    timeout: 60_000,
  }, async () => {
    const tiers = [
      { every: 0, keep: 1_000 },
      { every: 500, keep: 20_000 },
      { every: 5_000, keep: 1e9 },
    ];
    const condenses = { ...options, backlogAfter: 2_000, tiers, condenser: modelCondenser };
    let condensed = 0;
    await fc.assert(
      fc.asyncProperty(steps, fc.nat(), async (some, seed) => {
        const model = await run(condenses, some, seed);
        const rows = (["live", "live.backlog"] as const).flatMap((name) => [
          ...model.receivers[name].rows.values(),
        ]);
        const ids = rows.flatMap((row) => idsOf(row)).sort((one, other) => one - other);
        expect(ids).toStrictEqual(model.committed.live.flatMap((row) => idsOf(row)));
        expect(stored(model, "alarm")).toStrictEqual(textsOf(model.committed.alarm));
        condensed += ids.length - rows.length;
      }),
      { numRuns: 100 },
    );
    expect(condensed).toBeGreaterThan(5);
  });

  test("what a small outbox drops was never sent, and is counted", { timeout: 60_000 }, async () => {
    const limits = { bytes: 2_000, age: 40_000, whenFull: "drop_oldest" as const };
    // What was confirmed makes room, so nobody may lose it.
    const small = { laneOf, retention: 0, memoryBytes: 2_000, fileBytes: 300, limits };
    let dropped = 0;
    await fc.assert(
      fc.asyncProperty(steps, fc.nat(), async (some, seed) => {
        const model = await run(small, some, seed);
        for (const name of added) {
          const { rows, skipped } = model.receivers[name];
          const { committed } = model;
          const { confirmed, last } = model.outbox.chain(name);
          expect(confirmed).toBe(last);
          const missing = committed[name].filter((_, place) => !rows.has(place + 1));
          const counts = model.outbox.stats().chains.find((each) => each.chain === name)?.dropped ?? {};
          const counted = Object.values(counts).reduce((sum, value) => sum + value, 0);
          expect(counted).toBe(missing.reduce((sum, row) => sum + row.rows, 0));
          // Those at the end have nothing behind them that could tell of them.
          for (const number of skipped) expect(rows.has(number)).toBe(false);
          dropped += counted;
        }
      }),
      { numRuns: 100 },
    );
    expect(dropped).toBeGreaterThan(100);
  });
});
