// What is wanted, in a real bucket: compare-and-set, history, and a follower that misses nothing.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { jetstreamManager } from "@nats-io/jetstream";
import { afterAll, beforeAll, expect, test } from "vitest";
import { sleep, wallClock } from "../clock.ts";
import { silentLog } from "../connect/connector-log.ts";
import { bucketsOf } from "../connect/key-value.ts";
import { connectNats, type NatsLink } from "../connect/nats-connection.ts";
import { type RunningNatsServer, startNatsServer } from "../connect/nats-server.ts";
import { plainDevice } from "./device.fixture.ts";
import { DeviceBucket } from "./device-bucket.ts";
import { DesiredBucket, desiredBucket, followDesired, type HostDesired } from "./desired-bucket.ts";
import { type WantedPipeline, wantedPipeline } from "./wanted.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-desired-test-"));
const log = { ...silentLog, error: () => undefined };
let server: RunningNatsServer;
let link: NatsLink;
let bucket: DesiredBucket;

beforeAll(async () => {
  server = await startNatsServer({ name: "weir-desired-test", storeDir: join(folder, "js") }, process.env);
  link = await connectNats({ name: "test", servers: server.url }, silentLog);
  bucket = await DesiredBucket.open(link);
});

afterAll(async () => {
  await link?.close();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

function pipeline(name: string, mark: string): WantedPipeline {
  return wantedPipeline(`/p/${name}.yaml`, `name: ${name}\nabout: ${mark}\n`);
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(wallClock, 10);
}

function names({ pipelines }: HostDesired): string[] {
  return [...pipelines.values()]
    .map(({ pipeline: { name, text } }) => `${name} ${/about: (.*)/.exec(text)![1]}`)
    .sort();
}

test("what was put is read, of that host only", async () => {
  expect(await bucket.read("a")).toEqual({ state: null, pipelines: new Map() });
  await bucket.put("a", pipeline("climate", "one"), null);
  await bucket.setState("a", { drain: false });
  const read = await bucket.read("a");
  expect(names(read)).toEqual(["climate one"]);
  expect(read.state).toEqual({ drain: false });
  expect(read.pipelines.get("climate")!.pipeline).toEqual(pipeline("climate", "one"));
  expect((await bucket.read("b")).pipelines.size).toBe(0);
});

test("partitions are wanted each by itself, and have turns of their own", async () => {
  const text = "name: cut\nplacement: { partitions: 12 }\n";
  const part = (partition: number): WantedPipeline =>
    wantedPipeline("/p/cut.yaml", text, { partition, term: partition + 1 });
  for (const partition of [0, 11]) await bucket.put("parts", part(partition), null);
  await bucket.own("cut~11", { host: "parts", term: 12, before: null, reason: "it is new" }, null);
  const { pipelines, unreadable } = await bucket.read("parts");
  expect([...pipelines.keys()].sort()).toEqual(["cut~0", "cut~11"]);
  expect(pipelines.get("cut~11")?.pipeline).toEqual(part(11));
  expect(unreadable).toBeUndefined();
  const all = await bucket.all();
  expect(all.hosts.get("parts")?.pipelines.get("cut~0")?.pipeline).toEqual(part(0));
  expect(all.owners.get("cut~11")?.owner.term).toBe(12);
  expect((await bucket.history("parts", "cut~0")).map(({ pipeline }) => pipeline.name)).toEqual(["cut~0"]);
  await bucket.remove("parts", pipelines.get("cut~0")!);
  expect([...(await bucket.read("parts")).pipelines.keys()]).toEqual(["cut~11"]);
});

test("what stands under another pipeline's name, or is none, is told by the name of its key", async () => {
  const store = await bucketsOf(link).open(desiredBucket);
  await store.put("odd.pipeline.one", JSON.stringify({ file: "/p/two.yaml", text: "name: two\n" }));
  await store.put("odd.pipeline.three", JSON.stringify({ file: "/p/x.yaml", text: "name: ../../x\n" }));
  await store.put("odd.pipeline.four", "four");
  const { pipelines, unreadable = [] } = await bucket.read("odd");
  expect(pipelines.size).toBe(0);
  const told = unreadable.map(({ name, reason }) => `${name} ${reason}`).sort();
  expect(told).toEqual([
    expect.stringMatching(/^four its entry in the bucket weir_desired cannot be read: /),
    expect.stringMatching(/^one .*its key is that of one, and its text calls it two$/),
    expect.stringMatching(
      /^three .*a pipeline has a name of lower-case letters, digits, - and _, at most 64$/,
    ),
  ]);
});

test("nobody overwrites what another has changed meanwhile", async () => {
  await bucket.put("cas", pipeline("p", "one"), null);
  const seen = (await bucket.read("cas")).pipelines.get("p")!;
  await expect(bucket.put("cas", pipeline("p", "mine"), null)).rejects.toMatchObject({ code: "WEIR_STALE" });
  await bucket.put("cas", pipeline("p", "two"), seen);
  await expect(bucket.put("cas", pipeline("p", "mine"), seen)).rejects.toMatchObject({ code: "WEIR_STALE" });
  await expect(bucket.remove("cas", seen)).rejects.toMatchObject({ code: "WEIR_STALE" });
  const { pipelines } = await bucket.read("cas");
  await bucket.remove("cas", pipelines.get("p")!);
  expect((await bucket.read("cas")).pipelines.size).toBe(0);
  await bucket.put("cas", pipeline("p", "again"), null);
  expect(names(await bucket.read("cas"))).toEqual(["p again"]);
});

test("a host that is told for the first time goes on draining where somebody was faster", async () => {
  await bucket.begin("first");
  expect((await bucket.read("first")).state).toEqual({ drain: false });
  await bucket.setState("first", { drain: true });
  await bucket.begin("first");
  expect((await bucket.read("first")).state).toEqual({ drain: true });
});

test("a bucket without room is not told as somebody else's change", async () => {
  const manager = await jetstreamManager(link.nats, { checkAPI: false });
  const { config, state } = await manager.streams.info("KV_weir_desired");
  const devices = await DeviceBucket.open(link);
  const registry = (await manager.streams.info("KV_weir_devices")).config;
  await devices.tell({ ...plainDevice, id: "full" });
  await manager.streams.update("KV_weir_desired", { max_bytes: state.bytes + 1 });
  await manager.streams.update("KV_weir_devices", { max_bytes: 1 });
  await expect(bucket.put("full", pipeline("p", "one"), null)).rejects.toThrow(/maximum bytes exceeded/);
  await expect(bucket.begin("full")).rejects.toThrow(/maximum bytes exceeded/);
  await expect(devices.tell({ ...plainDevice, id: "full" })).rejects.toThrow(/maximum bytes exceeded/);
  await manager.streams.update("KV_weir_desired", { max_bytes: config.max_bytes });
  await manager.streams.update("KV_weir_devices", { max_bytes: registry.max_bytes });
});

test("what was wanted before is remembered", async () => {
  await bucket.put("past", pipeline("p", "one"), null);
  await bucket.put("past", pipeline("p", "two"), (await bucket.read("past")).pipelines.get("p")!);
  const history = await bucket.history("past", "p");
  expect(history.map((each) => each.pipeline.text.split("about: ")[1])).toEqual(["one\n", "two\n"]);
  expect(await bucket.history("past", "nobody")).toEqual([]);
});

test("a follower hears all of it at first and after each change, across a restart of the server", async () => {
  await bucket.put("followed", pipeline("p", "one"), null);
  const heard: HostDesired[] = [];
  const stop = new AbortController();
  const options = { clock: wallClock, log, stopped: stop.signal };
  const following = followDesired(link, "followed", (desired) => void heard.push(desired), options);
  await until(() => heard.length > 0 && names(heard.at(-1)!).includes("p one"));
  expect(heard.at(-1)!.state).toBeNull();
  await bucket.put("followed", pipeline("q", "one"), null);
  await bucket.put("somebody-else", pipeline("r", "one"), null);
  await bucket.setState("followed", { drain: true });
  await until(() => heard.at(-1)!.state?.drain === true);
  expect(names(heard.at(-1)!)).toEqual(["p one", "q one"]);
  await server.kill();
  server = await startNatsServer(
    { name: "weir-desired-test", storeDir: join(folder, "js"), port: server.port },
    process.env,
  );
  await until(() => link.connected);
  await bucket.put("followed", pipeline("p", "two"), (await bucket.read("followed")).pipelines.get("p")!);
  await until(() => names(heard.at(-1)!).includes("p two"));
  const { pipelines } = await bucket.read("followed");
  await bucket.remove("followed", pipelines.get("q")!);
  await until(() => heard.at(-1)!.pipelines.size === 1);
  stop.abort();
  await following;
});

test("a follower hears of what is wanted in a bucket that was deleted and made anew", async () => {
  const stop = new AbortController();
  let told = "";
  await bucket.put("remade", pipeline("a", "1"), null);
  const following = followDesired(link, "remade", (desired) => void (told = names(desired).join()), {
    clock: { ...wallClock, every: (ms, task) => wallClock.every(ms / 20, task) },
    log,
    stopped: stop.signal,
  });
  await until(() => told === "a 1");
  // Who reads on from where it was waits for a number that the new bucket has not come to.
  for (const name of ["b", "c", "d", "f", "g", "h"]) await bucket.put("remade", pipeline(name, "1"), null);
  await until(() => told.includes("h 1"));
  await sleep(wallClock, 500);
  await (await jetstreamManager(link.nats)).streams.delete("KV_weir_desired");
  await sleep(wallClock, 1_000);
  bucket = await DesiredBucket.open(link);
  await bucket.put("remade", pipeline("e", "1"), null);
  await sleep(wallClock, 6_000);
  await bucket.put("remade", pipeline("z", "1"), null);
  await until(() => told === "e 1,z 1");
  stop.abort();
  await following;
});

test("an entry that is no pipeline is nobody's order", async () => {
  const manager = await jetstreamManager(link.nats, { checkAPI: false });
  expect((await manager.streams.info("KV_weir_desired")).config.max_msgs_per_subject).toBe(8);
  for (const value of ["{", "{}", '{"file":"/a","text":"name: ../x\\n"}', '{"file":"/a","text":"["}'])
    link.nats.publish("$KV.weir_desired.odd.pipeline.p", value);
  await link.nats.flush();
  expect((await bucket.read("odd")).pipelines.size).toBe(0);
});
