// A target whose connection takes its time: what it says before, and how a wait for it ends.

import { expect, it } from "vitest";
import type { Place, Tail, Target } from "../connect/chain/chain.ts";
import { WeirError } from "../errors.ts";
import { awaitedTarget } from "./awaited-target.ts";

const place: Place = { created: "2020", sequence: 7, number: 5 };
const tail: Tail = { number: 9, epoch: 1 };

class Told implements Target {
  readonly room = 3;
  readonly place = { ...place, number: 9 };
  readonly lost = { late: 1 };
  isClosed = false;

  attach(): Promise<Tail> {
    return Promise.resolve(tail);
  }
  send(): void {}
  close(): Promise<void> {
    this.isClosed = true;
    return Promise.resolve();
  }
}

function isPending(promise: Promise<unknown>): Promise<boolean> {
  const turn = new Promise<boolean>((done) => setImmediate(() => done(true)));
  return Promise.race([
    promise.then(
      () => false,
      () => false,
    ),
    turn,
  ]);
}

it("says what was written down until the other side has answered, and waits for it", async () => {
  const opened = Promise.withResolvers<Target>();
  const target = awaitedTarget({ open: () => opened.promise, place });
  const attached = target.attach([], 5);
  expect(await isPending(attached)).toBe(true);
  expect([target.room, target.place, target.lost]).toEqual([0, place, {}]);
  opened.resolve(new Told());
  expect(await attached).toEqual(tail);
  expect([target.room, target.place?.number, target.lost]).toEqual([3, 9, { late: 1 }]);
});

it("opens no other where it is attached again", async () => {
  let opened = 0;
  const open = (): Promise<Target> => Promise.resolve(new Told()).finally(() => opened++);
  const target = awaitedTarget({ open, place: null });
  await target.attach([], 0);
  await target.attach([], 0);
  expect(opened).toBe(1);
});

it("passes on what is wrong with the connection", async () => {
  const fault = new WeirError("WEIR_CONFIG", "no NATS connection is called cloud");
  const target = awaitedTarget({ open: () => Promise.reject(fault), place: null });
  await expect(target.attach([], 0)).rejects.toBe(fault);
});

it("where nobody waits for the server any more, the chain has no fault: it waits until it is closed", async () => {
  const stopped = new WeirError("WEIR_NATS_UNAVAILABLE", "stopped");
  const target = awaitedTarget({ open: () => Promise.reject(stopped), place: null });
  const attached = target.attach([], 0);
  expect(await isPending(attached)).toBe(true);
  await target.close();
  await expect(attached).rejects.toMatchObject({ code: "WEIR_NATS_UNAVAILABLE" });
});

it("closes what is opened after it was closed", async () => {
  const [opened, told] = [Promise.withResolvers<Target>(), new Told()];
  const target = awaitedTarget({ open: () => opened.promise, place: null });
  const attached = target.attach([], 0);
  await target.close();
  await expect(attached).rejects.toThrow("closed before");
  opened.resolve(told);
  await opened.promise;
  await isPending(new Promise(() => undefined));
  expect(told.isClosed).toBe(true);
});
