// A worker with a state folder that starts while the cloud's server is away: it reads, commits and answers, and its rows are in
// the cloud once and in order when that comes, whatever ended it in between.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { jetstream, type JetStreamManager, jetstreamManager } from "@nats-io/jetstream";
import { afterAll, beforeAll, expect, test } from "vitest";
import { sleep, wallClock } from "../clock.ts";
import { silentLog } from "../connect/connector-log.ts";
import { connectNats, type NatsLink } from "../connect/nats-connection.ts";
import { startNatsServer, type RunningNatsServer } from "../connect/nats-server.ts";
import type { OutboxStats } from "../state/outbox/outbox-stats.ts";
import { askWorkers } from "../worker/control-client.ts";
import { WeirProcesses } from "./weir-process.fixture.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-cloud-away-test-"));
const processes = new WeirProcesses(folder, { environment: { WEIR_RUN_FOLDER: join(folder, "run") } });
let edge: RunningNatsServer;
let link: NatsLink;
let manager: JetStreamManager;

beforeAll(async () => {
  edge = await startNatsServer({ name: "weir-cloud-away-edge" }, process.env);
  link = await connectNats({ name: "test", servers: edge.url }, silentLog);
  manager = await jetstreamManager(link.nats);
});

afterAll(async () => {
  processes.kill();
  await link?.close();
  await edge?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** A pipeline with a stream of its own to read, and the port on which the cloud's server will be. */
async function prepared(name: string, sinks: string): Promise<{ port: number; run: readonly string[] }> {
  await manager.streams.add({ name: name.toUpperCase(), subjects: [`${name}.*`] });
  writeFileSync(
    join(folder, `${name}.yaml`),
    `name: ${name}
source:
  nats: { subject: "${name}.{device}", stream: ${name.toUpperCase()} }
  format: json
  schema: { n: float64 }
steps:
${sinks}`,
  );
  const once = await startNatsServer({ name: "weir-cloud-away-once" }, process.env);
  await once.stop();
  const cloud = `cloud=nats://127.0.0.1:${once.port}`;
  const run = ["run", `${name}.yaml`, "--nats", edge.url, "--nats", cloud, "--state", `state-${name}`];
  return { port: once.port, run };
}

async function publish(name: string, from: number, to: number): Promise<void> {
  for (let n = from; n < to; n++) await jetstream(link.nats).publish(`${name}.d`, JSON.stringify({ n }));
}

/** Resolves once so many records are read and committed, each as a row of one chain. */
async function committed(chain: string, records: number): Promise<void> {
  const kept = async (): Promise<number> => {
    const answers = await askWorkers(join(folder, "run"), "/outbox");
    const folders = answers.flatMap(({ answer }) => (answer ?? []) as readonly { stats: OutboxStats }[]);
    const chains = folders.flatMap(({ stats }) => stats.chains);
    const { confirmed, entries } = chains.find((each) => each.chain === chain) ?? {
      confirmed: 0,
      entries: 0,
    };
    return confirmed + entries;
  };
  while ((await kept()) < records) await sleep(wallClock, 20);
}

/** What a stream of the cloud's holds, message by message. */
async function textsIn(cloud: NatsLink, stream: string): Promise<string[]> {
  const there = await jetstreamManager(cloud.nats);
  const info = await there.streams.info(stream).catch(() => null);
  const texts: string[] = [];
  for (let seq = 1; seq <= (info?.state.last_seq ?? 0); seq++)
    texts.push((await there.streams.getMessage(stream, { seq }))!.string());
  return texts;
}

function numbersOf(texts: readonly string[]): number[] {
  return texts.flatMap((text) => text.split("\n").map((line) => (JSON.parse(line) as { n: number }).n));
}

const sinks = `  - branch:
      single: [{ sink: { nats: { to: cloud, subject: "single.{device}", stream: SINGLE }, format: json } }]
      batched: [{ sink: { nats: { to: cloud, subject: "batched.{device}", stream: BATCHED }, format: json, batch: { rows: 20 } } }]
      shared: [{ sink: { nats: { to: cloud, subject: "shared.{device}", stream: SHARED, delivery: subject }, format: json } }]
      lane: [{ sink: { nats: { to: cloud, subject: "lane.{device}", stream: LANES, delivery: lane }, format: json } }]
`;
const streams = ["SINGLE", "BATCHED", "SHARED"];

/** Resolves once the streams hold every number below `end`; each once and in order. */
async function arrived(server: RunningNatsServer, end: number): Promise<void> {
  const cloud = await connectNats({ name: "cloud", servers: server.url }, silentLog);
  const all = Array.from({ length: end }, (_, n) => n);
  for (const stream of streams) {
    while (numbersOf(await textsIn(cloud, stream)).length < end) await sleep(wallClock, 50);
    expect(numbersOf(await textsIn(cloud, stream))).toEqual(all);
  }
  while ((await textsIn(cloud, "LANES")).length === 0) await sleep(wallClock, 50);
  expect((await textsIn(cloud, "BATCHED")).length).toBeLessThan(end / 2);
  await cloud.close();
}

test("records are read and committed, and every row comes to the cloud once it is there", {
  timeout: 60_000,
}, async () => {
  const { port, run } = await prepared("away", sinks);
  const storeDir = mkdtempSync(join(folder, "cloud-"));
  const cloudStarts = (): Promise<RunningNatsServer> =>
    startNatsServer({ name: "weir-cloud-away", port, storeDir }, process.env);
  await publish("away", 0, 100);
  let running = processes.start(run);
  await committed("away/cloud/SINGLE", 100);
  const { stdout, code } = await processes.weir("why", "away");
  expect([code, stdout.split("\n")[0]]).toEqual([0, "away"]);
  expect((await processes.weir("why", "--ready")).code).toBe(0);
  running.child.kill("SIGKILL");
  await running.ended;
  // One that is told to stop meanwhile leaves its rows to the next.
  running = processes.start(run);
  await publish("away", 100, 150);
  await committed("away/cloud/SINGLE", 150);
  running.child.kill("SIGTERM");
  expect((await running.ended).code).toBe(0);
  running = processes.start(run);
  let cloud = await cloudStarts();
  await publish("away", 150, 200);
  await arrived(cloud, 200);
  // What was known of the cloud stays known through starts that do not meet it.
  await cloud.stop();
  for (const from of [200, 250]) {
    running.child.kill("SIGKILL");
    await running.ended;
    running = processes.start(run);
    await publish("away", from, from + 50);
    await committed("away/cloud/SINGLE", from + 50);
  }
  cloud = await cloudStarts();
  await arrived(cloud, 300);
  running.child.kill("SIGTERM");
  expect((await running.ended).code).toBe(0);
  await cloud.stop();
});

test("a stream that cannot take the rows ends the pipeline when the cloud comes", {
  timeout: 60_000,
}, async () => {
  const { port, run } = await prepared(
    "unfit",
    `  - sink: { nats: { to: cloud, subject: "unfit.out.{device}", stream: TAKEN }, format: json }\n`,
  );
  await publish("unfit", 0, 10);
  const running = processes.start(run);
  await committed("unfit/cloud/TAKEN", 10);
  const store = mkdtempSync(join(folder, "store-"));
  const before = await startNatsServer({ name: "weir-cloud-away-unfit", storeDir: store }, process.env);
  const making = await connectNats({ name: "cloud", servers: before.url }, silentLog);
  const there = await jetstreamManager(making.nats);
  await there.streams.add({ name: "OTHER", subjects: ["unfit.out.>"] });
  await making.close();
  await before.stop();
  const server = await startNatsServer({ name: "weir-cloud-away-unfit", storeDir: store, port }, process.env);
  const { code, stderr } = await running.ended;
  expect(code).toBe(78);
  expect(stderr).toContain(
    "sink stream TAKEN: stream TAKEN cannot have its subjects: unfit.out.* overlaps with subjects of stream OTHER",
  );
  await server.stop();
});
