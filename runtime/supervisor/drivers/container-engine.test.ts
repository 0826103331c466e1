// The driver with a real engine: workers that start, are bounded, run out of memory, are killed, restarted and
// replaced, and what such a worker can do, as seen from inside.

import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { sleep, wallClock } from "../../clock.ts";
import type { Driver, ObservedWorker, WorkerSpec } from "../driver.ts";
import { ContainerDriver } from "./container-driver.ts";
import { driverConformance } from "./driver-conformance.fixture.ts";
import { engineForTests } from "./engine-for-tests.fixture.ts";

const found = await engineForTests();
const engine = typeof found === "string" ? null : found;
const without = typeof found === "string" ? ` (skipped: ${found})` : "";

const mebibyte = 1_048_576;
let folder = "";
let driver: ContainerDriver;

// Stands in the place of weir's own program: does one thing that a worker may do.
const program = `
const { readFileSync, writeFileSync, readdirSync } = require("node:fs");
const [what, ...rest] = process.argv.slice(2);
const attempt = (task) => { try { return task() ?? "done"; } catch (error) { return error.code; } };
const first = (...paths) => paths.map((path) => attempt(() => readFileSync(path, "utf8").trim())).find((text) => text !== "ENOENT");
const tasks = {
  wait: () => console.log("waiting"),
  end: () => process.exit(Number(rest[0])),
  eat: () => { const held = []; for (;;) held.push(Buffer.alloc(${mebibyte}, 1)); },
  look: () => console.log(JSON.stringify({
    status: Object.fromEntries(readFileSync("/proc/self/status", "utf8").trim().split("\\n").map((line) => line.split(/:\\s*/))),
    root: attempt(() => writeFileSync("/written", "")),
    own: attempt(() => writeFileSync("/weir/written", "")),
    state: attempt(() => writeFileSync("/var/lib/weir/written", "by the worker")),
    tmp: attempt(() => writeFileSync("/tmp/written", "")),
    elsewhere: ["/run", "/var/tmp", "/etc/weir"].map((path) => attempt(() => writeFileSync(path + "/written", ""))),
    mounts: readFileSync("/proc/self/mounts", "utf8"),
    sockets: ["/run", "/var/run"].flatMap((path) => attempt(() => readdirSync(path)) ).filter((name) => /sock/.test(name)),
    memory: process.constrainedMemory(),
    pids: first("/sys/fs/cgroup/pids/pids.max", "/sys/fs/cgroup/pids.max"),
    processors: first("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "/sys/fs/cgroup/cpu.max"),
    network: Object.keys(require("node:os").networkInterfaces()),
    environment: process.env.WEIR_TEST,
    limits: readFileSync("/proc/self/limits", "utf8"),
  })),
};
process.on("SIGTERM", () => { console.log("asked to end"); process.exit(0); });
setInterval(() => {}, 1000);
tasks[what]();
`;

function worker(name: string, command: readonly string[], more: Partial<WorkerSpec> = {}): WorkerSpec {
  const program = { host: join(folder, "program"), inside: "/weir", writable: false };
  const limits = { memory_bytes: 128 * mebibyte, processors: 1, pids: 64 };
  return { name, revision: "r1", command, environment: {}, folders: [program], limits, ...more };
}

function driverOf(supervisor: string): ContainerDriver {
  const socketPath = engine?.socketPath ?? "";
  const settings = { image: "localhost/weir:latest", network: "none", user: "65532:65532" };
  return new ContainerDriver({ ...settings, socketPath, clock: wallClock, supervisor });
}

/** The worker of that name as soon as the condition holds. */
async function until(name: string, condition: (worker: ObservedWorker) => boolean): Promise<ObservedWorker> {
  for (;;) {
    const seen = (await driver.list()).find((each) => each.name === name);
    if (seen !== undefined && condition(seen)) return seen;
    await sleep(wallClock, 20);
  }
}

const hasEnded = ({ state }: ObservedWorker): boolean => state === "exited";

async function lines(
  id: string,
  isComplete: (all: readonly string[]) => boolean,
): Promise<readonly string[]> {
  for (;;) {
    const all = await driver.logs(id, 1_000);
    if (isComplete(all)) return all;
    await sleep(wallClock, 20);
  }
}

