// The supervisor's decisions on a host in memory: what it does at first, and for each kind of fault.

import { expect, test } from "vitest";
import { limits } from "../limits.ts";
import { released } from "./memory.ts";
import type { DesiredPipeline } from "./situation.ts";
import { seeded, SimulatedHost } from "./simulated-host.fixture.ts";

const demand = { processors: 0.01, memory_bytes: 1_000_000 };

function pipeline(
  name: string,
  revision = "1",
  isolation: DesiredPipeline["isolation"] = "shared",
): DesiredPipeline {
  return { name, revision, isolation, demand };
}

function hostOf(...pipelines: readonly DesiredPipeline[]): SimulatedHost {
  return new SimulatedHost(pipelines, seeded(1));
}

function runningText(host: SimulatedHost): string[] {
  return [...host.running()].map(([name, revisions]) => `${name}@${revisions.join("+")}`).sort();
}

function told(host: SimulatedHost, what: string): string[] {
  return host.happenings.filter((each) => each.what === what).map(({ name }) => name);
}

test("what is wanted is told and started, and then nothing is left to do", () => {
  const host = hostOf(pipeline("a"), pipeline("b"), pipeline("c", "1", "worker"));
  expect(host.look().map(({ kind, worker }) => `${kind} ${worker}`)).toEqual([
    "assign own-c",
    "start own-c",
    "assign shared-1",
    "start shared-1",
  ]);
  expect(host.look()).toEqual([]);
  host.pass(60_000);
  expect(runningText(host)).toEqual(["a@1", "b@1", "c@1"]);
  expect(host.starts).toBe(2);
  expect(host.faults).toEqual([]);
});

test("one that wants more than a worker has is started once, beside those that share one", () => {
  const large = { processors: 8, memory_bytes: 2 ** 30 };
  const host = hostOf(pipeline("a"), { ...pipeline("large"), demand: large });
  host.pass(60_000);
  expect(runningText(host)).toEqual(["a@1", "large@1"]);
  expect(host.starts).toBe(2);
  expect(host.look()).toEqual([]);
  expect(host.faults).toEqual([]);
});

test("workers that may take less memory share fewer pipelines", () => {
  const hungry = { processors: 0.01, memory_bytes: 100 * 1024 ** 2 };
  const host = hostOf({ ...pipeline("a"), demand: hungry }, { ...pipeline("b"), demand: hungry });
  host.desired = { ...host.desired, limits: { memory_bytes: 256 * 1024 ** 2 } };
  host.pass(5_000);
  expect(host.alive().map(({ name }) => name)).toEqual(["shared-1", "shared-2"]);
});

test("a worker gets what the placement of its own pipeline asks for, and is started anew when that is changed", () => {
  const asking = (processors: number): DesiredPipeline => ({
    ...pipeline("own", "1", "worker"),
    demand: { processors, memory_bytes: 2 ** 30 },
  });
  const host = hostOf(asking(2), pipeline("shared"));
  host.desired = { ...host.desired, limits: { memory_bytes: 2 ** 28, processors: 1 } };
  const memory_bytes = limits.worker_base_bytes + 2 ** 30;
  expect(host.look().filter(({ kind }) => kind === "start")).toMatchObject([
    { worker: "own-own", limits: { memory_bytes, processors: 2 } },
    { worker: "shared-1", limits: { memory_bytes: 2 ** 28, processors: 1 } },
  ]);
  host.pass(5_000);
  host.desired = { ...host.desired, pipelines: [asking(3), pipeline("shared")] };
  expect(host.look()).toMatchObject([{ kind: "stop", worker: "own-own" }]);
  expect(host.look()).toMatchObject([{ kind: "remove" }, { kind: "start", limits: { processors: 3 } }]);
  host.pass(5_000);
  expect(host.starts).toBe(3);
});

test("a pipeline is added, changed and removed in the worker that runs", () => {
  const host = hostOf(pipeline("a"), pipeline("b"));
  host.pass(5_000);
  host.desired = { ...host.desired, pipelines: [pipeline("a"), pipeline("b", "2"), pipeline("c")] };
  expect(host.look()).toMatchObject([{ kind: "assign", reason: "b becomes 2, adds c" }]);
  host.desired = { ...host.desired, pipelines: [pipeline("b", "2"), pipeline("c")] };
  expect(host.look()).toMatchObject([{ kind: "assign", reason: "removes a" }]);
  host.pass(5_000);
  expect(runningText(host)).toEqual(["b@2", "c@1"]);
  host.desired = { ...host.desired, pipelines: [] };
  host.pass(1_000);
  expect(host.processes).toEqual([]);
  expect(host.assigned.size).toBe(0);
  expect(host.starts).toBe(1);
});

test("workers that are to be started in another way are replaced one after the other's end", () => {
  const host = hostOf(pipeline("a"));
  host.pass(5_000);
  host.desired = { ...host.desired, worker: "workers-2" };
  expect(host.look()).toMatchObject([{ kind: "stop", reason: "workers are started in another way now" }]);
  expect(host.look()).toMatchObject([{ kind: "remove" }, { kind: "start", revision: "workers-2" }]);
});

test("a crash is answered after the back-off, by a start that says which it is", () => {
  const host = hostOf(pipeline("a"));
  host.pass(20_000);
  host.end(host.processes[0]!, 134);
  expect(host.look()).toEqual([]);
  expect(host.happenings.at(-1)).toEqual({
    what: "failed",
    name: "shared-1",
    reason: "it ended by itself with 134",
  });
  host.now += limits.restart_back_off_ms_min;
  expect(host.look()).toMatchObject([
    { kind: "remove" },
    { kind: "start", reason: "start 2 after it failed" },
  ]);
});

