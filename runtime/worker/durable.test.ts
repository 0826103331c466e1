// A worker that keeps state, against a real nats-server: what is ended in the middle goes on where its last commit was,
// windows included, and the stream in the cloud has every row once.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { sleep, wallClock } from "../clock.ts";
import { silentLog as quiet } from "../connect/connector-log.ts";
import { connectNats, type NatsLink } from "../connect/nats-connection.ts";
import { startNatsServer, type RunningNatsServer } from "../connect/nats-server.ts";
import { loadInput, readInput } from "../engine/loader.ts";
import type { Log } from "../log.ts";
import { diskRefusal } from "../state/log/disk-fault.ts";
import { LogWriter } from "../state/log/log-writer.ts";
import { withKeptOutbox } from "./kept-outbox.ts";
import { defaultSettings, withConnections } from "./settings.ts";
import { waitingAnswers } from "./waiting-answers.ts";
import { Worker } from "./worker.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-durable-test-"));
const said: string[] = [];
const log: Log = {
  ...quiet,
  warn: (line: string) => said.push(line),
  error: (line: string) => said.push(line),
};
let server: RunningNatsServer;
let link: NatsLink;

beforeAll(async () => {
  server = await startNatsServer({ name: "weir-durable-test" }, process.env);
  link = await connectNats({ name: "test", servers: server.url }, quiet);
});

