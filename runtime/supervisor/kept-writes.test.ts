// That what cannot be written is written later, once, and told once.

import { expect, test } from "vitest";
import { silentLog } from "../connect/connector-log.ts";
import { KeptWrites } from "./kept-writes.ts";

test("what the disk did not take is tried again, the last of it only, and told once", () => {
  const told: string[] = [];
  const tell = (text: string): void => void told.push(text);
  const writes = new KeptWrites({ ...silentLog, error: tell, info: tell });
  const disk = { full: true, holds: [] as string[] };
  const write = (text: string) => (): void => {
    if (disk.full) throw new Error("no room");
    disk.holds.push(text);
  };
  writes.keep("what is wanted", write("one"));
  writes.keep("what is wanted", write("two"));
  writes.retry();
  expect(told).toEqual(["what is wanted cannot be kept: no room"]);
  expect(writes.complaint).toBe("what is wanted cannot be kept: no room");
  disk.full = false;
  writes.retry();
  writes.retry();
  expect(disk.holds).toEqual(["two"]);
  expect(told.at(-1)).toBe("what is wanted is kept again");
  expect(writes.complaint).toBeNull();
  writes.keep("what is wanted", write("three"));
  expect(disk.holds).toEqual(["two", "three"]);
  expect(told).toHaveLength(2);
});
