// A control centre on a real server, whose own clock is set while it looks: who is lost is told by how time passes.

import { jetstreamManager } from "@nats-io/jetstream";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Clock, sleep, wallClock } from "../clock.ts";
import { silentLog } from "../connect/connector-log.ts";
import { bucketsOf } from "../connect/key-value.ts";
import { connectNats, type NatsLink } from "../connect/nats-connection.ts";
import { type RunningNatsServer, startNatsServer } from "../connect/nats-server.ts";
import { ControlCentre } from "./control-centre.ts";
import { fleet } from "./control-subjects.ts";
import { DesiredBucket, desiredBucket } from "./desired-bucket.ts";
import type { Device } from "./device.ts";
import { DeviceBucket } from "./device-bucket.ts";
import { wantedPipeline } from "./wanted.ts";

let server: RunningNatsServer;
let link: NatsLink;

beforeAll(async () => {
  server = await startNatsServer({ name: "weir-control-centre-test" }, process.env);
  link = await connectNats({ name: "test", servers: server.url }, silentLog);
});

afterAll(async () => {
  await link?.close();
  await server?.stop();
});

const device: Omit<Device, "id"> = {
  location: "",
  labels: {},
  capacity: { cpu: 1, memory: 2 ** 30, workers: 8 },
  subjects: [],
  runs: [],
  revision: "0",
  since: "2026-01-01T00:00:00Z",
  last_contact: "2026-01-01T00:00:00Z",
};

test.each([
  ["back", -3_600_000],
  ["forward", 3_600_000],
])(
  "a clock that is set %s makes nobody lost, and hides nobody who is",
  { timeout: 60_000 },
  async (how, by) => {
    let ahead = 0;
    const clock: Clock = { ...wallClock, now: () => wallClock.now() + ahead };
    const names = { silent: `a-${how}`, there: `b-${how}`, pipeline: `p-${how}` };
    const [devices, desired] = [await DeviceBucket.open(link), await DesiredBucket.open(link)];
    const tell = (id: string): Promise<number> =>
      devices.tell({ ...device, id, labels: { clock: how }, subjects: id === names.silent ? ["a.b"] : [] });
    await tell(names.silent);
    await tell(names.there);
    const text = `name: ${names.pipeline}\nsource: { nats: { subject: a.b }, format: json }\nplacement: { labels: { clock: ${how} } }\n`;
    await desired.put(fleet, wantedPipeline("/p.yaml", text), null);
    const policy = { lost_after: 3_000, allow: [{}] };
    const log = { ...silentLog, error: () => undefined };
    const centre = await ControlCentre.open({ link, policy, id: how, version: "0", clock, log });
    const owner = async (): Promise<string | null | undefined> =>
      (await desired.all()).owners.get(names.pipeline)?.owner.host;
    const lookWhile = async (
      host: string | undefined,
      heard: readonly string[],
      ms: number,
    ): Promise<void> => {
      const until = wallClock.elapsed() + ms;
      while (wallClock.elapsed() < until && (await owner()) === host) {
        for (const id of heard) await tell(id);
        centre.look();
        await sleep(wallClock, 100);
      }
    };
    await lookWhile(undefined, [names.silent, names.there], 10_000);
    expect(await owner()).toBe(names.silent);
    await tell(names.silent);
    const last = wallClock.elapsed();
    centre.look();
    await sleep(wallClock, 200);
    ahead = by;
    await lookWhile(names.silent, [names.there], 10_000);
    expect(await owner()).toBe(names.there);
    expect(wallClock.elapsed() - last).toBeGreaterThan(policy.lost_after - 100);
    await centre.close();
  },
);

