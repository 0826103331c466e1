// A supervisor that is told by a bucket what is wanted, with real processes in place of workers: it starts them, tells and
// answers, holds when it is told to, and remembers that.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { sleep, wallClock } from "../clock.ts";
import { silentLog } from "../connect/connector-log.ts";
import { connectNats, type NatsLink } from "../connect/nats-connection.ts";
import { type RunningNatsServer, startNatsServer } from "../connect/nats-server.ts";
import { limits } from "../limits.ts";
import { DesiredBucket } from "./desired-bucket.ts";
import { DeviceBucket } from "./device-bucket.ts";
import { ProcessDriver } from "./drivers/process-driver.ts";
import type { SupervisorStatus } from "./status.ts";
import { Supervisor } from "./supervisor.ts";
import { SupervisorFiles } from "./supervisor-files.ts";
import { deviceStatusSubject, eventSubject, statusSubject } from "./control-subjects.ts";
import { linkSupervisor } from "./supervisor-link.ts";
import { wantedPipeline } from "./wanted.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-link-test-"));
const program = join(import.meta.dirname, "drivers/conformance-worker.fixture.mjs");
const capacity = { cpu: 8, memory: 2 ** 40, workers: 8 };
const log = { ...silentLog, error: () => undefined };
let server: RunningNatsServer;
let link: NatsLink;

beforeAll(async () => {
  server = await startNatsServer({ name: "weir-link-test" }, process.env);
  link = await connectNats({ name: "test", servers: server.url }, silentLog);
});

