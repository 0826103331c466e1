// The driver against an engine that hangs, lies, breaks off and talks nonsense: every such answer is a typed error
// or the state unknown, and no worker is ever started twice.

import { dirname } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { VirtualClock } from "../../clock.ts";
import { limits } from "../../limits.ts";
import type { WorkerSpec } from "../driver.ts";
import { ContainerDriver, workerStats } from "./container-driver.ts";
import { EngineError } from "./engine-request.ts";
import { type FakeEngine, type Misbehaviour, startFakeEngine } from "./fake-engine.fixture.ts";

let engine: FakeEngine;
let clock: VirtualClock;
let driver: ContainerDriver;

const settings = { supervisor: "here", image: "localhost/weir", network: "none", user: "65532:65532" };
const spec: WorkerSpec = {
  name: "one",
  revision: "r1",
  command: ["run", "pipelines"],
  environment: {},
  folders: [],
  limits: { memory_bytes: 1e8 },
};

const hang: Misbehaviour = () => {};
/** Does what was asked, and never says so. */
const doAndHang: Misbehaviour = (_response, act) => act();
const say =
  (text: string, status = 200): Misbehaviour =>
  (response) =>
    response.writeHead(status).end(text);
const breakOff: Misbehaviour = (response) => {
  response.writeHead(200, { "content-length": "1000" });
  response.write('{"Id":"', () => response.destroy());
};
const noHttp: Misbehaviour = (response) => response.socket?.end("I am no engine\r\n\r\n");

beforeEach(async () => {
  engine = await startFakeEngine();
  clock = new VirtualClock();
  driver = new ContainerDriver({ ...settings, socketPath: engine.socketPath, clock });
});

afterEach(() => engine.close());

/** The fault of a call that has to fail; time passes once the engine has been asked what it will not answer. */
async function faultOf(call: Promise<unknown>, hangsAt?: RegExp): Promise<string> {
  const failed = call.then(
    () => new Error("it did not fail"),
    (error: Error) => error,
  );
  if (hangsAt !== undefined) {
    await engine.asked(hangsAt);
    clock.advanceTo(clock.now() + limits.engine_start_ms_max);
  }
  const error = await failed;
  expect(error).toBeInstanceOf(EngineError);
  expect((error as EngineError).remedy).toBeTruthy();
  return (error as EngineError).fault;
}

function running(): string[] {
  return [...engine.containers.values()].filter(({ state }) => state === "running").map(({ name }) => name);
}

