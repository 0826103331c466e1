import { describe, expect, test } from "vitest";
import { VirtualClock } from "../../clock.ts";
import { limits as bounds } from "../../limits.ts";
import type { Plain } from "../plain.ts";
import type { Entry, KeptRow } from "./entry.ts";
import { LossyDisk } from "./lossy-disk.fixture.ts";
import { idsOf, modelCondenser } from "./outbox-model.fixture.ts";
import { Outbox } from "./outbox.ts";
import { defaultOutboxLimits, type OutboxOptions } from "./outbox-options.ts";

const clock = (): VirtualClock => new VirtualClock(1_000_000);

function row(text: string, bytes = 0): KeptRow {
  const payload = new TextEncoder().encode(text.padEnd(bytes, "."));
  return { subject: "to.all", payload, caused: 5, rows: 1, headers: null };
}

function textOf({ row }: Entry): string {
  return new TextDecoder().decode(row.payload).replace(/\.+$/, "");
}

/** Adds rows and makes them durable, one commit for each list. */
function commit(outbox: Outbox, ...commits: readonly (readonly KeptRow[])[]): Plain[] {
  return commits.map((rows) => {
    for (const each of rows) outbox.add("live", each);
    const cut = outbox.cut();
    outbox.release(cut);
    return cut.frame;
  });
}

async function open(disk: LossyDisk, options: Partial<OutboxOptions> = {}): Promise<Outbox> {
  return Outbox.open(disk.process(), null, { clock: clock(), ...options });
}

const files = (disk: LossyDisk): readonly string[] => [...disk.names.keys()];

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise(setImmediate);
}

describe("an entry", () => {
  test("is handed out only once its commit is durable, and whoever waits is told", async () => {
    const outbox = await open(new LossyDisk());
    let told = 0;
    outbox.waiting("live", () => told++);
    expect([
      outbox.add("live", row("a")),
      outbox.add("live", row("b")),
      outbox.add("other", row("c")),
    ]).toStrictEqual([1, 2, 1]);
    expect(outbox.uncutBytes).toBeGreaterThan(0);
    const cut = outbox.cut();
    expect(outbox.uncutBytes).toBe(0);
    outbox.add("live", row("d"));
    expect([await outbox.take("live", 10, 1_000), told]).toStrictEqual([[], 0]);
    outbox.release(cut);
    expect(told).toBe(1);
    expect((await outbox.take("live", 10, 1_000)).map(textOf)).toStrictEqual(["a", "b"]);
    expect(await outbox.take("live", 10, 1_000)).toStrictEqual([]);
    expect(outbox.chain("live")).toMatchObject({ last: 3, confirmed: 0, oldest: 1 });
  });

  test("comes again after rewind, and a part of a piece at a time", async () => {
    const outbox = await open(new LossyDisk());
    commit(outbox, [row("a"), row("b"), row("c")], [row("d")]);
    expect((await outbox.take("live", 2, 1_000)).map(textOf)).toStrictEqual(["a", "b"]);
    expect((await outbox.take("live", 9, 1)).map(textOf)).toStrictEqual(["c"]);
    outbox.rewind("live", 2);
    expect((await outbox.take("live", 9, 1_000)).map(textOf)).toStrictEqual(["b", "c", "d"]);
    expect((await outbox.unconfirmed("live")).map(textOf)).toStrictEqual(["a", "b", "c", "d"]);
    outbox.confirm("live", 3);
    expect((await outbox.unconfirmed("live")).map(textOf)).toStrictEqual(["d"]);
  });

  test("is nothing that a commit in flight can be followed by", async () => {
    const outbox = await open(new LossyDisk());
    outbox.cut();
    expect(() => outbox.cut()).toThrow("its last cut was not released");
    expect(() => outbox.release({ frame: null })).toThrow("not the last one");
    expect(() => outbox.confirm("live", 1)).toThrow("1 is confirmed, and 0 was the last");
  });
});

