// weir outbox on a state folder that the log and the outbox themselves have written.

import { spawnSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { VirtualClock } from "../clock.ts";
import { WeirError } from "../errors.ts";
import { openCommitLog } from "../state/log/commit-log.ts";
import { FileDisk } from "../state/log/file-disk.ts";
import type { KeptRow } from "../state/outbox/entry.ts";
import { Outbox } from "../state/outbox/outbox.ts";
import type { OutboxStats } from "../state/outbox/outbox-stats.ts";
import { smallDisk } from "../testing/small-disk.ts";
import { commitBody, snapshotBody } from "../worker/commit-body.ts";
import { openControl } from "../worker/control.ts";
import { exported, fsck, ls, peek } from "./outbox.ts";
import { ageText, chainTable, uplinkLines } from "./outbox-text.ts";
import { program } from "./weir-process.fixture.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-outbox-test-"));
const state = join(folder, "state");
const home = join(state, "boilers");

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a command as the command line does; its exit code and what it wrote. */
async function told(command: () => Promise<number>): Promise<{ code: number; stdout: string }> {
  let stdout = "";
  const writing = vi.spyOn(process.stdout, "write").mockImplementation((text, ...rest) => {
    stdout += String(text);
    for (const each of rest) if (typeof each === "function") each();
    return true;
  });
  try {
    return { code: await command(), stdout };
  } catch (error) {
    if (!(error instanceof WeirError)) throw error;
    return { code: error.exitCode, stdout: `${stdout}${error.message} ${error.remedy}` };
  } finally {
    writing.mockRestore();
  }
}

const row = (payload: string | Uint8Array): KeptRow => ({
  subject: "cloud.boiler.7",
  payload: typeof payload === "string" ? new TextEncoder().encode(payload) : payload,
  caused: 1_700_000_000_000,
  rows: 1,
  headers: null,
});

/** Of an outbox that holds nothing. */
const stats: OutboxStats = {
  bytes: 0,
  rows: 0,
  age: null,
  memoryBytes: 0,
  fileBytes: 0,
  fault: null,
  chains: [],
  uplinks: [],
};

const rest = { positions: [], states: new Map<string, Uint8Array>(), places: null };

/** Three rows in a snapshot, of which one has arrived, and two behind it. */
beforeAll(async () => {
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, "pipelines.json"), '["boilers"]\n');
  const disk = await FileDisk.open(home);
  const { log } = await openCommitLog(disk, { owner: "boilers" });
  const outbox = await Outbox.open(disk, null, { clock: new VirtualClock(1_700_000_000_000) });
  const commit = async (...rows: readonly KeptRow[]): Promise<void> => {
    for (const each of rows) outbox.add("cloud/FLEET", each);
    const cut = outbox.cut();
    await log.append(commitBody({ pipelines: ["boilers"], ...rest, outputs: cut.frame }));
    outbox.release(cut);
  };
  await commit(row('{"a":1}'), row('{"a":2}'), row(Uint8Array.of(255, 0)));
  outbox.confirm("cloud/FLEET", 1);
  const manifest = await outbox.manifest();
  const body = snapshotBody({ pipelines: ["boilers"], away: new Map(), ...rest, outbox: manifest });
  await log.checkpoint(body);
  await commit(row('{"a":4}'), row('{"a":5}'));
  await outbox.close();
  await log.close();
});

