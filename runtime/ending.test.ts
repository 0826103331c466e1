// Who waits for an end, and for how long.

import { expect, test } from "vitest";
import { Ending } from "./ending.ts";

test("whoever waits gets what is there first, and is not kept beyond that", async () => {
  const ending = new Ending<string>();
  for (let n = 0; n < 1_000; n++) expect(await ending.before(Promise.resolve(n))).toBe(n);
  await expect(ending.before(Promise.reject(new Error("of its own")))).rejects.toThrow("of its own");
  expect(ending.waiting).toBe(0);
  const never = new Promise<never>(() => undefined);
  const others = [ending.before(never), ending.before(never)];
  expect(ending.waiting).toBe(2);
  ending.come(() => "over");
  ending.come(() => "over again");
  expect(await Promise.all(others)).toEqual(["over", "over"]);
  expect(await ending.before(never)).toBe("over");
  expect(ending.waiting).toBe(0);
});

test("an end may be a fault, also for what fails behind it", async () => {
  const ending = new Ending<never>();
  const { promise, reject } = Promise.withResolvers<void>();
  const waits = ending.before(promise);
  ending.come(() => {
    throw new Error("closed");
  });
  await expect(waits).rejects.toThrow("closed");
  reject(new Error("too late for anybody"));
  await expect(ending.before(Promise.resolve())).rejects.toThrow("closed");
});
