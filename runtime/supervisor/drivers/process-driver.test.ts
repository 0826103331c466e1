// The process driver against real processes: what every driver has to do, and what only processes do.

import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { sleep, wallClock } from "../../clock.ts";
import { limits } from "../../limits.ts";
import type { WorkerSpec } from "../driver.ts";
import { type ControlGroup, makeControlGroup, removeControlGroup } from "./control-groups.ts";
import { driverConformance } from "./driver-conformance.fixture.ts";
import { ProcessDriver } from "./process-driver.ts";
import { bootMark, processBegan } from "./process-facts.ts";

const program = join(import.meta.dirname, "conformance-worker.fixture.mjs");
const folders: string[] = [];

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "weir-process-test-"));
  folders.push(folder);
  return folder;
}

function driverIn(folder: string, supervisor = "test"): ProcessDriver {
  return new ProcessDriver({ folder, supervisor, program: [process.execPath, program], clock: wallClock });
}

function holds(what: { readonly pids?: number; readonly memory_bytes?: number }): boolean {
  const group: ControlGroup | null = makeControlGroup(`weir-test-${process.pid}`, what);
  if (group !== null) removeControlGroup(group);
  return group !== null;
}

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

describe("as every driver", () => {
  driverConformance(() => {
    const folder = newFolder();
    return Promise.resolve({
      driver: (supervisor: string) => driverIn(join(folder, supervisor), `${supervisor}-${process.pid}`),
      command: (behaviour: string, argument = "") => [behaviour, argument],
      // Memory is watched by the driver itself where the kernel does not.
      holds: { memory: true, pids: holds({ pids: 40 }) },
      close: () => Promise.resolve(),
    });
  });
});

function spec(name: string, command: readonly string[], more: Partial<WorkerSpec> = {}): WorkerSpec {
  return { name, revision: "r", command, environment: {}, folders: [], limits: {}, ...more };
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(wallClock, 20);
}

/** What a driver of another start of the same unit finds: nobody's, in a user namespace of its own, with others' processes hidden. */
function asOtherStart(folder: string, what: string): string {
  const module = JSON.stringify(join(import.meta.dirname, "process-driver.ts"));
  const options = JSON.stringify({ folder, supervisor: "test", program: [process.execPath, program] });
  const script = `import { ProcessDriver } from ${module};
    const clock = { now: Date.now, elapsed: () => performance.now(), after: (ms, call) => void setTimeout(call, ms) };
    const driver = new ProcessDriver({ ...${options}, clock });
    await driver.open();
    console.log(await (${what})(driver).catch((error) => error.message));`;
  const inside = 'mount -t proc -o hidepid=invisible proc /proc && exec "$@"';
  const nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "unshare", "--user"];
  const node = [process.execPath, "--no-warnings", "--input-type=module", "--eval", script];
  const command = ["--mount", "sh", "-c", inside, "sh", ...nobody, ...node];
  return execFileSync("unshare", command, { encoding: "utf8", timeout: 20_000, stdio: "pipe" });
}

function isPossible(): boolean {
  try {
    return asOtherStart(newOpenFolder(), "async () => 'fine'") === "fine\n";
  } catch {
    return false;
  }
}

function newOpenFolder(): string {
  const folder = newFolder();
  chmodSync(folder, 0o777);
  return folder;
}

const hides = isPossible();
const whyNot = hides
  ? ""
  : " (skipped: user namespaces cannot be made here, or nobody may not read this folder)";

test.skipIf(!hides)(`a worker that /proc hides is not taken for gone${whyNot}`, () => {
  const folder = newOpenFolder();
  const spec = JSON.stringify({
    name: "a",
    revision: "r",
    command: ["serve"],
    environment: {},
    folders: [],
    limits: {},
  });
  expect(asOtherStart(folder, `(driver) => driver.start(${spec})`)).toMatch(/^a\.[0-9a-f]{8}\n$/);
  const [pid = ""] = readFileSync(join(folder, "a", "process"), "utf8").split("\n");
  try {
    expect(asOtherStart(folder, "(driver) => driver.list()")).toMatch(
      `there is a process ${pid}, which may be a worker's, and /proc does not show it`,
    );
  } finally {
    process.kill(Number(pid), "SIGKILL");
  }
});

