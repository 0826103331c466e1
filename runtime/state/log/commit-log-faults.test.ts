// The disk fails, or the process or the power ends, at every call of a life, and at random: what was acknowledged stays.

import fc from "fast-check";
import { expect, test } from "vitest";
import { type Step, seeded, Witness } from "./log-lives.fixture.ts";
import { type DiskCall, MemoryDisk } from "./memory-disk.ts";

const first: readonly Step[] = [{ append: 10 }, { append: 5000 }, { checkpoint: true }, { append: 600 }];
const second: readonly Step[] = [{ append: 9000 }, { checkpoint: true }, { append: 1 }, { append: 4096 }];

/** A disk and a witness after one good life. */
async function begun(): Promise<{ disk: MemoryDisk; witness: Witness }> {
  const disk = new MemoryDisk();
  const witness = new Witness();
  expect(await witness.live(disk, first, 1)).toBeNull();
  return { disk, witness };
}

/** How many calls the second life makes where nothing fails. */
async function callsOfSecondLife(): Promise<number> {
  const { disk, witness } = await begun();
  const next = disk.afterKill();
  expect(await witness.live(next, second, 2)).toBeNull();
  return next.calls;
}

/** Two more lives without faults, the second after a power cut: what the first found must really be on the disk. */
async function liveOn(disk: MemoryDisk, witness: Witness, seed: number): Promise<void> {
  expect(await witness.live(disk, [{ append: 3 }], seed)).toBeNull();
  const next = disk.afterCrash(seeded(seed));
  expect(await witness.live(next, second, seed + 1)).toBeNull();
}

const at =
  (count: number, code: string) =>
  (call: DiskCall): string | null =>
    call.count === count ? code : null;

for (const code of ["EIO", "ENOSPC", "EMFILE"]) {
  test(`${code} at every call`, async () => {
    const calls = await callsOfSecondLife();
    let refused = 0;
    for (let count = 1; count <= calls; count++) {
      for (const end of ["kill", "crash"]) {
        const { disk, witness } = await begun();
        const faulty = disk.afterKill({ fault: at(count, code) });
        const error = await witness.live(faulty, second, 2);
        if (error !== null) refused++;
        if (code === "EIO" && error !== null) expect(error.retry).toBe(false);
        const left = end === "kill" ? faulty.afterKill() : faulty.afterCrash(seeded(count));
        await liveOn(left, witness, count);
      }
    }
    expect(refused).toBeGreaterThan(calls / 2);
  });
}

test("the system gives the disk up at every call", async () => {
  const calls = await callsOfSecondLife();
  let refused = 0;
  for (let count = 1; count <= calls; count++) {
    const { disk, witness } = await begun();
    const faulty = disk.afterKill({ fault: at(count, "abort") });
    const error = await witness.live(faulty, second, 2);
    if (error !== null) refused++;
    await liveOn(faulty.afterKill(), witness, count);
  }
  expect(refused).toBeGreaterThan(calls / 2);
});

for (const code of ["EROFS", "EACCES", "EMFILE"]) {
  test(`a log that ${code} keeps from being opened is not called damaged`, async () => {
    const { disk, witness } = await begun();
    const fault = ({ operation }: DiskCall): string | null => (operation === "open" ? code : null);
    const error = await witness.live(disk.afterKill({ fault }), second, 2);
    expect(error?.message).toMatch(new RegExp(`^memory: (cannot|no room to) open the commit log: ${code}`));
  });
}

test("the process or the power ends at every call, also of the life after that", async () => {
  const calls = await callsOfSecondLife();
  let stops = 0;
  for (let count = 1; count <= calls; count++) {
    for (let again = 0; again < 3; again++) {
      const random = seeded(count * 1000 + again);
      const { disk, witness } = await begun();
      let now = disk.afterKill({ fault: at(count, "stop") });
      // The same place again and again, so that what an unfinished start leaves is started from.
      for (let life = 0; life < 3; life++) {
        const living = witness.live(now, second, again + life);
        const ended = await Promise.race([now.stopped.then(() => "stopped"), living]);
        if (ended === "stopped") stops++;
        const fault = at(1 + Math.floor(random() * calls), "stop");
        now = random() < 0.3 ? now.afterKill({ fault }) : now.afterCrash(random, { fault });
      }
      await liveOn(now.afterCrash(random), witness, again);
    }
  }
  expect(stops).toBeGreaterThan(calls * 3);
});

test("any sequence of lives, ends and faults leaves what was acknowledged", async () => {
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 4, arbitrary: fc.record({ append: fc.integer({ min: 0, max: 9000 }) }) },
    { weight: 1, arbitrary: fc.constant<Step>({ checkpoint: true }) },
  );
  const life = fc.record({
    steps: fc.array(step, { maxLength: 8 }),
    fault: fc.constantFrom("stop", "stop", "EIO", "ENOSPC", "EDQUOT", "abort", "none"),
    at: fc.integer({ min: 1, max: 90 }),
    end: fc.constantFrom("kill", "crash"),
    room: fc.option(fc.integer({ min: 0, max: 100_000 }), { nil: Infinity, freq: 4 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(life, { maxLength: 8 }), fc.nat(), async (lives, seed) => {
      const random = seeded(seed);
      const witness = new Witness();
      let disk = new MemoryDisk();
      for (const { steps, fault, at: count, end, room } of lives) {
        const options = { fault: fault === "none" ? () => null : at(count, fault), room };
        disk = end === "kill" ? disk.afterKill(options) : disk.afterCrash(random, options);
        const living = witness.live(disk, steps, Math.floor(random() * 1e9));
        await Promise.race([disk.stopped, living]);
      }
      await liveOn(disk.afterCrash(random), witness, seed);
    }),
    { numRuns: 250 },
  );
});
