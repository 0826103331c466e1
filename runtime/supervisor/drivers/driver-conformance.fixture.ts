// What every driver has to do, as tests that run against a real one: started, seen, asked, ended, ended by force, found
// again, and never fooled about names. Called inside a `describe` of the driver's own test.

import { afterAll, beforeAll, expect, test } from "vitest";
import { sleep, wallClock } from "../../clock.ts";
import { WeirError } from "../../errors.ts";
import type { Driver, ObservedWorker, WorkerSpec } from "../driver.ts";

export interface ConformanceBed {
  /** A driver for that supervisor, not open yet. Called again for the same one it is the driver after a restart. */
  driver(supervisor: string): Driver;
  /** The command that makes `conformance-worker.fixture.mjs` behave so. */
  command(behaviour: string, argument?: string): readonly string[];
  /** What this machine lets the driver hold. */
  readonly holds: { readonly memory: boolean; readonly pids: boolean };
  close(): Promise<void>;
}

const grace_ms = 5_000;

export function driverConformance(makeBed: () => Promise<ConformanceBed>): void {
  let bed: ConformanceBed;
  let driver: Driver;
  let names = 0;

  beforeAll(async () => {
    bed = await makeBed();
    driver = bed.driver("first");
    await driver.open();
  });

  afterAll(async () => {
    for (const supervisor of ["first", "second"]) {
      const cleaner = bed.driver(supervisor);
      await cleaner.open();
      for (const { id } of await cleaner.list()) {
        await cleaner.kill(id);
        await cleaner.remove(id);
      }
      await cleaner.close();
    }
    await driver.close();
    await bed.close();
  });

  function specOf(command: readonly string[], more: Partial<WorkerSpec> = {}): WorkerSpec {
    const name = `w${++names}`;
    return { name, revision: "r1", command, environment: {}, folders: [], limits: {}, ...more };
  }

  async function seen(id: string, by: Driver = driver): Promise<ObservedWorker | undefined> {
    return (await by.list()).find((each) => each.id === id);
  }

  async function until(condition: () => Promise<boolean>): Promise<void> {
    while (!(await condition())) await sleep(wallClock, 20);
  }

  /** Starts a worker and waits until it says so. */
  async function started(behaviour: string, argument = "", more: Partial<WorkerSpec> = {}): Promise<string> {
    const id = await driver.start(specOf(bed.command(behaviour, argument), more));
    await until(async () => (await driver.logs(id, 100)).includes("ready"));
    return id;
  }

  async function ended(id: string): Promise<ObservedWorker> {
    await until(async () => (await seen(id))?.state === "exited");
    return (await seen(id))!;
  }

  test("a worker is started and seen as it was ordered", async () => {
    const before = wallClock.now();
    const id = await started("serve", "", { name: "seen-1_a", revision: "abc.1" });
    const worker = await seen(id);
    expect(worker).toMatchObject({
      id,
      name: "seen-1_a",
      revision: "abc.1",
      state: "running",
      exitCode: null,
      outOfMemory: false,
    });
    expect(worker!.started).toBeGreaterThanOrEqual(before - 1_000);
    expect(worker!.started).toBeLessThanOrEqual(wallClock.now() + 1_000);
  });

  test("it sees the environment that it was given", async () => {
    const id = await started("environment", "GIVEN", { environment: { GIVEN: "a b'c\"" } });
    expect(await driver.logs(id, 10)).toContain("GIVEN=a b'c\"");
  });

  test("the end of its output is told, at most as many lines as are asked for", async () => {
    const id = await started("say", "500");
    expect(await driver.logs(id, 3)).toEqual(["line 499", "line 500", "ready"]);
    expect(await driver.logs(id, 10_000)).toHaveLength(501);
  });

  test("what it takes is told", async () => {
    const id = await started("serve");
    const { memory_bytes, pids, processor_s } = await driver.stats(id);
    expect(memory_bytes).toBeGreaterThan(1_000_000);
    expect(pids).toBeGreaterThan(0);
    expect(processor_s).toBeGreaterThanOrEqual(0);
  });

  test("asked to stop it drains, and is there until it is removed", async () => {
    const id = await started("serve");
    await driver.stop(id, grace_ms);
    expect(await seen(id)).toMatchObject({ state: "exited", exitCode: 0 });
    expect((await driver.logs(id, 1)).at(-1)).toBe("drained");
    await driver.remove(id);
    expect(await seen(id)).toBeUndefined();
  });

  test("one that does not stop is killed after the grace", async () => {
    const id = await started("stubborn");
    await driver.stop(id, 300);
    expect(await seen(id)).toMatchObject({ state: "exited" });
    expect((await driver.logs(id, 1)).at(-1)).toBe("asked to end");
  });

  test("killed it is gone at once", async () => {
    const id = await started("stubborn");
    await driver.kill(id);
    expect(await seen(id)).toMatchObject({ state: "exited", outOfMemory: false });
  });

  test("how it ended by itself is told", async () => {
    const seven = await driver.start(specOf(bed.command("exit", "7")));
    expect(await ended(seven)).toMatchObject({ exitCode: 7, outOfMemory: false });
    const crashed = await driver.start(specOf(bed.command("crash")));
    expect((await ended(crashed)).outOfMemory).toBe(false);
  });

  test("a name is taken until it is removed, by one that ended as well", async () => {
    const id = await started("serve", "", { name: "taken" });
    await expect(driver.start(specOf(bed.command("serve"), { name: "taken" }))).rejects.toBeInstanceOf(
      WeirError,
    );
    expect((await driver.list()).filter(({ name }) => name === "taken")).toHaveLength(1);
    await driver.kill(id);
    await expect(driver.start(specOf(bed.command("serve"), { name: "taken" }))).rejects.toBeInstanceOf(
      WeirError,
    );
    await driver.remove(id);
    const again = await started("serve", "", { name: "taken" });
    expect(again).not.toBe(id);
  });

  test("of starts of one name at the same time one is done", async () => {
    const orders = [1, 2, 3].map(() => driver.start(specOf(bed.command("serve"), { name: "race" })));
    const results = await Promise.allSettled(orders);
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    expect((await driver.list()).filter(({ name }) => name === "race")).toHaveLength(1);
  });

  test("a running one is not removed", async () => {
    const id = await started("serve");
    await expect(driver.remove(id)).rejects.toBeInstanceOf(WeirError);
    expect(await seen(id)).toMatchObject({ state: "running" });
  });

  test("a handle that nobody has: ending it is no fault, asking about it is one", async () => {
    for (const id of ["nobody", "../../etc", "", "w1; rm -rf x"]) {
      await driver.stop(id, 10);
      await driver.kill(id);
      await driver.remove(id);
      await expect(driver.logs(id, 1)).rejects.toBeInstanceOf(WeirError);
      await expect(driver.stats(id)).rejects.toBeInstanceOf(WeirError);
    }
  });

  test.each(["../escape", "a/b", "", "A", "x".repeat(65), "a b", "-x\n"])(
    "the name %j is refused",
    async (name) => {
      const before = (await driver.list()).length;
      const order = driver.start(specOf(bed.command("serve"), { name }));
      await expect(order).rejects.toMatchObject({ code: "WEIR_WORKER_REFUSED" });
      expect(await driver.list()).toHaveLength(before);
    },
  );

  test("a supervisor that starts again finds what it had started, and can end it", async () => {
    const id = await started("serve", "", { name: "adopted" });
    const over = await driver.start(specOf(bed.command("exit", "3"), { name: "adopted-end" }));
    await ended(over);
    await driver.close();
    driver = bed.driver("first");
    await driver.open();
    expect(await seen(id)).toMatchObject({ name: "adopted", state: "running" });
    expect(await seen(over)).toMatchObject({ state: "exited", exitCode: 3 });
    expect(await driver.logs(id, 10)).toContain("ready");
    await driver.stop(id, grace_ms);
    expect(await seen(id)).toMatchObject({ state: "exited", exitCode: 0 });
  });

  test("two supervisors do not see each other's workers", async () => {
    const second = bed.driver("second");
    await second.open();
    const mine = await started("serve", "", { name: "same-name" });
    const theirs = await second.start(specOf(bed.command("serve"), { name: "same-name" }));
    expect(await seen(theirs)).toBeUndefined();
    expect(await seen(mine, second)).toBeUndefined();
    await second.kill(theirs);
    expect(await seen(mine)).toMatchObject({ state: "running" });
    await second.close();
  });

  test("one that takes more memory than it may is ended, and that is known", async (context) => {
    if (!bed.holds.memory) context.skip("nothing here holds a limit of memory");
    const id = await driver.start(specOf(bed.command("eat"), { limits: { memory_bytes: 128 * 1024 ** 2 } }));
    expect(await ended(id)).toMatchObject({ outOfMemory: true });
  });

  test("one that wants more processes than it may does not get them", async (context) => {
    if (!bed.holds.pids) context.skip("nothing here holds a limit of processes");
    const id = await started("children", "60", { limits: { pids: 40 } });
    await until(async () => (await driver.logs(id, 5)).some((line) => line.endsWith("children")));
    const line = (await driver.logs(id, 5)).find((each) => each.endsWith("children"));
    expect(Number(line!.split(" ")[0])).toBeLessThan(40);
    await driver.kill(id);
  });
}