describe("an engine that works", () => {
  it("starts, lists, stops and removes", async () => {
    await driver.open();
    const id = await driver.start(spec);
    expect(await driver.list()).toEqual([
      expect.objectContaining({ id, name: "one", revision: "r1", state: "running", exitCode: null }),
    ]);
    await driver.stop(id, 1_000);
    await driver.stop(id, 1_000);
    expect(await driver.list()).toEqual([expect.objectContaining({ state: "exited", exitCode: 0 })]);
    await driver.remove(id);
    await driver.remove(id);
    await driver.kill(id);
    expect(await driver.list()).toEqual([]);
  });

  it("is not asked for a second of the same name, nor for two at once", async () => {
    const both = await Promise.allSettled([driver.start(spec), driver.start(spec)]);
    expect(both.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
    await expect(driver.start({ ...spec, revision: "r2" })).rejects.toThrow("there is a worker one already");
    expect(running()).toEqual(["weir.here.one"]);
  });

  it("names only the workers of this supervisor, though the engine leaves the filter out", async () => {
    const other = new ContainerDriver({
      ...settings,
      supervisor: "there",
      socketPath: engine.socketPath,
      clock,
    });
    await other.start(spec);
    await driver.start({ ...spec, name: "two" });
    expect((await driver.list()).map(({ name }) => name)).toEqual(["two"]);
  });
});

describe("an engine that hangs", () => {
  it.each([
    ["version", /version/, () => driver.open()],
    ["list", /GET .containers.json/, () => driver.list()],
    ["stats", /stats/, () => driver.stats("c".repeat(64))],
    ["logs", /logs/, () => driver.logs("c".repeat(64), 10)],
    ["remove", /DELETE/, () => driver.remove("c".repeat(64))],
    ["kill", /kill/, () => driver.kill("c".repeat(64))],
  ] as const)("at %s: a typed error in its time", async (_name, pattern, call) => {
    engine.misbehave(pattern, hang);
    expect(await faultOf(call(), pattern)).toBe("timeout");
  });

  it("while it makes a container that comes to be all the same: made anew, and runs once", async () => {
    engine.misbehave(/create/, doAndHang);
    expect(await faultOf(driver.start(spec), /create/)).toBe("timeout");
    expect(await driver.list()).toEqual([expect.objectContaining({ state: "exited", exitCode: null })]);
    engine.misbehave(/create/, null);
    await driver.start(spec);
    expect(running()).toEqual(["weir.here.one"]);
    expect(engine.containers.size).toBe(1);
  });

  it("while it starts one that runs all the same: it is found, and not started again", async () => {
    engine.misbehave(/start/, doAndHang);
    expect(await faultOf(driver.start(spec), /start/)).toBe("timeout");
    engine.misbehave(/start/, null);
    expect(await driver.list()).toEqual([expect.objectContaining({ name: "one", state: "running" })]);
    await expect(driver.start(spec)).rejects.toThrow("there is a worker one already");
    expect(running()).toEqual(["weir.here.one"]);
  });

  it("at one container: that one is unknown", async () => {
    await driver.start(spec);
    engine.misbehave(/c+1.json/, hang);
    const list = driver.list();
    await engine.asked(/c+1.json/);
    clock.advanceTo(limits.engine_answer_ms_max);
    expect(await list).toEqual([expect.objectContaining({ name: "one", state: "unknown" })]);
  });

  it("at one that does not end in its grace: it is killed, and that is said only once it has ended", async () => {
    const id = await driver.start(spec);
    let ended = false;
    engine.misbehave(/kill/, (response, act) => {
      ended = engine.requests.filter((each) => each.includes("kill")).length > 1;
      if (ended) act();
      response.writeHead(204).end();
    });
    engine.misbehave(/wait/, (response) => {
      if (ended) response.writeHead(200).end("{}");
    });
    const stopped = driver.stop(id, 500);
    await engine.asked(/wait/);
    expect(running()).toEqual(["weir.here.one"]);
    clock.advanceTo(clock.now() + 500);
    await stopped;
    expect(running()).toEqual([]);
  });

  it("at one that is killed and does not end: a typed error", async () => {
    const id = await driver.start(spec);
    engine.misbehave(/wait/, hang);
    const killed = driver.kill(id);
    await engine.asked(/wait/);
    clock.advanceTo(clock.now() + limits.engine_kill_ms_max);
    await expect(killed).rejects.toThrow("was killed and has not ended");
  });
});

describe("an engine that talks nonsense", () => {
  const nonsense: readonly (readonly [string, Misbehaviour])[] = [
    ["nothing", say("")],
    ["no JSON", say("<html>gateway</html>")],
    ["half of it", say('[{"Id":"cccc')],
    ["another shape", say('{"message":"fine"}')],
    ["numbers", say("[1, 2, 3]")],
    ["null", say("null")],
    [
      "an id that is a path",
      say('[{"Id":"../../images","State":"running","Labels":{"io.weir.supervisor":"here"}}]'),
    ],
    ["too many bytes", say(" ".repeat(limits.engine_answer_bytes_max + 1))],
    ["a break", breakOff],
    ["no HTTP", noHttp],
  ];

  it.each(nonsense)("for its version, %s: a typed error", async (_name, how) => {
    engine.misbehave(/version/, how);
    expect(await faultOf(driver.open())).toBe("garbage");
  });

  it.each(nonsense)("for the list, %s: a typed error, so that nothing is started", async (_name, how) => {
    engine.misbehave(/GET .containers.json/, how);
    expect(await faultOf(driver.list())).toBe("garbage");
  });

  it.each(nonsense)("for one container, %s: it is unknown", async (_name, how) => {
    await driver.start(spec);
    engine.misbehave(/c+1.json/, how);
    expect(await driver.list()).toEqual([expect.objectContaining({ name: "one", state: "unknown" })]);
  });

  it("for one container, another: it is unknown", async () => {
    await driver.start(spec);
    const State = { Status: "exited", ExitCode: 0, StartedAt: "2026-01-01T00:00:00Z" };
    const other = { Id: "d".repeat(64), State, Config: {}, HostConfig: {} };
    engine.misbehave(/c+1.json/, say(JSON.stringify(other)));
    expect(await driver.list()).toEqual([expect.objectContaining({ name: "one", state: "unknown" })]);
  });

  it.each(nonsense)(
    "for a new container, %s: a typed error, and it runs at most once",
    async (_name, how) => {
      engine.misbehave(/create/, (response, act) => {
        act();
        how(response, act);
      });
      // Another shape of answer has the wanted status nowhere.
      expect(["garbage", "refused"]).toContain(await faultOf(driver.start(spec)));
      engine.misbehave(/create/, null);
      await driver.start(spec);
      expect(running()).toEqual(["weir.here.one"]);
    },
  );

  it("for output, what is no frame: a typed error", async () => {
    engine.misbehave(/logs/, say("plain text, as from a terminal"));
    expect(await faultOf(driver.logs("c".repeat(64), 5))).toBe("garbage");
  });
});

describe("an engine that refuses", () => {
  it("is quoted, and what it made for the start is taken away", async () => {
    engine.misbehave(/start/, say('{"message":"no such file: pipelines"}', 500));
    await expect(driver.start(spec)).rejects.toThrow("(500): no such file: pipelines");
    expect(engine.containers.size).toBe(0);
  });

  it("has no image: what to do", async () => {
    engine.misbehave(/images/, say('{"message":"no such image"}', 404));
    await expect(driver.open()).rejects.toMatchObject({ remedy: expect.stringContaining("npm run image") });
  });

  it("has another image of that name: its workers are started from another", async () => {
    const before = await driver.open();
    engine.misbehave(/images/, say('{"Id":"sha256:1a2b"}'));
    expect(await driver.open()).toBe("sha256:1a2b");
    expect(before).not.toBe("sha256:1a2b");
  });

  it("is not there: what to do", async () => {
    await engine.close();
    expect(await faultOf(driver.open())).toBe("unreachable");
    engine = await startFakeEngine();
  });
});

describe("figures", () => {
  const of = (usage: number, stats: Record<string, unknown>) =>
    workerStats({
      cpu_stats: { cpu_usage: { total_usage: 2.5e9 } },
      memory_stats: { usage, stats },
      pids_stats: { current: 7 },
    });

  it("leave out files that the kernel could drop, where the engine tells", () => {
    expect(of(100, {})).toEqual({ processor_s: 2.5, memory_bytes: 100, pids: 7 });
    expect(of(100, { total_inactive_file: 40 }).memory_bytes).toBe(60);
    expect(of(100, { inactive_file: 30 }).memory_bytes).toBe(70);
    expect(of(10, { inactive_file: 30 }).memory_bytes).toBe(0);
  });
});

it("whatever the engine does at each call, no worker runs twice", { timeout: 60_000 }, async () => {
  const kinds = { fine: null, hang, doAndHang, empty: say(""), refuse: say("{}", 500), breakOff } as const;
  const step = fc.record({
    at: fc.constantFrom(/create/, /\/start/, /DELETE/, /\/json/),
    how: fc.constantFrom(...(Object.keys(kinds) as (keyof typeof kinds)[])),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 8 }), async (steps) => {
      engine.containers.clear();
      for (const { at, how } of steps) {
        engine.misbehave(at, kinds[how]);
        const progress = { done: false };
        const started = driver
          .start(spec)
          .catch(() => undefined)
          .finally(() => (progress.done = true));
        // What hangs comes to its end by the clock alone.
        while (!progress.done) {
          clock.advanceTo(clock.now() + limits.engine_start_ms_max);
          await new Promise((resolve) => setImmediate(resolve));
        }
        await started;
        expect(running().length).toBeLessThanOrEqual(1);
        expect(engine.containers.size).toBeLessThanOrEqual(1);
      }
      for (const { at } of steps) engine.misbehave(at, null);
    }),
    { numRuns: 50 },
  );
});

it("gives no worker the socket that it speaks to itself, as it is called here and on the host", async () => {
  const at = (host: string): WorkerSpec => ({
    ...spec,
    folders: [{ host, inside: "/data", writable: false }],
  });
  const refused = expect.objectContaining({ code: "WEIR_WORKER_REFUSED" }) as Error;
  await expect(driver.start(at(dirname(engine.socketPath)))).rejects.toThrow(refused);
  const mounts = [
    { Source: "/srv/own/podman-1", Destination: engine.socketPath },
    { Source: "/srv/own", Destination: import.meta.dirname },
  ];
  engine.misbehave(/\/containers\/within\/json/, say(JSON.stringify({ Mounts: mounts })));
  const inside = new ContainerDriver({ ...settings, socketPath: engine.socketPath, clock, within: "within" });
  await inside.open();
  await expect(inside.start(at(import.meta.dirname))).rejects.toThrow(refused);
  expect(engine.requests.filter((line) => line.includes("create"))).toEqual([]);
});
