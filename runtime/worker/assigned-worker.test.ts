// A worker that is told what to run, against a real nats-server: pipelines come, change and go while others run on,
// and what it says of itself is what probes, scrapers and a supervisor read.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Msg } from "@nats-io/transport-node";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { sleep, wallClock } from "../clock.ts";
import { silentLog as quiet } from "../connect/connector-log.ts";
import { connectNats, type NatsLink } from "../connect/nats-connection.ts";
import { managerOf } from "../connect/jetstream-requests.ts";
import { type RunningNatsServer, startNatsServer } from "../connect/nats-server.ts";
import { type PipelineBeat, parseHeartbeat } from "../heartbeat.ts";
import { diskRefusal } from "../state/log/disk-fault.ts";
import { FileDisk } from "../state/log/file-disk.ts";
import { openAdmin, parseAddress } from "./admin.ts";
import { AssignedWorker } from "./assigned-worker.ts";
import { defaultSettings, withConnections } from "./settings.ts";

const log = { ...quiet, error: () => undefined };
const folder = mkdtempSync(join(tmpdir(), "weir-told-test-"));
const workers: AssignedWorker[] = [];
let server: RunningNatsServer;
let link: NatsLink;
let lives = 0;

beforeAll(async () => {
  server = await startNatsServer({ name: "weir-told-test" }, process.env);
  link = await connectNats({ name: "test", servers: server.url }, quiet);
});

afterEach(async () => {
  for (const worker of workers.splice(0)) await worker.stop();
});

