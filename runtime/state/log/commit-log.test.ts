// What the log promises to those who use it, case by case.

import { expect, test } from "vitest";
import { pageBytes, pagedLength } from "./block.ts";
import { type CommitLog, type CommitLogOptions, type LogRecovery, openCommitLog } from "./commit-log.ts";
import { flipped, wholeLog } from "./log-damage.fixture.ts";
import { seededBytes } from "./log-lives.fixture.ts";
import { type DiskCall, MemoryDisk } from "./memory-disk.ts";

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
const text = (body: Uint8Array | null): string | null =>
  body === null ? null : Buffer.from(body).toString();

function open(
  disk: MemoryDisk,
  options: CommitLogOptions = {},
): Promise<{ log: CommitLog; recovery: LogRecovery }> {
  return openCommitLog(disk, { random: seededBytes(1), ...options });
}

test("a new log is empty, and begins with epoch 1", async () => {
  const { log, recovery } = await open(new MemoryDisk());
  expect(recovery).toEqual({
    epoch: 1,
    snapshot: null,
    commits: [],
    tornBytes: 0,
    badCopies: [],
    loss: null,
  });
  expect(log.id).toMatch(/^[\w-]{16}$/);
  expect(log.bytes).toBe(0);
});

test("commits come back in order, with any bytes and of any length", async () => {
  const disk = new MemoryDisk();
  const { log } = await open(disk);
  const lengths = [0, 1, 63, 64, pageBytes - 64, pageBytes - 63, pageBytes, 100_000, 5_000_000];
  const bodies = lengths.map((length, index) => seededBytes(index)(Math.min(length, 3000)));
  const whole = bodies.map((body, index) => {
    const long = new Uint8Array(lengths[index]!);
    long.set(body);
    return long;
  });
  for (const [index, body] of whole.entries()) expect(await log.append(body)).toBe(index + 1);
  expect(log.bytes).toBe(lengths.reduce((sum, length) => sum + pagedLength(length), 0));
  const { recovery } = await open(disk.afterKill());
  expect(recovery.commits.map((body) => Buffer.compare(body, whole.shift()!))).toEqual(lengths.map(() => 0));
});

test("each start has a greater epoch, which no power cut takes back, and the log keeps its id", async () => {
  let disk = new MemoryDisk();
  const { log } = await open(disk);
  for (let epoch = 2; epoch < 30; epoch++) {
    disk = disk.afterCrash(() => 0);
    const next = await open(disk, { random: seededBytes(epoch) });
    expect(next.recovery.epoch).toBe(epoch);
    expect(next.log.id).toBe(log.id);
  }
  // A start without commits leaves nothing behind.
  expect([...disk.files().keys()].sort()).toEqual(["position", "segment-0000000029"]);
});

test("a snapshot takes the place of the commits before it", async () => {
  const disk = new MemoryDisk();
  const { log } = await open(disk);
  for (const each of ["one", "two"]) await log.append(bytes(each));
  await log.checkpoint(bytes("one, two"));
  expect(log.bytes).toBe(0);
  expect(await log.append(bytes("three"))).toBe(3);
  await log.close();
  const killed = disk.afterKill();
  const next = await open(killed);
  expect(text(next.recovery.snapshot)).toBe("one, two");
  expect(next.recovery.commits.map(text)).toEqual(["three"]);
  expect(next.log.bytes).toBe(pagedLength(5));
  await next.log.checkpoint(bytes("all"));
  await next.log.checkpoint(bytes("all again"));
  const last = await open(killed.afterKill());
  expect(last.recovery).toMatchObject({ commits: [], badCopies: [] });
});

test("commits go on while a snapshot is written, and come after it", async () => {
  const disk = new MemoryDisk();
  const { log } = await open(disk);
  await log.append(bytes("one"));
  const snapshot = log.checkpoint(new Uint8Array(20_000_000).fill(7));
  const order: string[] = [];
  const done = snapshot.then(() => order.push("snapshot"));
  for (const each of ["two", "three"]) order.push(String(await log.append(bytes(each))));
  await done;
  expect(order).toEqual(["2", "3", "snapshot"]);
  const { recovery } = await open(disk.afterCrash(() => 0));
  expect(recovery.snapshot).toHaveLength(20_000_000);
  expect(recovery.commits.map(text)).toEqual(["two", "three"]);
});

test("appends that are asked for at once come one after the other; a snapshot beside them is refused", async () => {
  const { log } = await open(new MemoryDisk());
  const appends = ["a", "b", "c"].map((each) => log.append(bytes(each)));
  await expect(log.checkpoint(bytes("?"))).rejects.toMatchObject({ code: "WEIR_INTERNAL" });
  expect(await Promise.all(appends)).toEqual([1, 2, 3]);
});

