// What becomes of the ingest beside the workers: decided as a table, and carried out on a driver in memory.

import { describe, expect, it } from "vitest";
import { VirtualClock } from "../clock.ts";
import { limits } from "../limits.ts";
import type { Driver, ObservedWorker, WorkerSpec } from "./driver.ts";
import { IngestUnit, unitActions } from "./ingest-unit.ts";

const unit: ObservedWorker = {
  id: "a",
  name: "ingest",
  revision: "r1",
  state: "running",
  exitCode: null,
  outOfMemory: false,
  started: 0,
};
const wanted = { isWanted: true, revision: "r1", isDue: true };

describe("one look at it", () => {
  it.each([
    ["starts it where it is asked for", [], wanted, [{ kind: "start" }]],
    ["not before its time", [], { ...wanted, isDue: false }, []],
    ["not where nobody asks", [], { ...wanted, isWanted: false }, []],
    ["leaves one alone that runs", [unit], wanted, []],
    ["also when nobody asks: it ends by itself", [unit], { ...wanted, isWanted: false }, []],
    ["does nothing where nobody knows", [{ ...unit, state: "unknown" as const }], wanted, []],
    [
      "ends one of another revision",
      [unit],
      { ...wanted, revision: "r2" },
      [{ kind: "stop", id: "a", failed: false }],
    ],
    [
      "starts another in the place of one that ended",
      [{ ...unit, state: "exited" as const }],
      wanted,
      [{ kind: "remove", id: "a", failed: true }, { kind: "start" }],
    ],
    [
      "removes one that has done its work",
      [{ ...unit, state: "exited" as const, exitCode: 0 }],
      { ...wanted, isWanted: false },
      [{ kind: "remove", id: "a", failed: false }],
    ],
  ])("%s", (_what, units, how, actions) => {
    expect(unitActions(units, how)).toEqual(actions);
  });
});

/** A driver whose worker ends as soon as it is started, or does not. */
class MemoryDriver implements Driver {
  readonly kind = "process";
  readonly starts: number[] = [];
  units: ObservedWorker[] = [];
  readonly #clock: VirtualClock;
  readonly #failing: boolean;

  constructor(clock: VirtualClock, failing: boolean) {
    this.#clock = clock;
    this.#failing = failing;
  }

  start(spec: WorkerSpec): Promise<string> {
    const id = String(this.starts.push(this.#clock.now()));
    const state = this.#failing ? ("exited" as const) : ("running" as const);
    this.units = [{ ...unit, ...spec, id, state, started: this.#clock.now() }];
    return Promise.resolve(id);
  }

  remove(id: string): Promise<void> {
    this.units = this.units.filter((each) => each.id !== id);
    return Promise.resolve();
  }

  list = (): Promise<readonly ObservedWorker[]> => Promise.resolve(this.units);
  stop = (id: string): Promise<void> => this.remove(id);
  kill = (id: string): Promise<void> => this.remove(id);
  logs = (id: string): Promise<readonly string[]> => Promise.resolve([id]);
  stats = (): Promise<never> => Promise.reject(new Error("nobody asks"));
  open = (): Promise<string> => Promise.resolve("");
  close = (): Promise<void> => Promise.resolve();
}

const log = { info: () => undefined, warn: () => undefined, error: () => undefined };

async function looks(failing: boolean, count: number): Promise<{ driver: MemoryDriver; unit: IngestUnit }> {
  const clock = new VirtualClock(1_000);
  const driver = new MemoryDriver(clock, failing);
  const spec: WorkerSpec = {
    name: "ingest",
    revision: "r1",
    command: [],
    environment: {},
    folders: [],
    limits: {},
  };
  const kept = new IngestUnit({
    driver,
    spec,
    isWanted: () => true,
    clock,
    log,
    random: () => 0.5,
  });
  kept.start();
  for (let look = 0; look < count; look++) {
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    clock.advanceTo(clock.now() + limits.supervisor_look_ms);
  }
  return { driver, unit: kept };
}

describe("over many looks", () => {
  it("one that runs is started once, is told of, and is ended by draining", async () => {
    const { driver, unit: kept } = await looks(false, 60);
    expect(driver.starts).toHaveLength(1);
    expect(kept.status()).toMatchObject({ id: "1", state: "running" });
    expect(await kept.logs(9)).toEqual(["1"]);
    await kept.drain();
    expect(driver.units).toEqual([]);
  });

  it("one that was started is told of at once, and not from the next look on", async () => {
    const { driver, unit: kept } = await looks(false, 0);
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    expect(driver.starts).toHaveLength(1);
    expect(kept.status()).toMatchObject({ id: "1", state: "running" });
  });

  it("one that cannot stay is tried at a growing distance", async () => {
    const { driver } = await looks(true, 120);
    const distances = driver.starts.slice(1).map((at, place) => at - (driver.starts[place] ?? 0));
    expect(distances.at(-1)).toBeGreaterThan(10_000);
    expect(distances).toEqual([...distances].sort((a, b) => a - b));
  });
});
