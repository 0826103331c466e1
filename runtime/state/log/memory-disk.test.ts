// The disk in memory does what a real one may, and nothing that none does.

import { expect, test } from "vitest";
import { seeded } from "./log-lives.fixture.ts";
import { MemoryDisk } from "./memory-disk.ts";

const full = (length: number, value: number): Uint8Array => new Uint8Array(length).fill(value);

test("it is a folder: files are made, read, written, cut, renamed and removed", async () => {
  const disk = new MemoryDisk();
  const file = await disk.create("one");
  await expect(disk.create("one")).rejects.toMatchObject({ code: "EEXIST" });
  await expect(disk.open("two")).rejects.toMatchObject({ code: "ENOENT" });
  await expect(disk.rename("two", "three")).rejects.toMatchObject({ code: "ENOENT" });
  await file.write(3, Uint8Array.of(1, 2, 3));
  expect([...(await file.read(0, 100))]).toEqual([0, 0, 0, 1, 2, 3]);
  await file.truncate(4);
  await file.write(6, Uint8Array.of(9));
  expect([...(await file.read(2, 100))]).toEqual([0, 1, 0, 0, 9]);
  await disk.rename("one", "two");
  expect(await file.size()).toBe(7);
  expect(await disk.list()).toEqual(["two"]);
  await disk.remove("two");
  await disk.remove("two");
  expect(await disk.list()).toEqual([]);
  expect(await disk.free()).toBeNull();
});

test("what is written is as it was then, whatever its memory holds later", async () => {
  const disk = new MemoryDisk();
  const file = await disk.create("file");
  const bytes = Buffer.from([1]);
  await file.write(0, bytes);
  bytes[0] = 2;
  await file.sync();
  await disk.syncNames();
  const left = await disk.durable().open("file");
  expect([...(await left.read(0, 9))]).toEqual([1]);
});

test("one has it at a time", async () => {
  const disk = new MemoryDisk();
  const lock = await disk.lock();
  expect(await disk.lock()).toBeNull();
  await lock?.release();
  expect(await disk.lock()).not.toBeNull();
  expect(await disk.afterKill().lock()).not.toBeNull();
});

/** A file that is durable with ones, and written over and on with twos and threes. */
async function written(): Promise<MemoryDisk> {
  const disk = new MemoryDisk();
  const file = await disk.create("file");
  await file.write(0, full(2048, 1));
  await file.sync();
  await disk.syncNames();
  await file.write(512, full(2048, 2));
  await file.write(1024, full(700, 3));
  return disk;
}

test("what was synchronised stays; of the rest any sectors, in any of their states", async () => {
  const seen = new Set<string>();
  const lengths = new Set<number>();
  for (let seed = 0; seed < 400; seed++) {
    const left = (await written()).afterCrash(seeded(seed)).files().get("file")!;
    lengths.add(left.length);
    expect(left.subarray(0, 512)).toEqual(full(512, 1));
    expect([2048, 2560]).toContain(left.length);
    const states = [512, 1024, 1536, 2048].map((at) => [...new Set(left.subarray(at, at + 512))].join("+"));
    expect(["1", "2"]).toContain(states[0]);
    expect(["1", "2", "3"]).toContain(states[1]);
    // The last write ended within this sector.
    expect(["1", "2", "3+2"]).toContain(states[2]);
    expect(["", "0", "2"]).toContain(states[3]);
    for (const [sector, state] of states.entries()) seen.add(`${sector}: ${state}`);
  }
  expect(lengths).toEqual(new Set([2048, 2560]));
  expect(seen.size).toBe(2 + 3 + 3 + 3);
});

test("a process that ends loses nothing", async () => {
  const before = await written();
  const files = before.files();
  expect(before.afterKill().files()).toEqual(files);
});

test("names that were not synchronised may be there or not; a rename is never half", async () => {
  const seen = new Set<string>();
  for (let seed = 0; seed < 300; seed++) {
    const disk = new MemoryDisk();
    await disk.create("kept");
    await disk.create("old");
    await disk.syncNames();
    await disk.create("new");
    await disk.rename("new", "old");
    await disk.remove("kept");
    seen.add([...disk.afterCrash(seeded(seed)).files().keys()].sort().join(" "));
  }
  expect([...seen].sort()).toEqual(["kept new old", "kept old", "new old", "old"]);
});

test("a failed synchronisation leaves what will never be durable, though everybody sees it", async () => {
  let code: string | null = null;
  const disk = new MemoryDisk([], {
    fault: ({ operation }) => (operation.startsWith("sync") ? code : null),
  });
  const file = await disk.create("file");
  await disk.syncNames();
  await file.write(0, full(512, 1));
  await disk.create("other");
  code = "EIO";
  await expect(file.sync()).rejects.toMatchObject({ code: "EIO" });
  await expect(disk.syncNames()).rejects.toMatchObject({ code: "EIO" });
  code = null;
  await file.sync();
  await disk.syncNames();
  const killed = disk.afterKill();
  expect(killed.files().get("file")).toEqual(full(512, 1));
  expect(killed.files().has("other")).toBe(true);
  const left = killed.afterCrash(() => 0.3).files();
  expect([...left.keys()]).toEqual(["file"]);
  expect(left.get("file")).toHaveLength(0);
});

test("a disk has so much room, and a write takes what there is", async () => {
  const disk = new MemoryDisk([], { room: 1000 });
  const file = await disk.create("file");
  await file.write(0, full(600, 1));
  expect(await disk.free()).toBe(400);
  await expect(file.write(500, full(600, 2))).rejects.toMatchObject({ code: "ENOSPC" });
  expect(await file.size()).toBe(1000);
  await file.write(0, full(1000, 3));
  await file.truncate(600);
  expect(await disk.free()).toBe(400);
  disk.room = 2000;
  await file.write(600, full(1400, 4));
  expect(await disk.free()).toBe(0);
});

test("a process ends at the call that it is told to, and its calls never end", async () => {
  const disk = new MemoryDisk([], { fault: ({ count }) => (count === 3 ? "stop" : null) });
  const file = await disk.create("file");
  await file.write(0, full(8, 1));
  let ended = false;
  void file.write(8, full(8, 2)).finally(() => (ended = true));
  await disk.stopped;
  void disk.list().finally(() => (ended = true));
  expect(disk.calls).toBe(3);
  const next = disk.afterKill();
  expect(next.files().get("file")).toEqual(full(8, 1));
  await (await next.open("file")).size();
  expect(ended).toBe(false);
});

test("bits rot, in what is read now and in what is left", async () => {
  const disk = MemoryDisk.of([["file", full(4, 0)]]);
  disk.rot("file", 2, 0x81);
  disk.rot("file", 9, 1);
  expect([...disk.files().get("file")!]).toEqual([0, 0, 0x81, 0]);
  expect([
    ...disk
      .afterCrash(() => 0)
      .files()
      .get("file")!,
  ]).toEqual([0, 0, 0x81, 0]);
});

test("the same numbers give the same end", async () => {
  for (let seed = 0; seed < 20; seed++) {
    const one = (await written()).afterCrash(seeded(seed)).files();
    expect((await written()).afterCrash(seeded(seed)).files()).toEqual(one);
  }
});