afterAll(async () => {
  await link?.close();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(wallClock, 10);
}

function folderOf(name: string): string {
  const path = join(folder, name);
  mkdirSync(path);
  return path;
}

/** A pipeline that sends every record on, with what it is marked by. */
function write(path: string, name: string, mark: string, expression = "true"): void {
  const text = `name: ${name}
source: { nats: { subject: "${name}.in" }, format: json, schema: { n: float64 } }
steps:
  - filter: n >= 0 && ${expression}
  - sink: { nats: { subject: "${name}.${mark}" }, format: json }
`;
  writeFileSync(join(path, `${name}.yaml`), text);
}

function start(
  path: string,
  url: string = server.url,
  heartbeats: string | null = null,
  state: string | null = null,
  forget: readonly string[] = [],
): AssignedWorker {
  const worker = new AssignedWorker({
    path,
    host: "here",
    worker: "told-1",
    identity: () => `life${lives++}`,
    settings: { ...withConnections(defaultSettings({}), [url]), threads: 0, state, forget },
    environment: {},
    heartbeats,
    clock: wallClock,
    log,
  });
  workers.push(worker);
  worker.start();
  return worker;
}

function beatOf(worker: AssignedWorker, name: string): PipelineBeat | undefined {
  return worker.heartbeat().pipelines.find((each) => each.name === name);
}

async function collect(subject: string): Promise<Msg[]> {
  const messages: Msg[] = [];
  link.nats.subscribe(subject, { callback: (_error, message) => void messages.push(message) });
  await link.nats.flush();
  return messages;
}

function numbers(messages: readonly Msg[]): number[] {
  return messages.map((each) => each.json<{ n: number }>().n);
}

test("one that waits for its stream is named among those that are asked what they wait for", async () => {
  const path = folderOf("unopened");
  write(path, "open", "a");
  const source = "source: { nats: { subject: u.in, stream: U } }";
  writeFileSync(join(path, "early.yaml"), `name: early\n${source}\nsteps: [{ sink: { nothing: {} } }]\n`);
  const worker = start(path);
  await until(() => beatOf(worker, "open")?.phase === "running");
  // For a moment it waits for the connection, like the one beside it.
  const stream = "source stream U: the stream does not exist (yet)";
  await until(() => beatOf(worker, "early")?.waits_for === stream);
  expect(worker.answers("/pipelines")).toEqual([
    { name: "open", waiting: expect.objectContaining({ steps: [] }) as unknown, unsent: [] },
    { name: "early", waiting: null, unsent: [], waits_for: stream },
  ]);
});

test("one whose stream was deleted says so while it runs, until there is one again", async () => {
  const path = folderOf("deleted");
  const source = "source: { nats: { subject: gone.in, stream: GONE } }";
  writeFileSync(join(path, "gone.yaml"), `name: gone\n${source}\nsteps: [{ sink: { nothing: {} } }]\n`);
  const manager = await managerOf(link, null);
  await manager.streams.add({ name: "GONE", subjects: ["gone.in"] });
  const worker = start(path);
  await until(() => beatOf(worker, "gone")?.phase === "running");
  await manager.streams.delete("GONE");
  await until(() => beatOf(worker, "gone")?.waits_for !== undefined);
  const waits_for = "source stream GONE: the stream does not exist (yet)";
  expect(beatOf(worker, "gone")).toMatchObject({ phase: "running", waits_for });
  expect(worker.answers("/pipelines")).toMatchObject([{ name: "gone", waits_for }]);
  await manager.streams.add({ name: "GONE", subjects: ["gone.in"] });
  await until(() => beatOf(worker, "gone")?.waits_for === undefined);
});

test("pipelines come, change and go, and the others do not notice", async () => {
  const path = folderOf("change");
  write(path, "stays", "v1");
  write(path, "changes", "v1");
  write(path, "goes", "v1");
  const out = await collect("stays.v1");
  const changed = await collect("changes.v2");
  const worker = start(path);
  await until(() => worker.heartbeat().pipelines.filter(({ phase }) => phase === "running").length === 3);
  const { since } = beatOf(worker, "stays")!;
  let sent = 0;
  const send = wallClock.every(2, () => link.nats.publish("stays.in", JSON.stringify({ n: sent++ })));
  write(path, "comes", "v1");
  write(path, "changes", "v2");
  rmSync(join(path, "goes.yaml"));
  await until(
    () =>
      beatOf(worker, "comes")?.phase === "running" &&
      beatOf(worker, "goes") === undefined &&
      worker.heartbeat().pipelines.every(({ phase }) => phase === "running"),
  );
  link.nats.publish("changes.in", '{"n":7}');
  await until(() => changed.length === 1);
  send();
  await link.nats.flush();
  await until(() => out.length === sent);
  expect(numbers(out)).toEqual(Array.from({ length: sent }, (_, n) => n));
  expect(beatOf(worker, "stays")).toMatchObject({ since, phase: "running", records: sent });
  expect(worker.heartbeat().assignment).toContain("comes@");
});

test("its threads are others at run time, and each record is in the stream once and in order", async () => {
  const path = folderOf("threads");
  const manager = await managerOf(link, null);
  await manager.streams.add({ name: "THREADS", subjects: ["threads.in"] });
  const write = (threads: number): void =>
    writeFileSync(
      join(path, "threads.yaml"),
      `name: threads
placement: { threads: ${threads} }
source: { nats: { subject: threads.in, stream: THREADS }, format: json, schema: { n: float64 } }
steps:
  - filter: n >= 0
  - sink: { nats: { subject: threads.out, stream: THREADS_OUT }, format: json }
`,
    );
  write(0);
  const worker = start(path, server.url, null, folderOf("threads-state"));
  await until(() => beatOf(worker, "threads")?.phase === "running");
  let sent = 0;
  const send = wallClock.every(2, () => {
    for (let n = 0; n < 20; n++) link.nats.publish("threads.in", JSON.stringify({ n: sent++ }));
  });
  for (const threads of [2, 1, 0]) {
    const before = beatOf(worker, "threads")!.revision;
    write(threads);
    await until(() => {
      const beat = beatOf(worker, "threads");
      return beat?.phase === "running" && beat.revision !== before && beat.records > 0;
    });
  }
  send();
  await link.nats.flush();
  const arrived = async (): Promise<number> => (await manager.streams.info("THREADS_OUT")).state.messages;
  while ((await arrived()) < sent) await sleep(wallClock, 10);
  await until(() => JSON.stringify(worker.answers("/outbox")).includes(`"confirmed":${sent},`));
  await worker.stop();
  expect(await arrived()).toBe(sent);
  for (let seq = 1; seq <= sent; seq += 97) {
    const message = await manager.streams.getMessage("THREADS_OUT", { seq });
    expect(message?.json()).toEqual({ n: seq - 1 });
  }
});

test("a revision that is wrong does not take the place of the one that runs", async () => {
  const path = folderOf("wrong");
  write(path, "kept", "v1");
  const worker = start(path);
  await until(() => beatOf(worker, "kept")?.phase === "running");
  write(path, "kept", "v2", "no_such_column > 1");
  await until(() => worker.heartbeat().pipelines.length === 2);
  const [old, refused] = worker.heartbeat().pipelines;
  expect(old).toMatchObject({ phase: "running", fault: null });
  expect(refused).toMatchObject({ name: "kept", phase: "failed" });
  expect(refused!.fault).toMatch(/kept\.yaml:4:\d+: error: there is no column no_such_column/);
  expect(worker.answers("/readyz")).toMatchObject({ code: 503 });
  const out = await collect("kept.v1");
  link.nats.publish("kept.in", '{"n":1}');
  await until(() => out.length === 1);
  const { since } = old!;
  write(path, "kept", "v1");
  await until(() => worker.heartbeat().pipelines.length === 1);
  expect(beatOf(worker, "kept")).toMatchObject({ phase: "running", since });
});

test("a revision that cannot go on with what is kept does not either, unless it may forget", async () => {
  const path = folderOf("misfit");
  const counting = (n: number): void =>
    writeFileSync(
      join(path, "counts.yaml"),
      `name: counts
source: { nats: { subject: counts.in }, format: json, schema: { n: float64 } }
steps:
  - window: { count: { n: ${n} }, select: { n: count() } }
  - sink: { nats: { subject: counts.out }, format: json }
`,
    );
  counting(2);
  const state = join(folder, "misfit-state");
  const worker = start(path, server.url, null, state);
  await until(() => beatOf(worker, "counts")?.phase === "running");
  const out = await collect("counts.out");
  link.nats.publish("counts.in", '{"n":1}');
  counting(3);
  await until(() => worker.heartbeat().pipelines.length === 2);
  const [old, refused] = worker.heartbeat().pipelines;
  expect(old).toMatchObject({ phase: "running", fault: null });
  expect(refused).toMatchObject({ name: "counts", phase: "failed" });
  expect(refused!.fault).toMatch(/was kept with other steps.*--forget counts$/);
  expect(worker.answers("/pipelines")).toMatchObject([
    { name: "counts", waiting: {} },
    { name: "counts", waiting: null, failed: expect.stringContaining("--forget counts") },
  ]);
  link.nats.publish("counts.in", '{"n":2}');
  await until(() => out.length === 1);
  await worker.stop();
  const again = start(path, server.url, null, state, ["counts"]);
  await until(() => beatOf(again, "counts")?.phase === "running");
});

test("one whose server has gone says so", async () => {
  const gone = await startNatsServer({ name: "weir-told-gone" }, process.env);
  const path = folderOf("gone");
  write(path, "left", "v1");
  const worker = start(path, gone.url);
  await until(() => beatOf(worker, "left")?.phase === "running");
  expect(worker.answers("/pipelines")).toEqual([expect.not.objectContaining({ away: "default" })]);
  await gone.stop();
  await until(() => JSON.stringify(worker.answers("/pipelines")).includes('"away":"default"'));
});

test("why one failed says what can be done about it, where that is known", async () => {
  const path = folderOf("stateless");
  const sink = `  - sink: { nats: { subject: up, stream: UP, delivery: lane } }`;
  const text = `name: lanes\nsource: { nats: { subject: "lanes.in" }, format: json, schema: { n: float64 } }\nsteps:\n${sink}\n`;
  writeFileSync(join(path, "lanes.yaml"), text);
  const worker = start(path);
  await until(() => beatOf(worker, "lanes")?.phase === "failed");
  expect(beatOf(worker, "lanes")!.fault).toMatch(
    /needs a state folder; name one with --state, or with state: in weir\.yaml$/,
  );
});

test("one that fails leaves the others alone, and runs again when it is told to", async () => {
  const path = folderOf("fails");
  write(path, "well", "v1");
  const missing = join(path, "missing.csv");
  writeFileSync(
    join(path, "ill.yaml"),
    `name: ill
source: { file: { path: missing.csv }, format: csv, schema: { n: float64 } }
steps:
  - sink: { nats: { subject: "ill.v1" }, format: json }
`,
  );
  const out = await collect("ill.v1");
  const worker = start(path);
  await until(() => beatOf(worker, "ill")?.phase === "failed" && beatOf(worker, "well")?.phase === "running");
  expect(beatOf(worker, "ill")!.fault).toMatch(/missing\.csv.*; Check the path.* its permissions$/);
  writeFileSync(missing, "n\n1\n2\n");
  writeFileSync(join(path, "ill.yaml"), "\n", { flag: "a" });
  await until(() => beatOf(worker, "ill")?.phase === "stopped");
  expect(beatOf(worker, "ill")).toMatchObject({ records: 2, rows: 2, fault: null });
  await until(() => out.length === 2);
  expect(worker.answers("/readyz")).toMatchObject({ code: 200 });
});

test("one that waits for a server can be taken away, and a worker of such ends at once", async () => {
  const path = folderOf("away");
  write(path, "waits", "v1");
  write(path, "waits-too", "v1");
  const gone = await startNatsServer({ name: "weir-told-gone" }, process.env);
  await gone.stop();
  const worker = start(path, gone.url);
  const serverAway = "the server of the connection default";
  const beats = () => worker.heartbeat().pipelines;
  await until(() => beats().filter(({ waits_for }) => waits_for === serverAway).length === 2);
  expect(beatOf(worker, "waits")).toMatchObject({ phase: "starting", waits_for: serverAway });
  expect(worker.answers("/pipelines")).toContainEqual({
    name: "waits",
    waiting: null,
    unsent: [],
    waits_for: serverAway,
  });
  rmSync(join(path, "waits.yaml"));
  await until(() => beatOf(worker, "waits") === undefined);
  expect(beatOf(worker, "waits-too")).toMatchObject({ phase: "starting" });
  expect(worker.answers("/healthz")).toMatchObject({ code: 200 });
  expect(worker.answers("/readyz")).toMatchObject({
    code: 503,
    text: expect.stringContaining("is starting") as string,
  });
  expect(beatOf(worker, "waits-too")).not.toHaveProperty("unready_ms");
  await worker.stop();
  expect(worker.heartbeat().phase).toBe("stopped");
});

test("one that waits for a stream says for how long it has, its server being there", async () => {
  const path = folderOf("unready");
  writeFileSync(
    join(path, "unready.yaml"),
    `name: unready
source: { nats: { subject: "unready.in", stream: NOT_THERE }, format: json, schema: { n: float64 } }
steps:
  - sink: { nats: { subject: "unready.out" }, format: json }
`,
  );
  const worker = start(path);
  const isStreamMissing = () => beatOf(worker, "unready")?.waits_for?.startsWith("source stream") === true;
  await until(() => (beatOf(worker, "unready")?.unready_ms ?? 0) > 100 && isStreamMissing());
  expect(beatOf(worker, "unready")).toMatchObject({
    phase: "starting",
    waits_for: "source stream NOT_THERE: the stream does not exist (yet)",
  });
  await (await managerOf(link, null)).streams.add({ name: "NOT_THERE", subjects: ["unready.in"] });
  await until(() => beatOf(worker, "unready")?.phase === "running");
  expect(beatOf(worker, "unready")).not.toHaveProperty("waits_for");
  await worker.stop();
});

test("one whose state finds no room waits for some, which is no failure, and opens by itself", async () => {
  const path = folderOf("full");
  write(path, "crowded", "v1");
  const state = join(folder, "full-state");
  const fault = diskRefusal(
    state,
    "open the commit log",
    Object.assign(new Error("ENOSPC"), { code: "ENOSPC" }),
  );
  const opens = vi.spyOn(FileDisk, "open").mockRejectedValueOnce(fault).mockRejectedValueOnce(fault);
  const worker = start(path, server.url, null, state);
  await until(() => beatOf(worker, "crowded")?.waits_for !== undefined);
  expect(beatOf(worker, "crowded")).toMatchObject({
    phase: "starting",
    waits_for: `its state: ${fault.message}`,
  });
  await until(() => beatOf(worker, "crowded")?.phase === "running");
  expect(beatOf(worker, "crowded")).not.toHaveProperty("waits_for");
  opens.mockRejectedValue(fault);
  const other = start(path, server.url, null, join(folder, "full-other"));
  await until(() => beatOf(other, "crowded")?.waits_for !== undefined);
  expect(beatOf(other, "crowded")).not.toHaveProperty("unready_ms");
  opens.mockRestore();
  await other.stop();
  expect(other.heartbeat().phase).toBe("stopped");
});

test("it beats on its connection, with what its pipelines do", async () => {
  const path = folderOf("beats");
  write(path, "beaten", "v1");
  const beats = await collect("weir.heartbeat.here.told-1");
  const worker = start(path, server.url, "default");
  await until(() => beatOf(worker, "beaten")?.phase === "running");
  const last = (): PipelineBeat | undefined => parseHeartbeat(beats.at(-1)?.string() ?? "")?.pipelines[0];
  let sent = 0;
  // A rate says something once enough time was spent on records.
  while ((last()?.true_rate ?? null) === null) {
    link.nats.publish("beaten.in", JSON.stringify({ n: sent++ }));
    await sleep(wallClock, 1);
  }
  // Rows are confirmed a little later than records are read.
  await until(() => last()?.records === sent && last()?.pending === 0);
  expect(last()).toMatchObject({ name: "beaten", rows: sent, held: 0, pending: 0, dropped: 0 });
  expect(last()!.true_rate).toBeGreaterThan(100);
});

test("it answers on an address: probes, and metrics that can be scraped", async () => {
  const path = folderOf("answers");
  write(path, "asked", "v1");
  const worker = start(path);
  const door = await openAdmin(parseAddress("127.0.0.1:0")!, worker.answers);
  const ask = async (what: string): Promise<readonly [number, string, string | null]> => {
    const answer = await fetch(`http://${door.path}${what}`);
    return [answer.status, await answer.text(), answer.headers.get("content-type")];
  };
  await until(() => beatOf(worker, "asked")?.phase === "running");
  link.nats.publish("asked.in", '{"n":1}');
  link.nats.publish("asked.in", '{"n":-1}');
  await until(() => beatOf(worker, "asked")?.records === 2);
  expect(await ask("/healthz")).toEqual([200, "ok\n", "text/plain; charset=utf-8"]);
  expect((await ask("/readyz"))[0]).toBe(200);
  expect((await ask("/nothing"))[0]).toBe(404);
  expect((await fetch(`http://${door.path}/healthz`, { method: "POST" })).status).toBe(405);
  expect(parseHeartbeat((await ask("/heartbeat"))[1])).toMatchObject({ worker: "told-1" });
  const [code, text, type] = await ask("/metrics");
  expect([code, type]).toEqual([200, "application/openmetrics-text; version=1.0.0; charset=utf-8"]);
  expect(text).toContain('weir_source_records_total{pipeline="asked",source="source"} 2\n');
  expect(text).toContain(
    'weir_branch_ledger_records_total{pipeline="asked",branch="main",step="1 filter",reason="filtered"} 1\n',
  );
  expect(text.endsWith("# EOF\n")).toBe(true);
  await door.close();
});
