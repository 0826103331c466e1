// Reference tables of a running worker: a file that is replaced by renaming another over it, a bucket of a
// real nats-server that changes, and tables that turn bad. Nothing is timed: each test waits for what it says.

import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { jetstreamManager } from "@nats-io/jetstream";
import { type KV, Kvm } from "@nats-io/kv";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { type Clock, sleep, wallClock } from "../clock.ts";
import { silentLog } from "../connect/connector-log.ts";
import { connectNats, type NatsLink } from "../connect/nats-connection.ts";
import { bucketReference } from "../connect/reference-bucket.ts";
import { type RunningNatsServer, startNatsServer } from "../connect/nats-server.ts";
import { loadInput, readInput } from "../engine/loader.ts";
import type { ReferenceStatus } from "../engine/references.ts";
import { defaultSettings, withConnections } from "./settings.ts";
import { Worker } from "./worker.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-reference-test-"));
/** Looks at files and buckets more often, so that nobody waits for it. */
const clock: Clock = { ...wallClock, every: (ms, task) => wallClock.every(ms / 10, task) };
const lines: string[] = [];
const log = { ...silentLog, warn: (line: string) => void lines.push(line), error: () => undefined };
let server: RunningNatsServer;
let link: NatsLink;
let worker: Worker | null = null;

beforeAll(async () => {
  server = await startNatsServer({ name: "weir-reference-test" }, process.env);
  link = await connectNats({ name: "test", servers: server.url }, silentLog);
});

afterEach(async () => {
  await worker?.close();
  worker = null;
  lines.length = 0;
});

