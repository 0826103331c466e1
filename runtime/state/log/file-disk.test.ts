// The commit log on real files, in real processes that are killed.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type CommitLog, type LogRecovery, openCommitLog } from "./commit-log.ts";
import { FileDisk } from "./file-disk.ts";
import { bodyOf } from "./log-process.fixture.ts";

let root: string;
let folder: string;
const children: ChildProcess[] = [];
const logs: CommitLog[] = [];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "weir-log-"));
  folder = join(root, "states", "group");
});

afterEach(async () => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  await Promise.all(logs.splice(0).map((log) => log.close()));
  await rm(root, { recursive: true, force: true });
});

async function open(): Promise<{ readonly log: CommitLog; readonly recovery: LogRecovery }> {
  const opened = await openCommitLog(await FileDisk.open(folder), { reserveBytes: 65_536 });
  logs.push(opened.log);
  return opened;
}

const program = join(import.meta.dirname, "log-process.fixture.ts");
const ownNamespaces = ["unshare", "--mount", "--pid", "--net", "--fork", "--kill-child", "--mount-proc"];
const hasNamespaces = spawnSync(ownNamespaces[0]!, [...ownNamespaces.slice(1), "true"]).status === 0;

/** A process on the folder, and its lines. */
function start(
  what: string,
  before: readonly string[] = [],
  last = 0,
): { readonly child: ChildProcess; readonly lines: AsyncIterator<string> } {
  const [command, ...rest] = [...before, process.execPath, program, what, folder, String(last)];
  const child = spawn(command!, rest, { stdio: ["pipe", "pipe", "inherit"] });
  children.push(child);
  return { child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() };
}

async function nextLine(lines: AsyncIterator<string>): Promise<string | null> {
  const { value, done } = await lines.next();
  return done === true ? null : value;
}

test("a folder is made for its user alone, and so are its files", async () => {
  const { log } = await open();
  await log.append(bodyOf(1));
  await log.checkpoint(bodyOf(1));
  await log.close();
  expect((await stat(folder)).mode & 0o777).toBe(0o700);
  const names = await readdir(folder);
  expect(names.sort()).toEqual([
    ".lock",
    "position",
    "reserve",
    "segment-0000000002",
    "snapshot-0000000001-a",
    "snapshot-0000000001-b",
  ]);
  for (const name of names) expect((await stat(join(folder, name))).mode & 0o777, name).toBe(0o600);
  expect((await stat(join(folder, ".lock"))).size).toBe(0);
});

test("files are read, written, cut, renamed and removed; a folder lists those that do not begin with a dot", async () => {
  const disk = await FileDisk.open(folder);
  const file = await disk.create("one");
  await expect(disk.create("one")).rejects.toMatchObject({ code: "EEXIST" });
  await expect(disk.open("two")).rejects.toMatchObject({ code: "ENOENT" });
  await file.write(3, Uint8Array.of(1, 2, 3));
  await file.sync();
  expect([...(await file.read(0, 100))]).toEqual([0, 0, 0, 1, 2, 3]);
  await file.truncate(4);
  expect(await file.size()).toBe(4);
  await disk.rename("one", "two");
  await disk.syncNames();
  // Under another name it is still what it was.
  await file.sync();
  await file.close();
  expect(await disk.list()).toEqual(["two"]);
  await disk.remove("two");
  await disk.remove("two");
  expect(await disk.list()).toEqual([]);
  expect(await disk.free()).toBeGreaterThan(0);
  for (const name of ["", ".lock", "..", "a/b", "a\0b"])
    await expect(disk.open(name)).rejects.toMatchObject({ code: "WEIR_INTERNAL" });
});

test("a second one on the folder is refused, in the same process and in another", async () => {
  const { log } = await open();
  const refused = {
    code: "WEIR_STATE_BUSY",
    message: `${folder}: another weir works with this state folder`,
  };
  await expect(open()).rejects.toMatchObject(refused);
  await expect(open()).rejects.toMatchObject(refused);
  expect(await nextLine(start("hold").lines)).toBe(`failed: ${refused.message}`);
  await log.close();
  const { child, lines } = start("hold");
  expect(await nextLine(lines)).toBe("open");
  await expect(open()).rejects.toMatchObject(refused);
  child.kill("SIGKILL");
  await once(child, "exit");
  // What it left behind is no lock.
  expect(await readdir(folder)).toContain(".lock");
  await (await open()).log.close();
});