describe("weir outbox", () => {
  test("ls shows each chain, by the command line", { timeout: 30_000 }, () => {
    const environment = { ...process.env, NO_COLOR: "1" };
    const { status, stdout } = spawnSync(process.execPath, [program, "outbox", "ls", state], {
      env: environment,
      encoding: "utf8",
    });
    expect(status).toBe(0);
    expect(stdout).toContain(home);
    expect(stdout).toMatch(/cloud\/FLEET +4 rows +\d+ B +\d+d(\d+h)? +\d+ B +1 of 5 +-/);
  });

  test("ls in JSON, of one folder", async () => {
    const { stdout } = await told(() => ls(home, { json: true }));
    expect(JSON.parse(stdout)).toMatchObject([{ folder: home, stats: { rows: 4 } }]);
  });

  test("ls without a folder asks workers, and says so when none runs", async () => {
    vi.stubEnv("WEIR_RUN_FOLDER", join(folder, "run"));
    expect(await told(() => ls(undefined, {}))).toMatchObject({
      code: 69,
      stdout: expect.stringContaining("weir outbox ls FOLDER"),
    });
    const answers = (path: string): unknown => (path === "/outbox" ? [{ folder: "here", stats }] : undefined);
    const control = await openControl(join(folder, "run"), "worker", answers);
    expect((await told(() => ls(undefined, {}))).stdout).toContain("nothing was ever added");
    await control.close();
    vi.unstubAllEnvs();
  });

  test("peek shows what is next, and export writes all of it", async () => {
    const { stdout } = await told(() => peek(state, { limit: 1 }));
    expect(stdout).toMatch(/ {2}2 {2}.* ago {2}cloud\.boiler\.7 {2}\{"a":2\}/);
    expect(stdout).not.toContain('{"a":4}');
    const out = join(folder, "rows.ndjson");
    const wrote = await told(() => exported(state, { out }));
    expect(wrote).toStrictEqual({ code: 0, stdout: `wrote ${out}: 4 rows\n` });
    const lines = readFileSync(out, "utf8").trim().split("\n");
    expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { number: 2, payload: '{"a":2}', subject: "cloud.boiler.7", chain: "cloud/FLEET" },
      { number: 3, base64: "/wA=" },
      { number: 4 },
      { number: 5 },
    ]);
    const all = await told(() => exported(state, { all: true }));
    expect(all.stdout.split("\n")).toHaveLength(6);
    const other = await told(() => peek(state, { chain: "other" }));
    expect(other).toMatchObject({ code: 64, stdout: expect.stringContaining("there are: cloud/FLEET") });
  });

  test("exports into a new file alone, and leaves none where nothing was written", async () => {
    const out = join(folder, "out.ndjson");
    const unknown = await told(() => exported(state, { out, chain: "other" }));
    expect(unknown.code).toBe(64);
    expect((await told(() => exported(state, { out }))).stdout).toContain(`wrote ${out}: 4 rows`);
    const twice = await told(() => exported(state, { out }));
    expect(twice).toMatchObject({ code: 66, stdout: expect.stringContaining("is there already") });
    expect(readFileSync(out, "utf8").split("\n")).toHaveLength(5);
    const nowhere = await told(() => exported(state, { out: join(folder, "none", "out.ndjson") }));
    expect(nowhere).toMatchObject({ code: 66, stdout: expect.stringContaining("cannot be made") });
    expect((await told(() => ls(out, {}))).stdout).toContain("is no folder");
  });

  test("exports to a disk without room: it is told, and nothing is left in the way", async (context) => {
    const small = join(folder, "small");
    mkdirSync(small);
    const disk = smallDisk(small, 1);
    if (typeof disk === "string") return context.skip(disk);
    try {
      disk.fill();
      const out = join(small, "rows.json");
      const { code, stdout } = await told(() => exported(state, { out }));
      expect([code, stdout]).toEqual([
        74,
        expect.stringMatching(/rows\.json cannot be written: ENOSPC.* name a file on a disk with room/),
      ]);
      expect(readdirSync(small)).toEqual(["ballast"]);
    } finally {
      disk.remove();
    }
  });

  test("--limit is a whole number", () => {
    const limited = ["outbox", "peek", state, "--limit", "1.5"];
    const { status, stderr } = spawnSync(process.execPath, [program, ...limited], { encoding: "utf8" });
    expect([status, stderr]).toStrictEqual([64, expect.stringContaining("expected a whole number")]);
  });

  test("writes nothing", async () => {
    const files = (): readonly string[] =>
      readdirSync(home)
        .filter((name) => !name.startsWith("."))
        .map((name) => `${name} ${readFileSync(join(home, name)).toString("base64")}`);
    const before = files();
    const commands = [
      () => ls(state, {}),
      () => peek(state, {}),
      () => exported(state, {}),
      () => fsck(state, {}),
    ];
    for (const command of commands) expect((await told(command)).code).toBe(0);
    expect(files()).toStrictEqual(before);
  });

  test("is refused while a worker works with the folder", async () => {
    const lock = await (await FileDisk.open(home)).lock();
    const commands = [
      () => ls(state, {}),
      () => peek(state, {}),
      () => exported(state, {}),
      () => fsck(state, {}),
    ];
    for (const command of commands)
      expect(await told(command)).toMatchObject({
        code: 65,
        stdout: expect.stringContaining("a worker works with this folder"),
      });
    await lock!.release();
  });

  test.each(["ls", "peek", "export", "fsck"])("%s --help says whose folder it looks at", (name) => {
    const help = (...args: string[]): string =>
      spawnSync(process.execPath, [program, "outbox", ...args, "--help"], {
        encoding: "utf8",
      }).stdout.replaceAll(/\s+/g, " ");
    expect(help(name)).toContain("the state folder of a worker that has ended");
    expect(help()).toContain("ls without a folder asks those that run");
    expect(help()).not.toContain("or of one that runs");
  });

  test("fsck names entries that cannot be read", async () => {
    expect((await told(() => fsck(state, {}))).stdout).toContain("whole");
    const name = readdirSync(home).find((each) => each.endsWith(".rows"))!;
    const bytes = readFileSync(join(home, name));
    bytes[bytes.length - 1]! ^= 1;
    writeFileSync(join(home, name), bytes);
    const { code, stdout } = await told(() => fsck(state, { json: true }));
    expect(code).toBe(65);
    expect(JSON.parse(stdout)).toMatchObject({
      whole: false,
      folders: [{ damage: null, faults: [{ chain: "cloud/FLEET", first: 1, last: 3 }] }],
    });
    expect((await told(() => fsck(state, {}))).stdout).toContain("cloud/FLEET 1 to 3:");
    bytes[bytes.length - 1]! ^= 1;
    writeFileSync(join(home, name), bytes);
  });

  test("of a file of rows that is gone says which are, and exports all others", async () => {
    const name = readdirSync(home).find((each) => each.endsWith(".rows"))!;
    renameSync(join(home, name), join(home, `${name}.kept`));
    const writing = vi.spyOn(process.stderr, "write").mockReturnValue(true);
    try {
      const checked = await told(() => fsck(state, { json: true }));
      expect([checked.code, JSON.parse(checked.stdout)]).toMatchObject([
        65,
        { whole: false, folders: [{ damage: null, faults: [{ chain: "cloud/FLEET", first: 1, last: 3 }] }] },
      ]);
      const { code, stdout } = await told(() => exported(state, {}));
      expect([
        code,
        stdout
          .trim()
          .split("\n")
          .map((line) => JSON.parse(line)),
      ]).toMatchObject([65, [{ number: 4 }, { number: 5 }]]);
      expect(writing.mock.calls.map(([line]) => String(line))).toEqual([
        expect.stringMatching(new RegExp(`^cloud/FLEET 1 to 3 are left out: .*${name}`)),
      ]);
    } finally {
      writing.mockRestore();
      renameSync(join(home, `${name}.kept`), join(home, name));
    }
  });

  test("fsck names the copy of a snapshot that is damaged, while the other one does", async () => {
    for (const copy of ["a", "b"]) {
      const name = readdirSync(home).find((each) => each.startsWith("snapshot-") && each.endsWith(copy))!;
      const bytes = readFileSync(join(home, name));
      writeFileSync(join(home, name), bytes.subarray(0, -1));
      const { code, stdout } = await told(() => fsck(state, {}));
      expect([code, stdout]).toEqual([
        65,
        expect.stringContaining(`${name} cannot be used; another copy is whole, so nothing is lost yet`),
      ]);
      writeFileSync(join(home, name), bytes);
    }
  });

  test("of a log that is damaged says so with what can be read", async () => {
    const segment = readdirSync(home).findLast((name) => name.startsWith("segment-"))!;
    renameSync(join(home, segment), join(home, `${segment}.kept`));
    const writing = vi.spyOn(process.stderr, "write").mockReturnValue(true);
    try {
      for (const command of [ls, peek, exported])
        expect(await told(() => command(state, {}))).toMatchObject({ code: 65 });
      expect(writing.mock.calls.map(([line]) => String(line))).toEqual(
        Array.from({ length: 3 }, () => expect.stringContaining("the commit log is damaged")),
      );
    } finally {
      writing.mockRestore();
    }
    for (const name of readdirSync(home).filter((each) => each.startsWith("snapshot-")))
      renameSync(join(home, name), join(home, `${name}.kept`));
    const { code, stdout } = await told(() => fsck(state, { json: true }));
    expect([code, JSON.parse(stdout)]).toMatchObject([65, { whole: false }]);
  });

  test("says what is no state folder", async () => {
    expect((await told(() => ls(join(folder, "nowhere"), {}))).code).toBe(66);
    expect((await told(() => ls(folder, {}))).stdout).toContain("is no state folder");
  });
});

describe("figures", () => {
  test.each([
    [0, "0s"],
    [59_999, "59s"],
    [61_000, "1m1s"],
    [3_600_000, "1h"],
    [90_061_000, "1d1h"],
    [-5, "0s"],
  ])("%i ms is %s", (ms, text) => expect(ageText(ms)).toBe(text));

  test("of an empty outbox and of a budget", () => {
    const uplink = {
      connection: "cloud",
      bytes: 1_048_576,
      every: 1,
      used: 1_024,
      others: 2_048,
      left: 1_045_504,
      holdsBacklog: false,
      until: 0,
    };
    expect(chainTable(stats)).toStrictEqual(["nothing was ever added"]);
    expect(uplinkLines({ ...stats, uplinks: [uplink] })[0]).toBe(
      "uplink cloud: 1 KiB of 1 MiB used, 2 KiB by other folders, 1021 KiB left until 1970-01-01T00:00:00.000Z",
    );
  });
});
