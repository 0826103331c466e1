// The scheduler's own promises: order, determinism, and that an ended life hears nothing any more.

import { expect, test } from "vitest";
import { Life } from "./life.ts";
import { Random } from "./random.ts";
import { Scheduler } from "./scheduler.ts";

const scheduler = (seed: number): Scheduler => new Scheduler(new Random(seed), 0);

test("events run in the order of their times, and what they cause at once runs before the next", async () => {
  const clock = scheduler(1);
  const said: string[] = [];
  clock.after(20, "second", () => said.push(`second at ${clock.now}`));
  clock.after(10, "first", () => {
    said.push(`first at ${clock.now}`);
    void Promise.resolve()
      .then(() => Promise.resolve())
      .then(() => said.push("what the first caused"));
  });
  clock.after(15, "cancelled", () => said.push("cancelled"))();
  expect(await clock.run(() => false)).toBe(false);
  expect(said).toEqual(["first at 10", "what the first caused", "second at 20"]);
  expect(clock.steps).toBe(2);
});

test("many events by chance come in order, and the same for the same seed", async () => {
  const run = async (seed: number): Promise<{ times: number[]; hash: string }> => {
    const clock = scheduler(seed);
    const times: number[] = [];
    const random = new Random(seed);
    for (let count = 0; count < 500; count++)
      clock.after(random.between(0, 40), `event ${count % 7}`, () => {
        times.push(clock.now);
        if (random.chance(0.5)) clock.after(random.next() * 9, "more", () => times.push(clock.now));
      });
    await clock.run(() => false);
    return { times, hash: clock.hash };
  };
  const one = await run(5);
  expect(one.times).toEqual([...one.times].sort((a, b) => a - b));
  expect(await run(5)).toEqual(one);
  expect((await run(6)).hash).not.toBe(one.hash);
});

test("a fault in an event ends the run with it", async () => {
  const clock = scheduler(1);
  clock.after(1, "fails", () => {
    throw new Error("on purpose");
  });
  await expect(clock.run(() => false)).rejects.toThrow("on purpose");
});

test("an ended life's timers do not ring", async () => {
  const clock = scheduler(1);
  const life = new Life(clock, 1, () => false);
  const heard: string[] = [];
  life.after(10, () => heard.push("timer"));
  const stop = life.every(4, () => heard.push("interval"));
  life.after(9, () => life.end());
  life.onEnd(() => heard.push("end"));
  await clock.run(() => false);
  expect(heard).toEqual(["interval", "interval", "end"]);
  stop();
  expect(life.callsOut("write")).toBe(false);
});

test("a life ends at the call at which it is told to", () => {
  const life: Life = new Life(scheduler(1), 1, () => life.calls === 3);
  expect([1, 2, 3, 4].map(() => life.callsOut("write"))).toEqual([true, true, false, false]);
});