afterAll(async () => {
  await link?.close();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(wallClock, 10);
}

function write(name: string, text: string): void {
  // Beside it and then over it, as whoever replaces a table should.
  writeFileSync(join(folder, `${name}.new`), text);
  renameSync(join(folder, `${name}.new`), join(folder, name));
}

/** Runs a pipeline with one lookup; `own` makes it run in a thread of its own. */
async function start(name: string, table: unknown, own = false, on: NatsLink = link): Promise<string[]> {
  const path = join(folder, `${name}.yaml`);
  const plausible = new URL("../../operators/examples/plausible.ts", import.meta.url).pathname;
  const pipeline = {
    name,
    ...(own ? { use: [plausible] } : {}),
    source: {
      nats: { subject: `${name}.in` },
      format: "json",
      schema: { device: "string", temp: "float64" },
    },
    steps: [
      { lookup: { table, on: "device", add: { site: "string", limit: "float64" } } },
      ...(own ? [{ plausible: { value: "temp", min: -100, max: 100 } }] : []),
      { select: { device: "device", site: "site", limit: "limit" } },
      { sink: { nats: { subject: `${name}.out` }, format: "json" } },
    ],
  };
  writeFileSync(path, JSON.stringify(pipeline));
  const loaded = await loadInput(readInput(path, {}), path);
  expect(loaded.diagnostics).toEqual([]);
  const rows: string[] = [];
  const take = (_error: unknown, message: { string(): string }): void => void rows.push(message.string());
  on.nats.subscribe(`${name}.out`, { callback: take });
  await on.nats.flush();
  worker = new Worker({
    settings: { ...withConnections(defaultSettings({}), [`nats://${on.nats.getServer()}`]), threads: 0 },
    clock,
    log,
    identity: "test",
  });
  await worker.open([loaded]);
  worker.run().catch(() => undefined);
  return rows;
}

function status(): ReferenceStatus {
  return worker!.status()[0]!.pipeline.references[0]!;
}

function send(name: string, device: string): void {
  link.nats.publish(`${name}.in`, JSON.stringify({ device, temp: 1 }));
}

async function bucket(
  name: string,
  entries: Readonly<Record<string, string>>,
  on: NatsLink = link,
): Promise<KV> {
  const store = await new Kvm(on.nats).create(name);
  for (const [key, value] of Object.entries(entries)) await store.put(key, value);
  return store;
}

it.each([false, true])("a file is replaced while the pipeline runs; own thread: %s", async (own) => {
  const name = own ? "file-own" : "file";
  const table = `${name}.csv`;
  write(table, "device,site,limit\nr1,north,-18\n");
  const rows = await start(name, { file: table }, own);
  send(name, "r1");
  await until(() => rows.length === 1);
  write(table, 'device,site,limit\nr1,"south, gate 2",4\nr2,east,\n');
  await until(() => status().loads === 2);
  send(name, "r1");
  send(name, "r2");
  await until(() => rows.length === 3);
  expect(rows.map((row) => JSON.parse(row) as unknown)).toEqual([
    { device: "r1", site: "north", limit: -18 },
    { device: "r1", site: "south, gate 2", limit: 4 },
    { device: "r2", site: "east", limit: null },
  ]);
  expect(status()).toEqual({ table, rows: 2, loads: 2, refused: 0, fault: null });
});

it("a file that turns bad, then goes away, then comes back: the old table stays, and each change is said once", async () => {
  write("turns.csv", "device,site,limit\nr1,north,-18\n");
  const rows = await start("turns", { file: "turns.csv" });
  write("turns.csv", "device,site,limit\nr1,south,cold\n");
  await until(() => status().refused === 1);
  rmSync(join(folder, "turns.csv"));
  await until(() => status().refused === 2);
  send("turns", "r1");
  await until(() => rows.length === 1);
  expect(JSON.parse(rows[0]!)).toMatchObject({ site: "north", limit: -18 });
  expect(lines[0]).toBe(
    "turns: the new table turns.csv is not used, the old one stays: turns.csv:2: column limit: expected float64, got other text",
  );
  expect(lines[1]).toContain("cannot read the table turns.csv");
  expect(lines.length).toBe(2);
  write("turns.csv", "device,site,limit\nr1,south,1\n");
  await until(() => status().loads === 2);
  expect(status().fault).toBeNull();
});

it("a bucket: what it holds, what changes, what is deleted", async () => {
  const store = await bucket("devices", { r1: '{"site":"north","limit":-18}', r2: '{"site":"east"}' });
  await store.delete("r2");
  const rows = await start("bucket", { kv: { bucket: "devices" } });
  for (const device of ["r1", "r2"]) send("bucket", device);
  await until(() => rows.length === 2);
  await store.put("r1", '{"site":"south","limit":4}');
  await store.put("r3", '{"site":"west"}');
  await until(() => status().rows === 2);
  for (const device of ["r1", "r3"]) send("bucket", device);
  await until(() => rows.length === 4);
  await store.delete("r3");
  await until(() => status().rows === 1);
  send("bucket", "r3");
  await until(() => rows.length === 5);
  expect(rows.map((row) => (JSON.parse(row) as { site: unknown }).site)).toEqual([
    "north",
    null,
    "south",
    "west",
    null,
  ]);
});

it("a bucket that is empty at first, holds something wrong, and is deleted and made anew", async () => {
  const store = await bucket("hard", {});
  await start("hard", { kv: { bucket: "hard" } });
  expect(status()).toMatchObject({ rows: 0, loads: 1 });
  await store.put("r1", '{"site":7}');
  await until(() => status().refused === 1);
  expect(status().fault?.message).toBe('hard: key "r1": column site: expected string, got number');
  await store.put("r1", '{"site":"north"}');
  await until(() => status().rows === 1);
  const manager = await jetstreamManager(link.nats, { checkAPI: false });
  await manager.streams.delete("KV_hard");
  await until(() => status().refused === 2);
  expect(status().rows).toBe(1);
  await bucket("hard", { r1: '{"site":"south"}', r2: '{"site":"west"}' });
  await until(() => status().rows === 2);
  await manager.streams.purge("KV_hard", { filter: "$KV.hard.r1" });
  await until(() => status().rows === 1);
});

it("a bucket whose server dies and comes back is followed on", async () => {
  const storeDir = join(folder, "restart");
  const before = await startNatsServer({ name: "weir-reference-restart", storeDir }, process.env);
  const client = await connectNats({ name: "restart", servers: before.url }, silentLog);
  const store = await bucket("devices", { r1: '{"site":"north"}' }, client);
  await start("restart", { kv: { bucket: "devices" } }, false, client);
  await before.kill();
  await before.stop();
  const after = await startNatsServer(
    { name: "weir-reference-restart", storeDir, port: before.port },
    process.env,
  );
  const put = (): Promise<boolean> =>
    store.put("r2", '{"site":"east"}').then(
      () => true,
      () => false,
    );
  while (!(await put())) await sleep(wallClock, 50);
  await until(() => status().rows === 2);
  expect(status().refused).toBe(0);
  await worker?.close();
  await client.close();
  await after.stop();
});

it("whoever waits for a bucket is told that it was closed", async () => {
  const watch = bucketReference({ link, bucket: "never", name: "never", clock, log: silentLog });
  const loading = watch.load();
  await watch.close();
  await expect(loading).rejects.toMatchObject({ code: "WEIR_NATS_UNAVAILABLE" });
});

it("a pipeline does not start without its table", async () => {
  await expect(start("none", { file: "nowhere.csv" })).rejects.toMatchObject({
    code: "WEIR_REFERENCE",
    remedy: "its path is relative to the pipeline's file",
  });
  await worker?.close();
  await expect(start("none", { kv: { bucket: "nothing" } })).rejects.toMatchObject({
    message: "cannot read the table nothing: there is no bucket nothing on connection default",
    remedy: "make it: nats kv add nothing",
  });
  await worker?.close();
  write("bad.csv", "device,site,limit\nr1,north,1\nr1,south,2\n");
  await expect(start("none", { file: "bad.csv" })).rejects.toThrow(
    'bad.csv:3: the key "r1" stands in line 2 already',
  );
});

it("a bucket that nobody watches any more has no consumer left", async () => {
  const buckets = new Kvm(link.nats);
  await (await buckets.create("parted")).put("a", "{}");
  const watch = bucketReference({ link, bucket: "parted", name: "parted", clock, log: silentLog });
  await watch.load();
  const manager = await jetstreamManager(link.nats);
  const consumers = async (): Promise<number> =>
    (await manager.streams.info("KV_parted")).state.consumer_count;
  expect(await consumers()).toBe(1);
  await watch.close();
  expect(await consumers()).toBe(0);
});
