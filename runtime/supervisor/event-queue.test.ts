import { expect, test } from "vitest";
import { limits } from "../limits.ts";
import { EventQueue } from "./event-queue.ts";
import type { Told } from "./supervisor.ts";

const told = (at: number): Told => ({ what: "good", name: "a", reason: "it runs well", revision: "r1", at });

test("what waits is told once, in order", () => {
  const queue = new EventQueue("gateway");
  queue.add(told(1));
  queue.add(told(2));
  expect(queue.take()).toEqual([
    { host: "gateway", ...told(1) },
    { host: "gateway", ...told(2) },
  ]);
  expect(queue.take()).toEqual([]);
});

test("of too many the oldest are left out, and the first that is told says how many", () => {
  const queue = new EventQueue("gateway");
  for (let at = 0; at < limits.events_waiting_max + 3; at++) queue.add(told(at));
  const taken = queue.take();
  expect(taken).toHaveLength(limits.events_waiting_max);
  expect(taken[0]).toEqual({ host: "gateway", ...told(3), left_out: 3 });
  expect(taken[1]).toEqual({ host: "gateway", ...told(4) });
  queue.add(told(9));
  expect(queue.take()).toEqual([{ host: "gateway", ...told(9) }]);
});