test("one that hangs is killed, and replaced only when it is gone", () => {
  const host = hostOf(pipeline("a"));
  host.pass(5_000);
  host.processes[0]!.state = "hung";
  host.pass(limits.worker_hang_ms);
  expect(host.starts).toBe(1);
  host.pass(1_000);
  expect(host.happenings.at(-1)!.reason).toMatch(/^no heartbeat for 3\.\d s$/);
  expect(host.starts).toBe(2);
  expect(host.alive()).toHaveLength(1);
});

test("while the driver does not know, nothing is started and nothing is ended", () => {
  const host = hostOf(pipeline("a"), pipeline("b", "1", "worker"));
  host.pass(5_000);
  for (const each of host.processes) host.end(each, 1);
  host.unknown = new Set(["shared-1"]);
  host.pass(20_000);
  expect(host.alive().map(({ name }) => name)).toEqual(["own-b"]);
  host.unknown = null;
  host.end(host.alive()[0]!, 1);
  host.pass(20_000);
  expect(host.alive()).toEqual([]);
  host.unknown = new Set();
  host.pass(5_000);
  expect(host.alive()).toHaveLength(2);
});

test("a supervisor that starts again adopts what runs, with and without its memory", () => {
  for (const file of [true, false]) {
    const host = hostOf(pipeline("a"), pipeline("b", "1", "worker"));
    host.failing.add("a@1");
    host.pass(1_000);
    host.failing.clear();
    host.pass(15_000);
    expect(host.assigned.get("shared-1")).toMatchObject([{ attempt: 2 }]);
    host.restartSupervisor(file);
    const assigned = new Map(host.assigned);
    host.pass(20_000);
    expect(host.assigned).toEqual(assigned);
    expect(host.starts).toBe(2);
    expect(host.faults).toEqual([]);
  }
});

test("a new pipeline that ends its worker is found, and put aside; its neighbours run", () => {
  const host = hostOf(pipeline("a"), pipeline("b"), pipeline("bad"), pipeline("c"));
  host.crashing.add("bad@1");
  host.pass(120_000);
  expect(runningText(host)).toEqual(["a@1", "b@1", "c@1"]);
  expect(told(host, "quarantined")).toEqual(["bad"]);
  expect([...host.alive()].map(({ name }) => name)).toEqual(["shared-1"]);
  host.crashing.clear();
  host.memory = released(host.memory, "bad");
  host.pass(20_000);
  expect(runningText(host)).toEqual(["a@1", "b@1", "bad@1", "c@1"]);
  expect(host.faults).toEqual([]);
});

test("a new revision that never opens makes room for the last good one, and the first one waits as long as it takes", () => {
  const host = hostOf(pipeline("a"));
  host.unready.add("a@1");
  host.pass(3 * limits.update_open_ms_max);
  expect(runningText(host)).toEqual(["a@1"]);
  expect(host.happenings).toEqual([]);
  host.unready.clear();
  host.pass(20_000);
  host.unready.add("a@2");
  host.desired = { ...host.desired, pipelines: [pipeline("a", "2")] };
  host.pass(limits.update_open_ms_max - 5_000);
  expect(runningText(host)).toEqual(["a@2"]);
  host.pass(10_000);
  expect(runningText(host)).toEqual(["a@1"]);
  expect(host.happenings.at(-1)).toMatchObject({
    what: "rolled_back",
    name: "a",
    revision: "2",
    instead: "1",
  });
  expect(host.faults).toEqual([]);
});

test("a new revision that ends its worker makes room for the last good one", () => {
  const host = hostOf(pipeline("a"), pipeline("b"));
  host.pass(20_000);
  host.crashing.add("a@2");
  host.desired = { ...host.desired, pipelines: [pipeline("a", "2"), pipeline("b")] };
  host.pass(60_000);
  expect(runningText(host)).toEqual(["a@1", "b@1"]);
  expect(told(host, "rolled_back")).toEqual(["a"]);
  host.desired = { ...host.desired, pipelines: [pipeline("a", "3"), pipeline("b")] };
  host.pass(20_000);
  expect(runningText(host)).toEqual(["a@3", "b@1"]);
  expect(host.faults).toEqual([]);
});

test("a pipeline that fails alone is started again, then rolled back, then put aside; its worker runs on", () => {
  const host = hostOf(pipeline("a"), pipeline("b"));
  host.pass(20_000);
  host.failing.add("a@2");
  host.desired = { ...host.desired, pipelines: [pipeline("a", "2"), pipeline("b")] };
  host.pass(60_000);
  expect(told(host, "failed")).toHaveLength(limits.restart_intensity);
  expect(runningText(host)).toEqual(["a@1", "b@1"]);
  host.failing.add("a@1");
  host.pass(60_000);
  expect(runningText(host)).toEqual(["b@1"]);
  expect(told(host, "quarantined")).toEqual(["a"]);
  expect(host.starts).toBe(1);
  expect(host.faults).toEqual([]);
});

test("a worker that a good pipeline ends again and again is not started any more, until something changes", () => {
  const host = hostOf(pipeline("a", "1", "worker"), pipeline("b"));
  host.pass(20_000);
  host.crashing.add("a@1");
  host.pass(60_000);
  expect(told(host, "quarantined")).toEqual(["own-a"]);
  const { starts } = host;
  host.pass(600_000);
  expect(host.starts).toBe(starts);
  expect(runningText(host)).toEqual(["b@1"]);
  host.desired = { ...host.desired, pipelines: [pipeline("a", "2", "worker"), pipeline("b")] };
  host.pass(20_000);
  expect(runningText(host)).toEqual(["a@2", "b@1"]);
});