test("a registry that somebody deleted is made again, and nobody is gone before there was time to be heard", {
  timeout: 60_000,
}, async () => {
  const labels = { deleted: "yes" };
  const names = { slow: "slow", quick: "quick", pipeline: "p-deleted" };
  const desired = await DesiredBucket.open(link);
  const tell = async (id: string): Promise<number> =>
    (await DeviceBucket.open(link)).tell({ ...device, id, labels, subjects: id === "slow" ? ["a.b"] : [] });
  await tell(names.slow);
  await tell(names.quick);
  const text = `name: ${names.pipeline}\nsource: { nats: { subject: a.b }, format: json }\nplacement: { labels: { deleted: yes } }\n`;
  await desired.put(fleet, wantedPipeline("/p.yaml", text), null);
  const policy = { lost_after: 3_000, allow: [{}] };
  const log = { ...silentLog, error: () => undefined };
  const clock = wallClock;
  const centre = await ControlCentre.open({ link, policy, id: "remade", version: "0", clock, log });
  const owner = async (): Promise<string | null | undefined> =>
    (await desired.all()).owners.get(names.pipeline)?.owner.host;
  const look = async (): Promise<void> => {
    centre.look();
    await sleep(wallClock, 100);
  };
  while ((await owner()) === undefined) await look();
  expect(await owner()).toBe(names.slow);
  const { streams } = await jetstreamManager(link.nats, { checkAPI: false });
  const isThere = (): Promise<boolean> =>
    streams.info("KV_weir_devices").then(
      () => true,
      () => false,
    );
  await streams.delete("KV_weir_devices");
  while (!(await isThere())) await look();
  const began = wallClock.elapsed();
  while ((await owner()) === names.slow) {
    await tell(names.quick);
    await look();
  }
  expect(wallClock.elapsed() - began).toBeGreaterThan(policy.lost_after - 200);
  // The same between two looks, where nobody notices that it was away.
  await tell(names.slow);
  await look();
  await streams.delete("KV_weir_devices");
  await tell(names.slow);
  await look();
  expect(await owner()).toBe(names.quick);
  await centre.close();
});

test("an entry of the fleet that cannot be read ends nothing that it said before", async () => {
  const [desired, devices] = [await DesiredBucket.open(link), await DeviceBucket.open(link)];
  const tell = (): Promise<number> => devices.tell({ ...device, id: "reader", labels: { odd: "yes" } });
  await tell();
  const text = "name: p-odd\nsource: { host: { every: 1s } }\nplacement: { labels: { odd: yes } }\n";
  await desired.put(fleet, wantedPipeline("/p.yaml", text), null);
  const said: string[] = [];
  const log = { ...silentLog, error: () => undefined, warn: (line: string) => void said.push(line) };
  const policy = { lost_after: 60_000, allow: [{}] };
  const clock = wallClock;
  const centre = await ControlCentre.open({ link, policy, id: "odd", version: "0", clock, log });
  const isThere = async (): Promise<boolean> => (await desired.read("reader")).pipelines.has("p-odd");
  while (!(await isThere())) {
    centre.look();
    await sleep(wallClock, 50);
  }
  await (await bucketsOf(link).open(desiredBucket)).put(`${fleet}.pipeline.p-odd`, "no pipeline");
  while (!said.some((line) => line.includes("p-odd stays as it is: its entry in the bucket"))) {
    centre.look();
    await sleep(wallClock, 50);
  }
  expect(await isThere()).toBe(true);
  expect((await desired.all()).owners.get("p-odd")?.owner.host).toBe("reader");
  await centre.close();
});

test("partitions that are to be spread go over one by one when a device comes, each once the one before runs", {
  timeout: 60_000,
}, async () => {
  const [desired, devices] = [await DesiredBucket.open(link), await DeviceBucket.open(link)];
  /** A device that runs what is wanted of it. */
  const tell = async (id: string): Promise<void> => {
    const runs = [...(await desired.read(id)).pipelines.keys()];
    await devices.tell({ ...device, id, labels: { spread: "yes" }, runs });
  };
  await tell("first");
  const text = `name: p-spread
source: { nats: { subject: "p.{partition}.a", stream: A }, format: json }
placement: { labels: { spread: yes }, partitions: 5, spread: true }
`;
  await desired.put(fleet, wantedPipeline("/p.yaml", text), null);
  const log = { ...silentLog, error: () => undefined };
  const policy = { lost_after: 60_000, allow: [{}] };
  const centre = await ControlCentre.open({ link, policy, id: "s", version: "0", clock: wallClock, log });
  const seen: string[] = [];
  const lookUntil = async (shares: string, ids: readonly string[]): Promise<void> => {
    for (;;) {
      for (const id of ids) await tell(id);
      centre.look();
      await sleep(wallClock, 50);
      const owners = [...(await desired.all()).owners].filter(([name]) => name.startsWith("p-spread~"));
      const counts = ids.map((id) => owners.filter(([, { owner }]) => owner.host === id).length);
      if (seen.at(-1) !== counts.join()) seen.push(counts.join());
      if (counts.join() === shares) return;
    }
  };
  await lookUntil("5", ["first"]);
  await lookUntil("3,2", ["first", "second"]);
  expect(seen.slice(-2)).toEqual(["4,1", "3,2"]);
  await tell("first");
  await tell("second");
  centre.look();
  await lookUntil("3,2", ["first", "second"]);
  expect((await desired.read("second")).pipelines.size).toBe(2);
  await centre.close();
});