test.skipIf(!hasNamespaces)("a lock holds between containers that share the folder", async () => {
  const { child, lines } = start("hold", ownNamespaces);
  expect(await nextLine(lines)).toBe("open");
  expect(await nextLine(start("hold", ownNamespaces).lines)).toMatch(/another weir/);
  await expect(open()).rejects.toMatchObject({ code: "WEIR_STATE_BUSY" });
  child.kill("SIGKILL");
  expect(await nextLine(lines)).toBeNull();
  await (await open()).log.close();
});

test("whenever a process is killed, all that it acknowledged is there", { timeout: 60_000 }, async () => {
  let last = 0;
  for (let life = 0; life < 10; life++) {
    const { child, lines } = start("append", [], last);
    expect(await nextLine(lines)).toBe("open");
    for (let commits = 0; commits < 3 + life * 3; commits++) last = Number(await nextLine(lines));
    child.kill("SIGKILL");
    // What it said before it was killed counts as well.
    for (let line = await nextLine(lines); line !== null; line = await nextLine(lines)) last = Number(line);
    const { log, recovery } = await open();
    const before =
      recovery.snapshot === null ? 0 : new DataView(recovery.snapshot.slice().buffer).getFloat64(0);
    const wrong = recovery.commits.filter(
      (body, index) => Buffer.compare(body, bodyOf(before + index + 1)) !== 0,
    );
    expect(wrong).toEqual([]);
    const found = before + recovery.commits.length;
    expect([last, last + 1]).toContain(found);
    last = found;
    await log.close();
  }
  expect(last).toBeGreaterThan(150);
});

test.skipIf(!hasNamespaces)("a disk that is full refuses, and goes on when there is room", async () => {
  await mkdir(folder, { recursive: true });
  const mount = `mount -t tmpfs -o size=4m none "${folder}" && exec "$@"`;
  const { lines } = start("fill", [...ownNamespaces, "sh", "-c", mount, "sh"]);
  const line = await nextLine(lines);
  const { full, number, recovered, torn } = JSON.parse(line ?? "null") as Record<string, number>;
  expect(full).toBeGreaterThan(100);
  expect({ number, recovered, torn }).toEqual({ number: full! + 5, recovered: full! + 5, torn: 0 });
});

test("a folder that vanishes while it is in use ends the log, and is never begun anew", async () => {
  const moved = `${folder}-moved`;
  const { log } = await open();
  await log.append(bodyOf(1));
  await rename(folder, moved);
  await expect(log.append(bodyOf(2))).rejects.toMatchObject({ code: "WEIR_STATE" });
  await mkdir(folder);
  await expect(log.append(bodyOf(2))).rejects.toMatchObject({ code: "WEIR_STATE" });
  await log.close();
  expect(await readdir(folder)).toEqual([]);
  await rm(folder, { recursive: true });
  await rename(moved, folder);
  // The second one was written, though nobody was told so.
  expect((await open()).recovery.commits).toHaveLength(2);
});

test("an empty folder in the place of the one in use ends the log", async () => {
  const { log } = await open();
  await rename(folder, `${folder}-moved`);
  await mkdir(folder);
  const refused = { code: "WEIR_STATE", message: expect.stringContaining("no longer the folder") };
  await expect(log.append(bodyOf(1))).rejects.toMatchObject(refused);
  await log.close();
});

test("a segment that is removed while it is in use ends the log", async () => {
  const { log } = await open();
  await log.append(bodyOf(1));
  await rm(join(folder, "segment-0000000001"));
  const refused = { code: "WEIR_STATE", message: expect.stringContaining("was removed while it was in use") };
  await expect(log.append(bodyOf(2))).rejects.toMatchObject(refused);
  await log.close();
  await expect(open()).rejects.toMatchObject({ code: "WEIR_STATE" });
});

test("what is no file is refused as damage", async () => {
  await (await open()).log.close();
  await mkdir(join(folder, "segment-0000000002"));
  await expect(open()).rejects.toMatchObject({
    code: "WEIR_STATE",
    message: expect.stringContaining("segment-0000000002 cannot be read"),
  });
});

test("a lock that cannot be is an error that says so", async () => {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, ".lock"), "x".repeat(4096));
  await expect(open()).rejects.toMatchObject({
    code: "WEIR_STATE",
    message: expect.stringContaining("cannot be locked"),
  });
});

test.skipIf(process.getuid?.() === 0)("a folder that may not be written to is refused", async () => {
  await mkdir(folder, { recursive: true });
  await chmod(folder, 0o500);
  await expect(open()).rejects.toMatchObject({ code: "WEIR_STATE" });
});