describe("the disk", () => {
  test("takes what memory has no room for, packed, and gives it back in order", async () => {
    const disk = new LossyDisk();
    const outbox = await open(disk, { memoryBytes: 20_000 });
    const rows = Array.from({ length: 500 }, (_, number) => row(`row ${number} `, 300));
    commit(outbox, ...rows.map((each) => [each]));
    await until(() => outbox.stats().memoryBytes <= 20_000);
    const { fileBytes } = outbox.stats();
    expect(fileBytes).toBeGreaterThan(100);
    expect(fileBytes).toBeLessThan(50_000);
    const found: string[] = [];
    for (
      let some = await outbox.take("live", 64, 9_000);
      some.length > 0;
      some = await outbox.take("live", 64, 9_000)
    )
      found.push(...some.map(textOf));
    expect(found).toStrictEqual(rows.map((_, number) => `row ${number} `));
  });

  test("has what a snapshot needs when the process is killed", async () => {
    const disk = new LossyDisk();
    const outbox = await open(disk);
    commit(outbox, [row("a")], [row("b")]);
    const manifest = await outbox.manifest();
    const behind = commit(outbox, [row("c")], [row("d")]);
    disk.crash(() => 0);
    const again = await Outbox.open(disk.process(), manifest, { clock: clock() });
    for (const frame of behind) again.replay(frame);
    expect((await again.take("live", 9, 9)).map(textOf)).toStrictEqual(["a", "b", "c", "d"]);
    expect(() => again.replay(behind[1]!)).toThrow("chain live: expected number 5 next, found 4");
  });

  test("is emptied when all is confirmed and the retention is over", async () => {
    const disk = new LossyDisk();
    const time = clock();
    const outbox = await open(disk, { clock: time, fileBytes: 100, retention: 1_000 });
    for (let round = 0; round < 4; round++) {
      commit(outbox, [row(`round ${round}`, 2_000)]);
      await outbox.manifest();
      await outbox.snapshotted();
    }
    expect(files(disk).length).toBeGreaterThan(1);
    outbox.confirm("live", 4);
    time.advanceTo(time.now() + 999);
    await outbox.manifest();
    expect(outbox.chain("live").oldest).toBe(1);
    // Time in which nothing is heard of the other side does not count: it may have lost what it confirmed.
    time.advanceTo(time.now() + 100_000);
    await outbox.manifest();
    expect(outbox.chain("live").oldest).toBe(1);
    commit(outbox, [row("heard of again", 100)]);
    outbox.confirm("live", 5);
    for (let round = 0; round < 3; round++) {
      await outbox.manifest();
      await outbox.snapshotted();
    }
    expect(outbox.chain("live").oldest).toBe(5);
    expect(outbox.chain("live").confirmed).toBe(5);
    // One is still written on.
    expect(files(disk)).toHaveLength(1);
  });

  test("that is damaged or lacks a file is told of, with what to do", async () => {
    const disk = new LossyDisk();
    const outbox = await open(disk);
    commit(outbox, [row("a", 100)]);
    const manifest = await outbox.manifest();
    const inode = disk.names.get("outbox-00000001.rows")!;
    inode.bytes[40]! ^= 1;
    const options = { clock: clock() };
    const damaged = await Outbox.open(disk.process(), manifest, options);
    await expect(damaged.take("live", 1, 1)).rejects.toMatchObject({
      code: "WEIR_STATE",
      message: expect.stringContaining("outbox-00000001.rows at byte 0: a frame's checksum"),
      remedy: expect.stringContaining("weir outbox fsck"),
    });
    inode.bytes = inode.bytes.slice(0, -1);
    await expect(Outbox.open(disk.process(), manifest, options)).rejects.toThrow("ends at byte");
    disk.names.clear();
    await expect(Outbox.open(disk.process(), manifest, options)).rejects.toThrow("is missing");
  });

  test("that may not be opened just now is waited for, and that is told; at the end nothing waits", async () => {
    const disk = new LossyDisk();
    const time = clock();
    const outbox = await open(disk);
    commit(outbox, [row("a", 100)]);
    const manifest = await outbox.manifest();
    let isFull = true;
    const refusal = (): Error => Object.assign(new Error("EMFILE: too many open files"), { code: "EMFILE" });
    const limited = disk.process();
    const opened = limited.open.bind(limited);
    const again = await Outbox.open(limited, manifest, { clock: time });
    limited.open = (name) => (isFull ? Promise.reject(refusal()) : opened(name));
    const taken = again.take("live", 1, 1);
    await until(() => again.stats().fault !== null);
    expect(again.stats().fault).toContain("EMFILE");
    isFull = false;
    time.advanceTo(time.now() + bounds.outbox_relieve_again_ms);
    expect((await taken).map(textOf)).toStrictEqual(["a"]);
    expect(again.stats().fault).toBeNull();

    const next = disk.process();
    const ended = await Outbox.open(next, manifest, { clock: time });
    next.open = () => Promise.reject(refusal());
    const never = expect(ended.take("live", 1, 1)).rejects.toMatchObject({
      code: "WEIR_DISK_FULL",
      remedy: expect.stringContaining("open more files"),
    });
    await until(() => ended.stats().fault !== null);
    await ended.close();
    time.advanceTo(time.now() + bounds.outbox_relieve_again_ms);
    await never;
  });

  test("that is full leaves rows in memory, makes others wait, and is tried again", async () => {
    const disk = new LossyDisk();
    const time = clock();
    const outbox = await open(disk, { memoryBytes: 1_000, clock: time });
    disk.beforeChange = () => {
      throw new Error("no space left");
    };
    commit(outbox, [row("a", 1_500)]);
    await until(() => outbox.stats().fault !== null);
    expect(outbox.stats().fault).toBe("no space left");
    await outbox.ready();
    commit(outbox, [row("b", 1_500)]);
    let isReady = false;
    const ready = outbox.ready().then(() => (isReady = true));
    await expect(outbox.manifest()).rejects.toThrow("no space left");
    expect(isReady).toBe(false);
    disk.beforeChange = () => {};
    // Without any commit: whoever makes them may be the one that waits.
    time.advanceTo(time.now() + bounds.outbox_relieve_again_ms);
    await ready;
    expect(outbox.stats()).toMatchObject({ fault: null });
    expect((await outbox.take("live", 1, 1)).map(textOf)).toStrictEqual(["a"]);
  });

  test("that is full has what was confirmed taken off it, without a snapshot, and nothing that one needs", async () => {
    const disk = new LossyDisk();
    const time = clock();
    const outbox = await open(disk, { memoryBytes: 1_000, clock: time, retention: 60_000, fileBytes: 1 });
    const written = (count: number): Promise<void> => until(() => files(disk).length === count);
    commit(outbox, [row("a", 1_500)]);
    await written(1);
    await outbox.manifest();
    await outbox.snapshotted();
    commit(outbox, [row("b", 1_500)]);
    await written(2);
    const [named, other] = files(disk);
    await outbox.take("live", 2, 10_000);
    outbox.confirm("live", 2);
    await outbox.makeRoom(false);
    expect(files(disk)).toStrictEqual([named, other]);
    await outbox.makeRoom(true);
    expect(files(disk)).toStrictEqual([named]);
    // What comes goes to another file.
    commit(outbox, [row("c", 1_500)]);
    await written(2);
    expect((await outbox.take("live", 1, 1)).map(textOf)).toStrictEqual(["c"]);
  });

  test("that cannot synchronise is not believed again", async () => {
    const disk = new LossyDisk();
    const outbox = await open(disk);
    commit(outbox, [row("a")]);
    disk.beforeChange = (what) => {
      if (what.startsWith("sync")) throw new Error("input/output error");
    };
    await expect(outbox.manifest()).rejects.toThrow("cannot be made durable: input/output error");
    disk.beforeChange = () => {};
    await expect(outbox.manifest()).rejects.toThrow("cannot be made durable");
  });
});