test("what follows a close is refused, and the folder is free again", async () => {
  const disk = new MemoryDisk();
  const { log } = await open(disk);
  await expect(open(disk)).rejects.toMatchObject({ code: "WEIR_STATE_BUSY", message: /another weir/ });
  await log.close();
  await log.close();
  await expect(log.append(bytes("late"))).rejects.toMatchObject({ code: "WEIR_INTERNAL" });
  await (await open(disk)).log.close();
});

test("the state of another pipeline is refused, and named", async () => {
  const disk = new MemoryDisk();
  await (await open(disk, { owner: "cold-chain" })).log.close();
  await expect(open(disk, { owner: "pumps" })).rejects.toMatchObject({
    code: "WEIR_STATE",
    message: 'memory: the state is of "cold-chain", expected "pumps"',
    remedy: "a folder of state is known by its name: call it cold-chain again, or move it out of .",
  });
  await (await open(disk, { owner: "cold-chain" })).log.close();
});

test("a newer format is refused as such, whether damage is accepted or not", async () => {
  const { image } = await wholeLog();
  const name = "segment-0000000003";
  const newer = Buffer.from(image.get(name)!);
  newer.writeUInt16LE(2, 4);
  const { crc32 } = await import("node:zlib");
  newer.writeUInt32LE(crc32(newer.subarray(0, 60)), 60);
  for (const acceptLoss of [false, true]) {
    const disk = MemoryDisk.of(new Map([...image, [name, newer]]));
    await expect(open(disk, { acceptLoss })).rejects.toMatchObject({
      code: "WEIR_STATE",
      message: "the commit log is of format 2, expected 1",
    });
    expect(newer.equals(disk.files().get(name)!)).toBe(true);
  }
});

test("a file of another log is not taken for one's own", async () => {
  const { image } = await wholeLog();
  const other = new MemoryDisk();
  const { log } = await open(other, { random: seededBytes(99) });
  await log.append(bytes("foreign"));
  await log.checkpoint(bytes('["foreign"]'));
  for (const name of ["snapshot-0000000001-a", "segment-0000000002"]) {
    const mixed = MemoryDisk.of(new Map([...image, [name, other.files().get(name)!]]));
    const opened = await open(mixed).catch((error: unknown) => error);
    if (name.startsWith("segment")) expect(opened).toMatchObject({ code: "WEIR_STATE" });
    else expect(opened).toMatchObject({ recovery: { badCopies: [name] } });
  }
});

test("damage is refused with its place and a way out; accepted, it is said what is lost", async () => {
  const { image, texts } = await wholeLog();
  const name = "segment-0000000003";
  const files = new Map([...image, [name, flipped(image.get(name)!, 3 * pageBytes + 100, 1)]]);
  await expect(open(MemoryDisk.of(files))).rejects.toMatchObject({
    code: "WEIR_STATE",
    message:
      "memory: the commit log is damaged: commit 6 in segment-0000000003 is damaged, and commit 7 follows it",
    remedy: expect.stringContaining("keeps what was committed up to 5"),
  });
  const disk = MemoryDisk.of(files);
  const { log, recovery } = await open(disk, { acceptLoss: true });
  expect(recovery.loss).toEqual({
    reason: "commit 6 in segment-0000000003 is damaged, and commit 7 follows it",
    from: 6,
    through: 7,
  });
  expect(recovery.commits.map(text)).toEqual(texts.slice(2, 5));
  expect(await log.append(bytes("six"))).toBe(6);
  await log.close();
  expect((await open(disk)).recovery).toMatchObject({ loss: null, epoch: recovery.epoch + 1 });
});

test("damaged files that were given up keep their bytes", async () => {
  const { image } = await wholeLog();
  const name = "segment-0000000003";
  const damaged = flipped(image.get(name)!, 70, 1);
  const disk = MemoryDisk.of(new Map([...image, [name, damaged]]));
  const { recovery } = await open(disk, { acceptLoss: true });
  expect(recovery.loss).toMatchObject({ from: 5, through: 7 });
  expect(disk.files().get(`damaged-${name}`)).toEqual(damaged);
});

