// In which order things are opened that may wait: a virtual clock tells.

import { expect, it } from "vitest";
import { VirtualClock } from "../clock.ts";
import { limits } from "../limits.ts";
import { openEach } from "./open-each.ts";

const never = new Promise<never>(() => undefined);

async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}

it("opens one after the other where none waits", async () => {
  const log: string[] = [];
  const open = async (name: string): Promise<void> => {
    log.push(`${name} begins`);
    await settle();
    log.push(`${name} is open`);
  };
  await openEach(["a", "b"], open, new VirtualClock());
  expect(log).toEqual(["a begins", "a is open", "b begins", "b is open"]);
});

it("goes on behind one that waits, and resolves once that is open as well", async () => {
  const clock = new VirtualClock();
  const begun: string[] = [];
  const comes = Promise.withResolvers<void>();
  let isOpen = false;
  const open = (name: string): Promise<void> => {
    begun.push(name);
    return name === "waits" ? comes.promise : Promise.resolve();
  };
  const opened = openEach(["first", "waits", "third", "last"], open, clock).then(() => (isOpen = true));
  await settle();
  expect(begun).toEqual(["first", "waits"]);
  clock.advanceTo(limits.worker_open_wait_ms);
  await settle();
  expect([begun, isOpen]).toEqual([["first", "waits", "third", "last"], false]);
  comes.resolve();
  await opened;
});

it("begins none any more once one has failed, be it one that waited", async () => {
  const clock = new VirtualClock();
  const begun: string[] = [];
  const fault = new Error("unfit");
  const fails = Promise.withResolvers<void>();
  const open = (name: string): Promise<void> => {
    begun.push(name);
    return name === "fails" ? fails.promise : never;
  };
  const opened = openEach(["fails", "waits", "last"], open, clock);
  opened.catch(() => undefined);
  await settle();
  clock.advanceTo(limits.worker_open_wait_ms);
  await settle();
  fails.reject(fault);
  await expect(opened).rejects.toBe(fault);
  expect(begun).toEqual(["fails", "waits"]);
});