test("a process number that is used again is not taken for the worker", async () => {
  const driver = driverIn(newFolder());
  await driver.open();
  const id = await driver.start(spec("w", ["serve"]));
  const path = join(folders.at(-1)!, "w", "process");
  const [pid = ""] = readFileSync(path, "utf8").split("\n");
  // As if the worker had had the number of this test before it.
  writeFileSync(path, `${process.pid}\n1\n${bootMark()}\n`);
  expect(await driver.list()).toMatchObject([{ id, state: "exited", exitCode: null }]);
  await driver.stop(id, 100);
  expect(processBegan(process.pid)).not.toBeNull();
  // As if the machine had been started anew.
  writeFileSync(path, `${process.pid}\n${processBegan(process.pid)}\nanother start\n`);
  await driver.kill(id);
  expect(await driver.list()).toMatchObject([{ state: "exited" }]);
  process.kill(Number(pid), "SIGKILL");
});

test("a worker whose guard was killed is still seen and ended; how it ended is not known", async () => {
  const driver = driverIn(newFolder());
  await driver.open();
  const id = await driver.start(spec("w", ["serve"]));
  await until(async () => (await driver.logs(id, 5)).includes("ready"));
  const [pid = ""] = readFileSync(join(folders.at(-1)!, "w", "process"), "utf8").split("\n");
  const [guard = ""] = execFileSync("ps", ["-o", "ppid=", "-p", pid], { encoding: "utf8" })
    .trim()
    .split("\n");
  process.kill(Number(guard.trim()), "SIGKILL");
  expect(await driver.list()).toMatchObject([{ state: "running" }]);
  await driver.stop(id, 5_000);
  expect(await driver.list()).toMatchObject([{ state: "exited", exitCode: null }]);
  await driver.remove(id);
});

test("a name that somebody took and died before the worker was ordered is free again in time", async () => {
  const folder = newFolder();
  const now = wallClock.now();
  const clock = { ...wallClock, now: () => now + shifted };
  let shifted = 0;
  const driver = new ProcessDriver({ folder, supervisor: "t", program: [process.execPath, program], clock });
  await driver.open();
  mkdirSync(join(folder, "w"));
  expect(await driver.list()).toEqual([]);
  expect(existsSync(join(folder, "w"))).toBe(true);
  shifted = 2 * limits.process_start_ms_max;
  await driver.list();
  expect(existsSync(join(folder, "w"))).toBe(false);
});

test("a program that is not there ends at once, with what the shell says", async () => {
  const folder = newFolder();
  const driver = new ProcessDriver({ folder, supervisor: "t", program: ["/nowhere/node"], clock: wallClock });
  await driver.open();
  const id = await driver.start(spec("w", []));
  await until(async () => (await driver.list())[0]?.state === "exited");
  expect(await driver.list()).toMatchObject([{ exitCode: 127 }]);
  expect((await driver.logs(id, 5)).join("\n")).toContain("/nowhere/node");
});

test("output beyond its bound makes room, and the newest lines stay", async () => {
  const folder = newFolder();
  const driver = driverIn(folder);
  await driver.open();
  const id = await driver.start(spec("w", ["serve"]));
  await until(async () => (await driver.logs(id, 5)).includes("ready"));
  const output = join(folder, "w", "output.log");
  writeFileSync(output, `${"x".repeat(99)}\n`.repeat(limits.process_output_bytes_max / 100 + 1), {
    flag: "a",
  });
  await driver.list();
  expect(readFileSync(output)).toHaveLength(0);
  await driver.stop(id, 5_000);
  expect((await driver.logs(id, 2)).map((line) => line.length)).toEqual([99, 7]);
  await driver.remove(id);
});

test("folders keep their place", async () => {
  const driver = driverIn(newFolder());
  await driver.open();
  const order = driver.start(spec("w", [], { folders: [{ host: "/a", inside: "/b", writable: false }] }));
  await expect(order).rejects.toMatchObject({ code: "WEIR_CONFIG" });
  expect(await driver.list()).toEqual([]);
});