test("a full disk refuses a commit, and takes it when there is room; the reserve lets a last one through", async () => {
  const disk = new MemoryDisk([], { room: 1_000_000 });
  const { log } = await open(disk);
  const used = (): number => [...disk.files().values()].reduce((sum, file) => sum + file.length, 0);
  const reserve = disk.files().get("reserve")!.length;
  expect(reserve).toBeGreaterThan(50_000);
  expect(reserve).toBeLessThan(1_000_000 / 16);
  disk.room = used() + pageBytes;
  await log.append(bytes("one"));
  expect(disk.files().has("reserve")).toBe(true);
  // Room for the second one is made of the reserve.
  await log.append(bytes("two".padEnd(40_000)));
  expect(disk.files().has("reserve")).toBe(false);
  const before = { bytes: log.bytes, used: used() };
  for (let again = 0; again < 3; again++)
    await expect(log.append(new Uint8Array(60_000))).rejects.toMatchObject({
      code: "WEIR_DISK_FULL",
      retry: true,
    });
  // What was written of them is taken back.
  expect({ bytes: log.bytes, used: used() }).toEqual(before);
  disk.room = 10_000_000;
  expect(await log.append(bytes("three"))).toBe(3);
  await log.checkpoint(bytes("all"));
  expect(disk.files().has("reserve")).toBe(true);
  const { recovery } = await open(disk.afterKill());
  expect(text(recovery.snapshot)).toBe("all");
});

test("a log is opened on a disk that is full, by one start after the other, with all that stands", async () => {
  const disk = new MemoryDisk([], { room: 4_000_000 });
  const { log } = await open(disk);
  let stands = 0;
  for (;;) {
    const done = await log.append(new Uint8Array(50_000)).catch(() => null);
    if (done === null) break;
    stands++;
  }
  let after = disk.afterKill();
  after.room = 4_000_000;
  for (let start = 0; start < 6; start++) {
    const { log: next, recovery } = await open(after);
    expect(recovery.commits).toHaveLength(stands);
    // Whatever room there is, commits take it.
    while ((await next.append(new Uint8Array(8_000)).catch(() => null)) !== null) stands++;
    after = after.afterKill();
    after.room = 4_000_000;
  }
  // With room again, and whoever made it removed what was kept.
  await after.remove("reserve-start");
  after.room = 40_000_000;
  const { log: last } = await open(after);
  await last.append(bytes("more"));
  await last.checkpoint(bytes("all"));
  expect(after.files().get("reserve")?.length).toBeGreaterThan(1_000_000);
  expect(after.files().has("reserve-start")).toBe(false);
});

test("a snapshot that finds no room leaves the log as it was", async () => {
  const disk = new MemoryDisk();
  const { log } = await open(disk);
  await log.append(bytes("one"));
  disk.room = 60_000;
  await expect(log.checkpoint(new Uint8Array(40_000))).rejects.toMatchObject({ code: "WEIR_DISK_FULL" });
  expect([...disk.files().keys()].filter((name) => name.endsWith(".new"))).toEqual([]);
  await log.append(bytes("two"));
  await log.checkpoint(bytes("both"));
  const { recovery } = await open(disk.afterKill());
  expect(text(recovery.snapshot)).toBe("both");
});

test("a failed synchronisation ends the log, and a commit that was only in memory is written again", async () => {
  let fails = false;
  const fault = ({ operation, name }: DiskCall): string | null =>
    fails && operation === "sync" && name.startsWith("segment") ? "EIO" : null;
  const disk = new MemoryDisk([], { fault });
  const { log } = await open(disk);
  await log.append(bytes("one"));
  fails = true;
  const refused = { code: "WEIR_STATE", retry: false, message: /cannot make a commit durable: EIO/ };
  await expect(log.append(bytes("two"))).rejects.toMatchObject(refused);
  fails = false;
  await expect(log.append(bytes("three"))).rejects.toMatchObject(refused);
  await expect(log.checkpoint(bytes("all"))).rejects.toMatchObject(refused);
  await log.close();
  // Whoever reads it sees the second one, though no disk has it.
  const next = await open(disk);
  expect(next.recovery.commits.map(text)).toEqual(["one", "two"]);
  const { recovery } = await open(disk.afterCrash(() => 0));
  expect(recovery.commits.map(text)).toEqual(["one", "two"]);
});

test("a snapshot that does not read back as it was written ends the log, and the one before it stays", async () => {
  const disk: MemoryDisk = new MemoryDisk([], {
    fault: ({ operation, name }) => {
      if (operation === "open" && name === "snapshot-0000000002-b.new") disk.rot(name, 70, 1);
      return null;
    },
  });
  const { log } = await open(disk);
  await log.append(bytes("one"));
  await log.checkpoint(bytes("first snapshot"));
  await log.append(bytes("two"));
  await expect(log.checkpoint(bytes("second snapshot"))).rejects.toMatchObject({
    code: "WEIR_STATE",
    message: "memory: snapshot-0000000002-b.new does not read back as it was written",
  });
  await expect(log.append(bytes("three"))).rejects.toMatchObject({ code: "WEIR_STATE" });
  const { recovery } = await open(disk.afterKill());
  expect(text(recovery.snapshot)).toBe("first snapshot");
  expect(recovery.commits.map(text)).toEqual(["two"]);
});