beforeAll(async () => {
  if (engine === null) return;
  folder = mkdtempSync(join(tmpdir(), "weir-workers-"));
  chmodSync(folder, 0o755);
  mkdirSync(join(folder, "program"));
  writeFileSync(join(folder, "program", "weir.js"), program);
  mkdirSync(join(folder, "conforming"));
  writeFileSync(join(folder, "conforming", "package.json"), '{ "type": "module" }');
  cpSync(
    join(import.meta.dirname, "conformance-worker.fixture.mjs"),
    join(folder, "conforming", "worker.mjs"),
  );
  // The kernel keeps the first process of a container from killing itself by SIGKILL; aborting it may.
  const crash = 'if (process.argv[2] === "crash") process.abort();';
  writeFileSync(join(folder, "conforming", "weir.js"), `${crash}\nawait import("./worker.mjs");\n`);
  driver = driverOf(`test-${process.pid}`);
  await driver.open();
});

afterEach(async () => {
  if (engine === null) return;
  for (const { id } of await driver.list()) {
    await driver.kill(id);
    await driver.remove(id);
  }
});

afterAll(async () => {
  await engine?.stop();
  if (folder !== "") rmSync(folder, { recursive: true, force: true });
}, 60_000);

/** The same driver, all of whose workers run the program of the conformance suite. */
function conforming(driver: Driver): Driver {
  const program = { host: join(folder, "conforming"), inside: "/weir", writable: false };
  return {
    kind: driver.kind,
    open: () => driver.open(),
    start: (spec) => driver.start({ ...spec, folders: [program, ...spec.folders] }),
    stop: (id, grace_ms) => driver.stop(id, grace_ms),
    kill: (id) => driver.kill(id),
    remove: (id) => driver.remove(id),
    list: () => driver.list(),
    logs: (id, lines) => driver.logs(id, lines),
    stats: (id) => driver.stats(id),
    close: () => driver.close(),
  };
}

describe.skipIf(engine === null)(`as every driver${without}`, () => {
  driverConformance(() =>
    Promise.resolve({
      driver: (supervisor) => conforming(driverOf(`${supervisor}-${process.pid}`)),
      command: (behaviour, argument = "") => [behaviour, argument],
      holds: { memory: true, pids: true },
      close: () => Promise.resolve(),
    }),
  );
});

describe.skipIf(engine === null)(`workers in containers${without}`, () => {
  it("that take more memory than they may are ended, alone, and that is told", async () => {
    const other = await driver.start(worker("modest", ["wait"]));
    await driver.start(worker("greedy", ["eat"]));
    expect(await until("greedy", hasEnded)).toMatchObject({ exitCode: null, outOfMemory: true });
    // A supervisor that comes later is told the same.
    const later = driverOf(`test-${process.pid}`);
    const greedy = (await later.list()).find(({ name }) => name === "greedy");
    expect(greedy).toMatchObject({ state: "exited", outOfMemory: true });
    expect((await driver.list()).find(({ id }) => id === other)).toMatchObject({ state: "running" });
  });

  it("are replaced by another revision under their name", async () => {
    const first = await driver.start(worker("again", ["end", "1"]));
    await until("again", hasEnded);
    await driver.remove(first);
    const second = await driver.start(worker("again", ["wait"], { revision: "r2" }));
    expect(await driver.list()).toEqual([
      expect.objectContaining({ id: second, revision: "r2", state: "running", exitCode: null }),
    ]);
  });

  it("that have ended take nothing", async () => {
    const id = await driver.start(worker("over", ["wait"]));
    await driver.kill(id);
    expect(await driver.stats(id)).toEqual({ processor_s: 0, memory_bytes: 0, pids: 0 });
  });

  it("that the engine cannot start leave nothing behind, and its reason is told", async () => {
    const folders = [{ host: join(folder, "program", "weir.js"), inside: "/etc", writable: false }];
    await expect(driver.start(worker("broken", ["wait"], { folders }))).rejects.toThrow(/not a directory/i);
    expect(await driver.list()).toEqual([]);
  });

  it("are refused for a folder that is not there, which engines would make, empty and root's", async () => {
    const folders = [{ host: join(folder, "nowhere"), inside: "/data", writable: false }];
    const refused = driver.start(worker("broken", ["wait"], { folders }));
    await expect(refused).rejects.toMatchObject({ code: "WEIR_WORKER_REFUSED" });
    expect(existsSync(join(folder, "nowhere"))).toBe(false);
  });
});

interface Seen {
  readonly status: Readonly<Record<string, string>>;
  readonly root: string;
  readonly own: string;
  readonly state: string;
  readonly tmp: string;
  readonly elsewhere: readonly string[];
  readonly mounts: string;
  readonly sockets: readonly string[];
  readonly memory: number;
  readonly pids: string;
  readonly processors: string;
  readonly network: readonly string[];
  readonly environment: string;
  readonly limits: string;
}