describe("limits", () => {
  test("make whoever adds wait until rows are confirmed", async () => {
    const limits = { ...defaultOutboxLimits, bytes: 5_000 };
    const outbox = await open(new LossyDisk(), { limits, retention: 60_000 });
    commit(outbox, [row("a", 3_000)]);
    await outbox.ready();
    outbox.add("live", row("b", 3_000));
    let isReady = false;
    const ready = outbox.ready().then(() => (isReady = true));
    commit(outbox, []);
    await new Promise(setImmediate);
    expect(isReady).toBe(false);
    outbox.confirm("live", 1);
    await ready;
    // What was confirmed makes room for what waits, though its time is not over.
    commit(outbox, [row("c", 3_000)]);
    expect(outbox.chain("live").oldest).toBe(2);
  });

  test("of age want a commit when nothing else does; the next entry tells what is left out", async () => {
    const time = clock();
    const limits = { ...defaultOutboxLimits, age: 60_000 };
    const outbox = await open(new LossyDisk(), { limits, clock: time });
    commit(outbox, [row("a")], [row("b"), row("c")]);
    expect((await outbox.take("live", 1, 1)).map(textOf)).toStrictEqual(["a"]);
    time.advanceTo(time.now() + 60_000);
    expect(outbox.uncutBytes).toBe(1);
    const frames = commit(outbox, [row("d")]);
    expect(outbox.uncutBytes).toBe(0);
    const [next] = await outbox.take("live", 5, 1_000);
    expect(next).toMatchObject({ number: 4, skipped: 2 });
    expect(outbox.stats().chains[0]).toMatchObject({ dropped: { expired: 2 }, entries: 2 });
    expect(frames[0]).toMatchObject({ edits: [["drop", "live", 2, 3, "expired"]] });
  });

  test("that drop everything leave nothing to wait for", async () => {
    const time = clock();
    const limits = { ...defaultOutboxLimits, age: 60_000 };
    const outbox = await open(new LossyDisk(), { limits, clock: time });
    commit(outbox, [row("a")], [row("b")]);
    time.advanceTo(time.now() + 60_000);
    commit(outbox, []);
    expect(outbox.chain("live")).toMatchObject({ last: 2, confirmed: 2, reached: 0, oldest: 1 });
    outbox.rewind("live", 1);
    expect(await outbox.take("live", 5, 1_000)).toStrictEqual([]);
    expect(outbox.chain("live").confirmed).toBe(2);
    commit(outbox, [row("c")]);
    expect(await outbox.take("live", 5, 1_000)).toMatchObject([{ number: 3, skipped: 2 }]);
    expect(outbox.chain("live")).toMatchObject({ confirmed: 2, reached: 0 });
    outbox.confirm("live", 3);
    expect(outbox.chain("live")).toMatchObject({ confirmed: 3, reached: 3 });
  });

  test("of bytes drop the oldest that were certainly not sent, in whole commits", async () => {
    const limits = { ...defaultOutboxLimits, bytes: 10_000, whenFull: "drop_oldest" as const };
    const outbox = await open(new LossyDisk(), { limits });
    commit(outbox, ...Array.from({ length: 12 }, (_, number) => [row(String(number), 1_000)]), []);
    expect((await outbox.take("live", 1, 1)).map(textOf)).toStrictEqual(["3"]);
    commit(outbox, ...Array.from({ length: 3 }, (_, number) => [row(String(number + 12), 1_000)]), []);
    expect(await outbox.take("live", 1, 1)).toMatchObject([{ number: 8, skipped: 3 }]);
    expect(outbox.stats().chains[0]!.dropped).toStrictEqual({ overflow: 6 });
  });

  test("do not drop what may have been sent before a restart", async () => {
    const limits = { ...defaultOutboxLimits, bytes: 20_000, whenFull: "drop_oldest" as const };
    const outbox = await open(new LossyDisk(), { limits });
    const rows = Array.from({ length: 15 }, (_, number) => [row(String(number), 1_000)]);
    const frames = commit(outbox, ...rows);
    const disk = new LossyDisk();
    const again = await open(disk, { limits: { ...limits, bytes: 1_000 } });
    for (const frame of frames) again.replay(frame);
    commit(again, []);
    // Nobody took any, so that no more than the first was allowed to be sent.
    expect(again.stats().chains[0]!.dropped).toStrictEqual({ overflow: 14 });
    expect((await again.take("live", 20, 20_000)).map(textOf)).toStrictEqual(["0"]);
  });
});