afterAll(async () => {
  await link?.close();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function start(
  name: string,
  body: string,
  forget: readonly string[] = [],
  forgetsChanged = false,
  acceptLoss: readonly string[] = [],
): Promise<{ worker: Worker; running: Promise<void> }> {
  const file = join(folder, `${name}.yaml`);
  writeFileSync(file, `name: ${name}\n${body}`);
  const loaded = await loadInput(readInput(file, {}), file);
  expect(loaded.diagnostics).toEqual([]);
  const settings = withConnections(defaultSettings({}), [server.url]);
  const worker = new Worker({
    settings: { ...settings, threads: 0, state: join(folder, "state"), commit_ms: 20, forget, acceptLoss },
    clock: wallClock,
    log,
    identity: "test",
    forgetsChanged,
  });
  try {
    await worker.open([loaded]);
  } catch (error) {
    await worker.close();
    throw error;
  }
  return { worker, running: worker.run() };
}

async function stop({ worker, running }: { worker: Worker; running: Promise<void> }): Promise<void> {
  worker.stop().catch(() => undefined);
  await running;
  await worker.close();
}

async function rowsIn(stream: string): Promise<Record<string, unknown>[]> {
  const manager = await jetstreamManager(link.nats);
  const { state } = await manager.streams.info(stream);
  const rows: Record<string, unknown>[] = [];
  for (let seq = state.first_seq; seq <= state.last_seq && state.messages > 0; seq++) {
    const message = await manager.streams.getMessage(stream, { seq });
    rows.push(message!.json());
  }
  return rows;
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(wallClock, 10);
}

it("says that it takes nothing new for want of room, and goes on once there is some", async () => {
  await (await jetstreamManager(link.nats)).streams.add({ name: "ROOM", subjects: ["room.in"] });
  const body = `
source: { nats: { subject: "room.in", stream: ROOM }, format: json, schema: { n: int64 } }
steps:
  - sink: { nats: { subject: "room.out", stream: ROOMY }, format: json }
`;
  const running = await start("room", body);
  const append = LogWriter.prototype.append;
  let isFull = true;
  const spy = vi.spyOn(LogWriter.prototype, "append").mockImplementation(function (this: LogWriter, frame) {
    if (!isFull) return append.call(this, frame);
    const full = Object.assign(new Error("ENOSPC: no space left"), { code: "ENOSPC" });
    return Promise.reject(diskRefusal("state", "write a commit", full));
  });
  await jetstream(link.nats).publish("room.in", '{"n":1}');
  await until(() => running.worker.status()[0]!.lacks_room !== undefined);
  const times = { now: 0, elapsed: 0 };
  expect(waitingAnswers(["room"], running.worker.status(), times)[0]).toMatchObject({
    lacks_room: "state: no room to write a commit: ENOSPC: no space left",
  });
  isFull = false;
  await until(async () => (await rowsIn("ROOMY")).length === 1);
  expect(running.worker.status()[0]).not.toHaveProperty("lacks_room");
  spy.mockRestore();
  await stop(running);
  expect(said.splice(0)).toEqual([
    expect.stringMatching(/no room to write a commit: .*; nothing new is taken/),
  ]);
});

it("goes on from what can be read of a damaged log, once that is accepted, and makes the rest anew", async () => {
  await (await jetstreamManager(link.nats)).streams.add({ name: "TORN", subjects: ["torn.in"] });
  const body = `
source: { nats: { subject: "torn.in", stream: TORN }, format: json, schema: { n: int64 } }
steps:
  - sink: { nats: { subject: "torn.out", stream: TORNED }, format: json }
`;
  const first = await start("torn", body);
  for (let n = 1; n <= 4; n++) {
    await jetstream(link.nats).publish("torn.in", `{"n":${n}}`);
    await until(async () => (await rowsIn("TORNED").catch(() => [])).length === n);
  }
  await stop(first);
  const file = join(folder, "state", "torn", "segment-0000000001");
  const bytes = readFileSync(file);
  // Each commit of one record begins at a page, behind the page that the segment begins with.
  bytes[3 * 4096 + 100]! ^= 1;
  writeFileSync(file, bytes);
  await expect(start("torn", body)).rejects.toMatchObject({
    code: "WEIR_STATE",
    message: expect.stringMatching(/commit 3 in segment-0000000001 is damaged, and commit \d+ follows it/),
    remedy: expect.stringContaining(`weir run FILE --state ${join(folder, "state")} --accept-loss torn\``),
  });
  const again = await start("torn", body, [], false, ["torn"]);
  await jetstream(link.nats).publish("torn.in", '{"n":5}');
  await until(async () => (await rowsIn("TORNED")).some(({ n }) => n === 5));
  await stop(again);
  // Commits 3 and 4 were sent before they were lost, so what is made of their records again comes a second time.
  expect(new Set((await rowsIn("TORNED")).map(({ n }) => n))).toEqual(new Set([1, 2, 3, 4, 5]));
  expect(said.splice(0)).toContainEqual(
    expect.stringMatching(/torn: commits from 3 to \d+, .* are lost, which was accepted/),
  );
  await stop(await start("torn", body));
  expect(said.splice(0)).toEqual([]);
});

const minute = 60_000;

it("keeps open windows, positions and row numbers through a restart", async () => {
  const manager = await jetstreamManager(link.nats);
  await manager.streams.add({ name: "IN", subjects: ["in.*"] });
  const body = `
source:
  nats: { subject: "in.{device}", stream: IN }
  format: json
  schema: { ts: time, temp: float64 }
  time: { field: ts, unit: ms, lateness: 0s }
steps:
  - window: { tumbling: 1m, by: device, select: { n: count(), total: sum(temp) } }
  - sink: { nats: { subject: "out.{device}", stream: OUT }, format: json }
`;
  const publish = async (from: number, to: number): Promise<void> => {
    for (let second = from; second < to; second++)
      await jetstream(link.nats).publish(
        `in.d${second % 3}`,
        JSON.stringify({ ts: second * 1_000, temp: second }),
      );
  };
  const settled = (worker: Worker, records: number): Promise<void> =>
    until(() => worker.status()[0]!.sources[0]!.records === records);
  await publish(0, 90);
  let running = await start("windows", body);
  await settled(running.worker, 90);
  await stop(running);
  await publish(90, 200);
  running = await start("windows", body);
  await settled(running.worker, 110);
  await until(async () => (await rowsIn("OUT")).length === 9);
  await stop(running);
  running = await start("windows", body);
  await stop(running);
  const rows = await rowsIn("OUT");
  expect(rows).toHaveLength(9);
  for (const row of rows) {
    expect(row["n"]).toBe(20);
    const first = Number(row["window_start"]) / 1_000;
    const seconds = Array.from({ length: 60 }, (_, place) => first + place);
    const own = seconds.filter((second) => `d${second % 3}` === row["device"]);
    expect(row["total"]).toBe(own.reduce((sum, second) => sum + second, 0));
  }
  expect(new Set(rows.map((row) => `${String(row["device"])} ${String(row["window_start"])}`)).size).toBe(9);
  expect(rows.map((row) => Number(row["window_start"]) / minute).sort((a, b) => a - b)).toEqual([
    0, 0, 0, 1, 1, 1, 2, 2, 2,
  ]);
  expect(said).toEqual([]);
});

it("refuses the windows of a pipeline that was changed, and begins it anew when told to", async () => {
  const manager = await jetstreamManager(link.nats);
  await manager.streams.add({ name: "CHANGED", subjects: ["changed.*"] });
  const bodyOf = (size: string): string => `
source:
  nats: { subject: "changed.{device}", stream: CHANGED }
  format: json
  schema: { ts: time }
  time: { field: ts, unit: ms, lateness: 0s }
steps:
  - window: { tumbling: ${size}, by: device, select: { n: count() } }
  - sink: { nats: { subject: "counted.{device}", stream: COUNTED }, format: json }
`;
  const publish = async (from: number, to: number): Promise<void> => {
    for (let second = from; second < to; second++)
      await jetstream(link.nats).publish("changed.a", JSON.stringify({ ts: second * 1_000 }));
  };
  await publish(0, 70);
  const first = await start("changed", bodyOf("1m"));
  await until(async () => (await rowsIn("COUNTED").catch(() => [])).length === 1);
  await stop(first);
  await expect(start("changed", bodyOf("30s"))).rejects.toMatchObject({
    code: "WEIR_STATE_CHANGED",
    remedy: "run it as it was, or let it begin anew without its open windows: --forget changed",
  });
  await publish(70, 100);
  const anew = await start("changed", bodyOf("30s"), ["changed"]);
  await until(async () => (await rowsIn("COUNTED")).length === 2);
  await stop(anew);
  // What was in the open window is gone, and nothing is read twice.
  expect((await rowsIn("COUNTED")).map((row) => row["n"])).toEqual([60, 20]);
  // Told so for the case that it does not fit, it begins anew once, and goes on from then on.
  await stop(await start("changed", bodyOf("20s"), [], true));
  await publish(100, 110);
  const again = await start("changed", bodyOf("20s"), [], true);
  const timeIn = ({ worker }: { worker: Worker }): number => worker.status()[0]!.pipeline.watermark;
  await until(async () => timeIn(again) > Number.NEGATIVE_INFINITY);
  await stop(again);
  const restored = await start("changed", bodyOf("20s"));
  expect(timeIn(restored)).toBeGreaterThan(Number.NEGATIVE_INFINITY);
  await stop(restored);
});

it("begins anew for good, though nothing comes before the next start", async () => {
  const manager = await jetstreamManager(link.nats);
  await manager.streams.add({ name: "QUIET", subjects: ["quiet.*"] });
  const bodyOf = (size: string): string => `
source:
  nats: { subject: "quiet.{device}", stream: QUIET }
  schema: { ts: time }
  time: { field: ts, unit: ms, lateness: 0s }
steps:
  - window: { tumbling: ${size}, by: device, select: { n: count() } }
  - sink: { nats: { subject: "quieted.{device}", stream: QUIETED }, format: json }
`;
  await jetstream(link.nats).publish("quiet.a", JSON.stringify({ ts: 1_000 }));
  const first = await start("quiet", bodyOf("1m"));
  await until(() => first.worker.status()[0]!.pipeline.branches[0]!.held === 1);
  await stop(first);
  await stop(await start("quiet", bodyOf("30s"), ["quiet"]));
  await stop(await start("quiet", bodyOf("30s")));
  await stop(await start("quiet", bodyOf("20s"), [], true));
  const last = await start("quiet", bodyOf("20s"));
  expect(last.worker.status()[0]!.pipeline.branches[0]).toMatchObject({ in: 0, held: 0 });
  await stop(last);
});

it("leaves no rows waiting that arrived before it ended in order, however soon it is told to end", async () => {
  const manager = await jetstreamManager(link.nats);
  await manager.streams.add({ name: "PASSED", subjects: ["passed.*"] });
  const body = `
source:
  nats: { subject: "passed.{device}", stream: PASSED }
  format: json
  schema: { n: float64 }
steps:
  - branch:
      alone: [{ sink: { nats: { subject: "alone.{device}", stream: ALONE }, format: json } }]
      shared: [{ sink: { nats: { subject: "among.{device}", stream: AMONG, delivery: subject }, format: json } }]
`;
  const waiting = (): Promise<readonly number[]> =>
    withKeptOutbox(join(folder, "state", "passed"), wallClock, ({ outbox }) =>
      Promise.resolve(outbox.stats().chains.map(({ rows }) => rows)),
    );
  for (const records of [1, 40, 0]) {
    for (let n = 0; n < records; n++) await jetstream(link.nats).publish("passed.a", JSON.stringify({ n }));
    const passing = await start("passed", body);
    const { worker } = passing;
    await until(() => worker.status()[0]!.sources[0]!.records === records);
    await stop(passing);
    expect(await waiting()).toEqual([0, 0]);
  }
  expect(await rowsIn("ALONE")).toHaveLength(41);
});

it("takes the subjects of each of its writers into a stream that it made for several", async () => {
  const manager = await jetstreamManager(link.nats);
  await manager.streams.add({ name: "SEVERAL", subjects: ["several.*"] });
  const body = (name: string): string => `
source: { nats: { subject: "several.${name}", stream: SEVERAL }, format: json, schema: { n: int64 } }
steps:
  - sink: { nats: { subject: "of.${name}", stream: TOGETHER, delivery: subject }, format: json }
`;
  const first = await start("first", body("first"));
  await jetstream(link.nats).publish("several.first", '{"n":1}');
  const count = async (): Promise<number> => (await manager.streams.info("TOGETHER")).state.messages;
  await until(() =>
    count().then(
      (rows) => rows === 1,
      () => false,
    ),
  );
  const second = await start("second", body("second"));
  await jetstream(link.nats).publish("several.second", '{"n":2}');
  await until(async () => (await count()) === 2);
  await Promise.all([stop(first), stop(second)]);
  expect((await rowsIn("TOGETHER")).map(({ n }) => n)).toEqual([1, 2]);
});

it("says which rows wait where no sink writes any more, and sends them once one does again", async () => {
  const manager = await jetstreamManager(link.nats);
  await manager.streams.add({ name: "MOVED", subjects: ["moved.*"] });
  // A stream that is full takes nothing.
  await manager.streams.add({ name: "FULL", subjects: ["full.*"], max_msgs: 1, discard: "new" });
  await jetstream(link.nats).publish("full.z", "{}");
  const to = (subject: string, stream: string): string => `
source:
  nats: { subject: "moved.{device}", stream: MOVED }
  format: json
  schema: { n: float64 }
steps:
  - sink: { nats: { subject: "${subject}.{device}", stream: ${stream}, delivery: subject }, format: json }
`;
  const full = await start("moved", to("full", "FULL"));
  for (let n = 0; n < 3; n++) await jetstream(link.nats).publish("moved.a", JSON.stringify({ n }));
  await until(() => full.worker.status()[0]!.sinks[0]!.pending === 3);
  await stop(full);
  said.length = 0;
  const elsewhere = await start("moved", to("elsewhere", "ELSEWHERE"));
  expect(said).toEqual([
    expect.stringContaining("3 rows wait in moved/default/FULL/subject/live, where no sink"),
  ]);
  expect(elsewhere.worker.status()[0]!.sinks[0]).toMatchObject({ rows: 0, pending: 0 });
  await stop(elsewhere);
  await manager.streams.update("FULL", { max_msgs: -1 });
  said.length = 0;
  const again = await start("moved", to("full", "FULL"));
  expect(said).toEqual([]);
  await until(() => again.worker.status()[0]!.sinks[0]!.pending === 0);
  expect(again.worker.status()[0]!.sinks[0]).toMatchObject({ rows: 3, dropped: {} });
  await stop(again);
  expect(await rowsIn("FULL")).toHaveLength(4);
});