describe.skipIf(engine === null)(`a worker's container from inside${without}`, () => {
  let seen: Seen;
  let state = "";

  beforeAll(async () => {
    if (engine === null) return;
    state = join(folder, "state");
    const spec = worker("looks", ["look"], { environment: { WEIR_TEST: "a value with = and spaces" } });
    const folders = [...spec.folders, { host: state, inside: "/var/lib/weir", writable: true }];
    const limits = { memory_bytes: 96 * mebibyte, processors: 0.5, pids: 40 };
    const id = await driver.start({ ...spec, folders, limits });
    const [line] = await lines(id, (all) => all.length > 0);
    seen = JSON.parse(line ?? "") as Seen;
  });

  it("has no root, no capabilities, no new privileges, and a system call filter", () => {
    const { Uid, Gid, CapEff, CapBnd, CapPrm, CapInh, CapAmb, NoNewPrivs, Seccomp } = seen.status;
    expect({ Uid, Gid }).toEqual({
      Uid: expect.stringMatching(/^65532\s/),
      Gid: expect.stringMatching(/^65532\s/),
    });
    for (const set of [CapEff, CapBnd, CapPrm, CapInh, CapAmb]) expect(set).toBe("0000000000000000");
    expect({ NoNewPrivs, Seccomp }).toEqual({ NoNewPrivs: "1", Seccomp: "2" });
  });

  it("can write to its state and to /tmp, and nowhere else", () => {
    expect(seen).toMatchObject({ root: "EROFS", own: "EROFS", tmp: "done", state: "done" });
    expect(seen.elsewhere).not.toContain("done");
    expect(seen.mounts).toMatch(/^tmpfs \/tmp tmpfs rw,nosuid,nodev,noexec,/m);
    expect(readFileSync(join(state, "written"), "utf8")).toBe("by the worker");
    expect(statSync(state).uid).toBe(65532);
  });

  it("has its bounds", () => {
    expect(seen.memory).toBe(96 * mebibyte);
    expect(seen.pids).toBe("40");
    expect(["50000", "50000 100000"]).toContain(seen.processors);
    expect(seen.limits).toMatch(/^Max open files +16384 +16384/m);
  });

  it("has no socket of the engine, no network that it was not given, and its environment", () => {
    expect(seen.sockets).toEqual([]);
    expect(seen.network.filter((name) => name !== "lo")).toEqual([]);
    expect(seen.environment).toBe("a value with = and spaces");
  });
});

describe.skipIf(engine === null)(`weir itself in a container${without}`, () => {
  it("runs a pipeline from a folder and ends when its source ends", async () => {
    const pipelines = join(folder, "pipelines");
    mkdirSync(pipelines);
    const records = Array.from({ length: 1_000 }, (_, n) => JSON.stringify({ n }));
    writeFileSync(join(pipelines, "readings.ndjson"), `${records.join("\n")}\n`);
    const yaml = `name: inside
source: { file: { path: /etc/weir/pipelines/readings.ndjson }, format: json, schema: { n: float64 } }
steps:
  - filter: n >= 998
  - sink: { stdout: {}, format: json }
`;
    writeFileSync(join(pipelines, "inside.yaml"), yaml);
    const folders = [{ host: pipelines, inside: "/etc/weir/pipelines", writable: false }];
    const id = await driver.start({ ...worker("weir", ["run", "pipelines"]), folders });
    expect(await until("weir", hasEnded)).toMatchObject({ exitCode: 0 });
    const rows = (await driver.logs(id, 100)).filter((line) => line.startsWith('{"n"'));
    expect(rows).toEqual(['{"n":998}', '{"n":999}']);
  });

  it("ends with 78 for a pipeline that is wrong, and says where", async () => {
    const pipelines = join(folder, "wrong");
    mkdirSync(pipelines);
    writeFileSync(join(pipelines, "wrong.yaml"), "name: wrong\nsteps: []\n");
    const folders = [{ host: pipelines, inside: "/etc/weir/pipelines", writable: false }];
    const id = await driver.start({ ...worker("wrong", ["run", "pipelines"]), folders });
    expect(await until("wrong", hasEnded)).toMatchObject({ exitCode: 78 });
    expect((await driver.logs(id, 100)).join("\n")).toContain("wrong.yaml:1:1: error");
  });
});
