// One stream that two hosts share by its partitions, as real processes: a control centre gives each partition to one of them,
// gives them on when a host is drained or lost, and whoever had one before sends nothing behind its next owner.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { type JetStreamManager, jetstreamManager, RetentionPolicy } from "@nats-io/jetstream";
import { unpackMultiple } from "msgpackr";
import { afterAll, expect, test } from "vitest";
import { sleep, wallClock } from "../clock.ts";
import { laneBody } from "../codec/lane-message.ts";
import { silentLog } from "../connect/connector-log.ts";
import { connectNats } from "../connect/nats-connection.ts";
import { startNatsServer } from "../connect/nats-server.ts";
import { DesiredBucket } from "../supervisor/desired-bucket.ts";
import { DeviceBucket } from "../supervisor/device-bucket.ts";
import { Site } from "./site.fixture.ts";

const partitions = 4;
const sensors = 8;
const folder = mkdtempSync(join(tmpdir(), "weir-sp-"));
const stops: (() => Promise<void> | void)[] = [];

afterAll(async () => {
  for (const stop of stops) await stop();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

const pipeline = `name: share
placement: { partitions: ${partitions} }
source: { nats: { subject: "p.{partition}.s.{sensor}", stream: IN }, format: json, schema: { n: float64 } }
steps:
  - select: [sensor, n]
  - sink: { nats: { subject: "out.{sensor}", stream: OUT, delivery: lane }, format: json }
`;

interface LaneRow {
  readonly sensor: string;
  readonly n: number;
  readonly partition: string;
  readonly term: number;
}

/** The rows of all lanes, in the order of the stream. */
async function rowsIn(manager: JetStreamManager): Promise<readonly LaneRow[]> {
  const { state } = await manager.streams.info("OUT");
  const rows: LaneRow[] = [];
  for (let sequence = 1; sequence <= state.last_seq; sequence++) {
    const message = await manager.streams.getMessage("OUT", { seq: sequence });
    if (message === null || message.data.length === 0) continue;
    const { subject, header, data } = message;
    expect(subject).toMatch(/^up\.fleet\.share_[0-3]\.live$/);
    for (const row of unpackMultiple(laneBody(data)) as unknown[][]) {
      const { sensor, n } = JSON.parse(Buffer.from(row[5] as Uint8Array).toString()) as LaneRow;
      rows.push({ sensor, n, partition: subject, term: Number(header.get("Weir-Term")) });
    }
  }
  return rows;
}

async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await condition())) await sleep(wallClock, 100);
}

test("partitions go from host to host, each row once and in the order of its sensor", {
  timeout: 300_000,
}, async () => {
  const extra = `mappings { "s.*": "p.{{partition(${partitions},1)}}.s.{{wildcard(1)}}" }`;
  const server = await startNatsServer({ name: "weir-shared-partitions", extra }, process.env);
  const link = await connectNats({ name: "test", servers: server.url }, silentLog);
  stops.push(
    () => link.close(),
    () => server.stop(),
  );
  const manager = await jetstreamManager(link.nats, { checkAPI: false });
  // What nobody has acknowledged waits in it for whoever has the next turn.
  await manager.streams.add({ name: "IN", subjects: ["p.>"], retention: RetentionPolicy.Workqueue });
  const sites = new Map(["a", "b"].map((name) => [name, new Site(folder, name)]));
  const begin = (name: string): void => {
    const options = ["--desired", "default", "--nats", server.url, "--host", name];
    sites
      .get(name)!
      .supervise(...options)
      .stderr?.resume();
  };
  const centre = new Site(folder, "centre");
  for (const site of [centre, ...sites.values()]) stops.unshift(() => site.kill());
  writeFileSync(join(centre.folder, "policy.yaml"), "lost_after: 16s\nallow: [{}]\n");
  writeFileSync(join(centre.folder, "share.yaml"), pipeline);
  centre.spawn("control", "--policy", "policy.yaml", "--nats", server.url).stderr?.resume();
  for (const name of sites.keys()) begin(name);
  const [registry, desired] = [await DeviceBucket.open(link), await DesiredBucket.open(link)];
  await until(async () => (await registry.all()).length === 2);
  expect(await centre.weir("apply", "share.yaml", "--fleet", "--nats", server.url)).toMatchObject({
    code: 0,
  });
  /** By host, how many partitions are its own. */
  const shares = async (): Promise<Record<string, number>> => {
    const counts: Record<string, number> = {};
    for (const { owner } of (await desired.all()).owners.values())
      if (owner.host !== null) counts[owner.host] = (counts[owner.host] ?? 0) + 1;
    return counts;
  };
  const shared = async (counts: Record<string, number>): Promise<void> => {
    await until(async () => isDeepStrictEqual(await shares(), counts));
    // Each runs where it is to, and what was published until now has gone through.
    const goal = sent;
    await until(async () => {
      const { state } = await manager.streams.info("OUT").catch(() => ({ state: { messages: 0 } }));
      return state.messages > 0 && (await rowsIn(manager)).filter(({ n }) => n === goal).length === sensors;
    });
  };
  let sent = 0;
  const end = wallClock.every(20, () => {
    sent++;
    for (let sensor = 0; sensor < sensors; sensor++)
      link.nats.publish(`s.s${sensor}`, JSON.stringify({ n: sent }));
  });
  stops.unshift(end);
  await shared({ a: 2, b: 2 });
  await until(async () => (await registry.all()).every(({ device }) => device.runs.length === 2));
  const { stdout } = await centre.weir("devices", "--runs", "share", "--nats", server.url);
  expect(stdout).toMatch(
    /^a +connected +\S+ +share~\d share~\d .*\nb +connected +\S+ +share~\d share~\d .*\n$/m,
  );

  await centre.weir("drain", "--host", "a", "--nats", server.url);
  await shared({ b: 4 });
  await centre.weir("drain", "--host", "a", "--undo", "--nats", server.url);
  // What runs is not moved because there is room elsewhere again.
  await sleep(wallClock, 3_000);
  expect(await shares()).toEqual({ b: 4 });

  const moved = await centre.weir("move", "share", "--spread", "--nats", server.url);
  expect(moved).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^(share~\d goes from b to a\n){2}$/),
  });
  await shared({ b: 2, a: 2 });
  const spread = sent;
  sites.get("b")!.kill();
  await shared({ a: 4 });
  begin("b");
  await sleep(wallClock, 5_000);
  end();
  await link.nats.flush();
  const last = sent;
  await until(async () => (await rowsIn(manager)).filter(({ n }) => n === last).length === sensors);

  const rows = await rowsIn(manager);
  for (let sensor = 0; sensor < sensors; sensor++) {
    const own = rows.filter((row) => row.sensor === `s${sensor}`);
    expect(new Set(own.map(({ partition }) => partition)).size).toBe(1);
    // Neither twice nor out of order, and of the turns none behind the next.
    expect(own.map(({ n }) => n)).toEqual([...new Set(own.map(({ n }) => n))].sort((x, y) => x - y));
    expect(own.map(({ term }) => term)).toEqual(own.map(({ term }) => term).sort((x, y) => x - y));
    // A host that can be heard sends what it has before it lets go.
    expect(own.filter(({ n }) => n <= spread)).toHaveLength(spread);
  }
});