describe("tiers", () => {
  const tiers = [
    { every: 0, keep: 10_000 },
    { every: 500, keep: 1e9 },
  ];
  const reading = (at: number, id: number): KeptRow => ({
    ...row(JSON.stringify({ at, ids: [id], filling: "" })),
    form: "model",
  });

  /** Ten rows, one each half second, of which the first are old enough. */
  async function aged(disk: LossyDisk, more: Partial<OutboxOptions> = {}): Promise<[Outbox, VirtualClock]> {
    const time = clock();
    const outbox = await open(disk, { clock: time, tiers, condenser: modelCondenser, fileBytes: 1, ...more });
    for (let id = 0; id < 20; id++) {
      commit(outbox, [reading(time.now(), id * 2), reading(time.now(), id * 2 + 1)]);
      time.advanceTo(time.now() + 500);
    }
    time.advanceTo(time.now() + 5_000);
    await until(() => outbox.uncutBytes > 0);
    return [outbox, time];
  }

  test("condense what is old, and the file of it stays until a commit has it", async () => {
    const [outbox] = await aged(new LossyDisk());
    // Nobody has what is being replaced.
    expect(await outbox.take("live", 9, 9_999)).toStrictEqual([]);
    const manifest = outbox.manifest();
    await manifest;
    await outbox.snapshotted();
    commit(outbox, []);
    commit(outbox, []);
    const [first, second] = await outbox.take("live", 2, 9_999);
    expect(first!.row.headers).toStrictEqual({
      "Weir-Resolution": "500ms",
      "Weir-Skipped": String(first!.skipped),
    });
    expect([idsOf(first!.row), idsOf(second!.row)]).toStrictEqual([
      [0, 1],
      [2, 3],
    ]);
    const { dropped } = outbox.stats().chains[0]!;
    expect(dropped).toStrictEqual({ condensed: first!.skipped });
    await outbox.close();
  });

  test("leave rows as they were where the disk does not take new ones, and say why", async () => {
    const disk = new LossyDisk();
    const time = clock();
    const outbox = await open(disk, { clock: time, tiers, condenser: modelCondenser });
    commit(outbox, [reading(time.now(), 1), reading(time.now(), 2)]);
    disk.beforeChange = () => {
      throw new Error("no space left");
    };
    time.advanceTo(time.now() + 60_000);
    await until(() => outbox.stats().fault !== null);
    expect(outbox.stats().fault).toBe("no space left");
    commit(outbox, []);
    expect((await outbox.take("live", 9, 9_999)).map(({ number }) => number)).toStrictEqual([1, 2]);
    await outbox.close();
  });
});
