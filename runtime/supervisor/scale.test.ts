// The number of workers over time: a load that grows, one that ends, and one that more workers do not help.

import fc from "fast-check";
import { expect, test } from "vitest";
import { limits } from "../limits.ts";
import { beginScale, scale, type ScaleBounds, type ScaleDecision, type ScaleState } from "./scale.ts";

const bounds: ScaleBounds = { most: 8, memoryShort: false };

/** A stream and its workers, looked at every five seconds. */
class Load {
  state: ScaleState;
  lag = 0;
  settled = 0;
  at = 0;
  readonly decisions: ScaleDecision[] = [];

  constructor(workers: number) {
    this.state = beginScale(workers);
    this.#look(0, bounds);
  }

  /** `incoming` records a second; what `workers` can handle a second is `handled(workers)`. */
  run(
    samples: number,
    incoming: number,
    handled: (workers: number) => number,
    within: ScaleBounds = bounds,
  ): void {
    for (let sample = 0; sample < samples; sample++) {
      this.at += limits.scale_every_ms;
      const seconds = limits.scale_every_ms / 1000;
      const able = handled(this.state.workers) * seconds;
      const done = Math.min(able, this.lag + incoming * seconds);
      this.settled += done;
      this.lag += incoming * seconds - done;
      this.#look(able === 0 ? 0 : done / able, within);
    }
  }

  #look(busy: number, within: ScaleBounds): void {
    const { at, lag, settled } = this;
    const { state, decision } = scale(this.state, { at, lag, settled, busy }, within);
    this.state = state;
    if (decision !== null) this.decisions.push(decision);
  }
}

const linear = (workers: number): number => workers * 1000;

test("a load that fits changes nothing", () => {
  const load = new Load(2);
  load.run(200, 1300, linear);
  expect(load.decisions).toEqual([]);
});

test("a load that does not fit gets what it needs, and no more", () => {
  const load = new Load(1);
  load.run(4, 500, linear);
  load.run(60, 3_500, linear);
  expect(load.state.workers).toBeGreaterThanOrEqual(5);
  expect(load.state.workers).toBeLessThanOrEqual(8);
  expect(load.lag).toBe(0);
  expect(load.decisions[0]).toMatchObject({ workers: 2 });
  expect(load.decisions[0]!.reason).toMatch(/records wait .* a busy worker handles 1000$/);
});

test("one sample that wants more is not enough", () => {
  const load = new Load(1);
  load.run(4, 800, linear);
  load.run(1, 5_000, linear);
  expect(load.decisions).toEqual([]);
});

test("after the load has gone the workers go, to what the last two minutes wanted, by half at most", () => {
  const load = new Load(8);
  load.run(4, 7_500, linear);
  const from = load.at;
  load.run(23, 100, linear);
  expect(load.decisions).toEqual([]);
  load.run(100, 100, linear);
  expect(load.at - from).toBeGreaterThan(limits.scale_down_ms);
  expect(load.decisions.map(({ workers }) => workers)).toEqual([7, 4, 2, 1]);
});

test("an increase that gained nothing is undone, and not tried again for a while", () => {
  const load = new Load(1);
  const stuck = (): number => 1000;
  load.run(8, 2_000, stuck);
  expect(load.decisions.map(({ workers }) => workers)).toEqual([2, 1]);
  expect(load.decisions[1]).toMatchObject({ saturated: true });
  expect(load.decisions[1]!.reason).toContain("something else is the limit");
  load.run(limits.scale_blocked_ms / limits.scale_every_ms - 5, 2_000, stuck);
  expect(load.decisions).toHaveLength(2);
  load.run(10, 2_000, stuck);
  expect(load.decisions.length).toBeGreaterThan(2);
});

test("nothing is added where memory is short", () => {
  const load = new Load(1);
  load.run(50, 5_000, linear, { ...bounds, memoryShort: true });
  expect(load.decisions).toEqual([]);
});

test("counts that begin anew, as after a restart, are no rate", () => {
  const load = new Load(1);
  load.run(4, 800, linear);
  load.settled = 0;
  load.lag = 1_000_000;
  load.run(1, 800, linear);
  expect(load.decisions).toEqual([]);
});

test("never fewer than one, never more than allowed, never more than twice as many at once", () => {
  const sample = fc.record({
    incoming: fc.nat(20_000),
    power: fc.nat(3_000),
    most: fc.integer({ min: 1, max: 12 }),
  });
  fc.assert(
    fc.property(fc.array(sample, { maxLength: 200 }), (samples) => {
      const load = new Load(1);
      for (const { incoming, power, most } of samples) {
        const before = load.state.workers;
        load.run(1, incoming, (workers) => workers * power, { ...bounds, most });
        const after = load.state.workers;
        expect(after).toBeGreaterThanOrEqual(1);
        if (after > before) expect(after).toBeLessThanOrEqual(Math.min(most, 2 * before));
        if (after < before) expect(after).toBeGreaterThanOrEqual(Math.ceil(before / 2));
      }
    }),
  );
});