afterAll(async () => {
  await link?.close();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function supervisorIn(state: string): Promise<Supervisor> {
  const files = new SupervisorFiles(state);
  files.open();
  const driver = new ProcessDriver({
    folder: join(state, "processes"),
    supervisor: files.identity(),
    program: [process.execPath, program],
    clock: wallClock,
  });
  await driver.open();
  const supervisor = new Supervisor({
    driver,
    files,
    host: "gateway",
    capacity: { processors: 8, memory_bytes: 2 ** 40, count: 100 },
    spec: (name) => ({ name, command: ["serve"], environment: {}, folders: [] }),
    revision: "r",
    limits: {},
    socketOf: (name) => join(state, `${name}.sock`),
    clock: wallClock,
    log,
    random: () => 0.5,
    memoryFree: () => 2 ** 40,
  });
  supervisor.start();
  return supervisor;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(wallClock, 20);
}

const names = ({ workers }: SupervisorStatus): string[] =>
  workers.map(({ name, state }) => `${name} ${state}`);

test("that a pipeline may begin anew after all counts and is kept, though its revision is the same", async () => {
  const state = join(folder, "anew");
  const supervisor = await supervisorIn(state);
  supervisor.want([wantedPipeline("/p/a.yaml", "name: a\n")]);
  supervisor.want([wantedPipeline("/p/a.yaml", "name: a\n", { forget: true })]);
  expect(supervisor.wanted.map(({ forget }) => forget)).toEqual([true]);
  await until(() => new SupervisorFiles(state).wanted()?.pipelines[0]?.forget === true);
  await supervisor.drain();
  await supervisor.close();
});

test("told by a bucket it starts, tells, answers, holds, and holds still after it was started again", async () => {
  const state = join(folder, "s");
  let supervisor = await supervisorIn(state);
  const connect = (connected = Promise.resolve(link)): (() => void) =>
    linkSupervisor({
      link: connected,
      device: { id: "gateway", location: "", labels: {}, capacity, subjects: [], revision: "1" },
      files: new SupervisorFiles(state),
      fileOf: (name) => join(state, `${name}.yaml`),
      supervisor,
      clock: wallClock,
      log,
    });
  let disconnect = connect();
  const events: unknown[] = [];
  link.nats.subscribe(eventSubject("gateway"), {
    callback: (_error, message) => void events.push(message.json()),
  });
  const bucket = await DesiredBucket.open(link);
  await bucket.put("gateway", wantedPipeline("/p/a.yaml", "name: a\n"), null);
  // Nothing is done before the host was told that it is meant.
  await bucket.setState("gateway", { drain: false });
  await until(() => names(supervisor.status()).includes("shared-1 running"));
  const answer = await link.nats.request(statusSubject("gateway"), "", { timeout: 5_000 });
  expect(answer.json()).toMatchObject({ host: "gateway", pipelines: [{ name: "a", worker: "shared-1" }] });
  expect(
    (await link.nats.request(deviceStatusSubject("gateway"), "", { timeout: 5_000 })).json(),
  ).toMatchObject({ host: "gateway", waiting: [] });
  expect(await supervisor.logs("shared-1", 5)).toBeInstanceOf(Array);
  process.kill(processOf(state), "SIGKILL");
  await until(() => events.length > 0);
  expect(events[0]).toMatchObject({ host: "gateway", what: "failed", name: "shared-1" });
  expect([supervisor.release("nobody"), supervisor.release("a")]).toEqual([null, "released"]);
  await until(() => events.some((each) => (each as { what: string }).what === "released"));
  await bucket.setState("gateway", { drain: true });
  await until(() => supervisor.status().workers.length === 0);
  disconnect();
  await supervisor.close();
  supervisor = await supervisorIn(state);
  expect(supervisor.wanted.map(({ name }) => name)).toEqual(["a"]);
  const later = Promise.withResolvers<NatsLink>();
  disconnect = connect(later.promise);
  // What happens while nobody can be told is told when there is somebody.
  supervisor.tell({ what: "rolled_back", name: "a", reason: "it failed", revision: "r2", instead: "r1" });
  later.resolve(link);
  await until(() => events.some((each) => (each as { what: string }).what === "rolled_back"));
  expect(events.at(-1)).toMatchObject({ host: "gateway", name: "a", revision: "r2", instead: "r1" });
  await bucket.put("gateway", wantedPipeline("/p/b.yaml", "name: b\n"), null);
  await until(() => supervisor.wanted.length === 2);
  expect(supervisor.status().workers).toEqual([]);
  await bucket.setState("gateway", { drain: false });
  await until(() => names(supervisor.status()).includes("shared-1 running"));
  disconnect();
  await supervisor.drain();
  await supervisor.close();
  expect(supervisor.status().workers).toEqual([]);
});

/** The process of the only worker there. */
function processOf(state: string): number {
  return Number(readFileSync(join(state, "processes", "shared-1", "process"), "utf8").split("\n", 1)[0]);
}

test("another supervisor of the same name is told of once, and one that came before is none", async () => {
  const state = join(folder, "doubled");
  const supervisor = await supervisorIn(state);
  const device = { id: "copied", location: "", labels: {}, capacity, subjects: [], revision: "1" };
  const registry = await DeviceBucket.open(link);
  const tell = (): Promise<number> =>
    registry.tell({ ...device, runs: [], since: "2026-01-01T00:00:00Z", last_contact: "" });
  await tell();
  let contacts = 0;
  const counting = {
    ...wallClock,
    every: (ms: number, task: () => void) =>
      wallClock.every(ms / 100, () => {
        contacts++;
        task();
      }),
  };
  const disconnect = linkSupervisor({
    link: Promise.resolve(link),
    device,
    files: new SupervisorFiles(state),
    fileOf: (name) => join(state, `${name}.yaml`),
    supervisor,
    clock: counting,
    log,
  });
  const doubled = (): readonly string[] =>
    supervisor
      .status()
      .happenings.filter(({ what }) => what === "doubled")
      .map(({ reason }) => reason);
  await until(() => contacts > 10);
  expect(doubled()).toEqual([]);
  // However long its contacts take on a busy machine.
  while (doubled().length === 0) await tell();
  const heard = contacts;
  const isOver = (): boolean => contacts >= heard + 20;
  while (!isOver()) await tell();
  const told = expect.stringMatching(/^another supervisor calls itself copied as well/);
  expect(doubled()).toEqual([told]);
  // One that comes back after a while is news again.
  const sequence = async (): Promise<number> =>
    (await registry.all()).find((each) => each.device.id === device.id)!.sequence;
  const left = await sequence();
  while ((await sequence()) < left + limits.device_alone_contacts + 3) await sleep(wallClock, 20);
  while (doubled().length === 1) await tell();
  expect(doubled()).toEqual([told, told]);
  disconnect();
  await supervisor.drain();
  await supervisor.close();
});
