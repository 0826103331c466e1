// A fleet as real processes: two devices with a nats-server each, a cloud, and a control centre. One device is cut off, another
// takes its turn, and the first comes back with what it made meanwhile.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { jetstreamManager } from "@nats-io/jetstream";
import { afterAll, afterEach, expect, test } from "vitest";
import { sleep, wallClock } from "../clock.ts";
import { silentLog } from "../connect/connector-log.ts";
import { connectNats, type NatsLink } from "../connect/nats-connection.ts";
import { type RunningNatsServer, startNatsServer } from "../connect/nats-server.ts";
import { askService } from "../connect/service.ts";
import { DesiredBucket } from "../supervisor/desired-bucket.ts";
import { DeviceBucket } from "../supervisor/device-bucket.ts";
import { byCable, byNamespace, hasNamespaces, type MakeWay, type Way } from "./fleet-ways.fixture.ts";
import { Site } from "./site.fixture.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-fl-"));
const stops: (() => Promise<void> | void)[] = [];
let cloud: RunningNatsServer;
let link: NatsLink;

async function serverOf(name: string): Promise<{ server: RunningNatsServer; link: NatsLink }> {
  const server = await startNatsServer({ name: `weir-fleet-${name}` }, process.env);
  const opened = await connectNats({ name: "test", servers: server.url }, silentLog);
  stops.push(
    () => opened.close(),
    () => server.stop(),
  );
  return { server, link: opened };
}

afterAll(() => {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

/** A device with its own server, whose way to the cloud can be cut. */
interface Gateway {
  readonly site: Site;
  readonly edge: NatsLink;
  readonly way: Way;
}

let made = 0;

async function gateway(name: string, folderOf: string, by: MakeWay): Promise<Gateway> {
  const { server, link: edge } = await serverOf(name);
  const manager = await jetstreamManager(edge.nats, { checkAPI: false });
  await manager.streams.add({ name: "SENSORS", subjects: ["sensors.>"] });
  const way = await by(made++, portOf(cloud), portOf(server));
  const site = new Site(folderOf, name, way.through);
  writeFileSync(
    join(site.folder, "weir.yaml"),
    `host: ${name}\ndevice: { location: hall ${name}, labels: { site: hall }, subjects: ["sensors.>"] }\n`,
  );
  site.supervise("--desired", "cloud", "--nats", way.edge, "--nats", `cloud=${way.cloud}`);
  stops.unshift(
    () => site.kill(),
    () => way.close(),
  );
  return { site, edge, way };
}

function portOf({ url }: RunningNatsServer): number {
  return Number(new URL(url).port);
}

const pipeline = `name: forward
source: { nats: { subject: sensors.n, stream: SENSORS }, format: json, schema: { n: float64 } }
steps:
  - sink: { nats: { to: cloud, subject: fleet.rows, stream: ROWS }, format: json }
placement: { labels: { site: hall } }
`;

interface CloudRow {
  readonly n: number;
  readonly term: number;
}

/** The rows that the cloud has, in their order. */
async function rowsInCloud(): Promise<CloudRow[]> {
  const manager = await jetstreamManager(link.nats, { checkAPI: false });
  const { state } = await manager.streams.info("ROWS");
  const rows: CloudRow[] = [];
  for (let sequence = 1; sequence <= state.last_seq; sequence++) {
    const message = await manager.streams.getMessage("ROWS", { seq: sequence });
    if (message?.subject === "fleet.rows")
      rows.push({ n: message.json<{ n: number }>().n, term: Number(message.header.get("Weir-Term")) });
  }
  return rows;
}

async function lastRow(): Promise<CloudRow> {
  const manager = await jetstreamManager(link.nats, { checkAPI: false });
  const message = await manager.streams.getMessage("ROWS", { last_by_subj: "fleet.rows" });
  return { n: message!.json<{ n: number }>().n, term: Number(message!.header.get("Weir-Term")) };
}

/** As many numbers from `first` on. */
function following(first: number, numbers: readonly number[]): number[] {
  return numbers.map((_, place) => first + place);
}

/** What waits in a state folder of a site for ever. */
async function keptIn(site: Site, folderOf: string): Promise<number[]> {
  const { stdout } = await site.weir("outbox", "export", join(site.state, "data", folderOf));
  const lines = stdout.split("\n").filter((line) => line !== "");
  return lines.map(
    (line) => (JSON.parse((JSON.parse(line) as { payload: string }).payload) as { n: number }).n,
  );
}

async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await condition())) await sleep(wallClock, 100);
}

/** Numbered readings that both gateways hear. */
class Sensors {
  sent = 0;
  readonly #end: () => void;

  constructor(gateways: readonly Gateway[]) {
    this.#end = wallClock.every(20, () => {
      const reading = JSON.stringify({ n: this.sent++ });
      for (const { edge } of gateways) edge.nats.publish("sensors.n", reading);
    });
  }

  async past(count: number): Promise<void> {
    await until(() => this.sent > count);
  }

  end(): void {
    this.#end();
  }
}

async function lostAndBack(by: MakeWay): Promise<void> {
  ({ server: cloud, link } = await serverOf("cloud"));
  const here = mkdtempSync(join(folder, "f-"));
  const [north, south] = [await gateway("north", here, by), await gateway("south", here, by)];
  const centre = new Site(here, "centre");
  writeFileSync(join(centre.folder, "policy.yaml"), "lost_after: 20s\nallow: [{ users: [ada] }]\n");
  writeFileSync(join(centre.folder, "forward.yaml"), pipeline);
  const two = [1, 2].map(() => centre.spawn("control", "--policy", "policy.yaml", "--nats", cloud.url));
  stops.unshift(() => centre.kill());
  for (const each of two) each.stderr?.resume();
  const registry = await DeviceBucket.open(link);
  const desired = await DesiredBucket.open(link);
  await until(async () => (await registry.all()).length === 2);
  const sensors = new Sensors([north, south]);
  stops.unshift(() => sensors.end());
  const applied = await centre.weir("apply", "forward.yaml", "--fleet", "--nats", cloud.url);
  expect(applied).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\+ forward [0-9a-f]{12}\n$/) });
  expect((await centre.weir("devices", "--nats", cloud.url)).stdout).toMatch(
    /^north +\w+ .* site=hall +hall north$/m,
  );
  const eves = ["deploy", "forward.yaml", "--device", "south", "--user", "eve"];
  expect(await centre.weir(...eves, "--nats", cloud.url)).toMatchObject({
    code: 77,
    stderr: expect.stringContaining("user eve may deploy nothing"),
  });
  const owner = async (): Promise<unknown> => (await desired.all()).owners.get("forward")?.owner;
  const manager = await jetstreamManager(link.nats, { checkAPI: false });
  const flowing = async (): Promise<number> => {
    const info = await manager.streams.info("ROWS").catch(() => null);
    return info?.state.messages ?? 0;
  };
  await until(async () => (await flowing()) > 20);
  expect(await owner()).toMatchObject({ host: "north", term: 1, before: null, reason: "it is new" });

  north.way.cut();
  await until(async () => ((await owner()) as { host: string }).host === "south");
  expect(await owner()).toMatchObject({ term: 2, before: "north", reason: "host north is lost" });
  const before = await flowing();
  await until(async () => (await flowing()) > before + 20);
  // What north makes meanwhile waits for a cloud that it cannot reach; that it runs on is what the edge is for.
  const alone = await askService(north.edge, "weir.device.north.status", null);
  expect(alone).toMatchObject({ host: "north", pipelines: [{ name: "forward", state: "running" }] });
  const asked = {
    pipeline: pipeline.replace("forward", "extra").replaceAll(/fleet.rows|ROWS/g, "EXTRA"),
  };
  expect(await askService(north.edge, "weir.device.north.deploy.ada", asked)).toMatchObject({
    state: "waiting",
    waits_for: expect.stringContaining("control centre"),
  });

  north.way.mend();
  const runsOn = async (id: string): Promise<readonly string[]> =>
    (await registry.all()).find(({ device }) => device.id === id)?.device.runs ?? [];
  // What waited is confirmed and run; what is another's is not any more.
  await until(async () => {
    const runs = await runsOn("north");
    return runs.includes("extra") && !runs.includes("forward");
  });

  // Told to let go, south sends what it has first; north gets the pipeline again, and what it kept is put aside.
  await centre.weir("drain", "--host", "south", "--nats", cloud.url);
  await until(async () => (await lastRow()).term === 3);
  expect(await owner()).toMatchObject({ host: "north", before: "south", reason: "host south is drained" });
  sensors.end();
  await until(async () => (await lastRow()).n === sensors.sent - 1);
  const rows = await rowsInCloud();
  const [first, second, third] = [1, 2, 3].map((term) =>
    rows.filter((row) => row.term === term).map(({ n }) => n),
  ) as [number[], number[], number[]];
  expect([...first, ...second, ...third]).toEqual(rows.map(({ n }) => n));
  for (const numbers of [first, second, third]) expect(numbers).toEqual(following(numbers[0]!, numbers));
  expect(first[0]).toBe(0);
  expect(second[0]).toBeGreaterThan(first.at(-1)!);
  expect(third[0]).toBeGreaterThan(second.at(-1)!);

  // What the cloud has of neither is on north's disk.
  const kept = await keptIn(north.site, join("handed-over", "forward.1"));
  expect(kept).toEqual(following(kept[0]!, kept));
  expect(kept[0]).toBeLessThanOrEqual(first.length);
  expect(kept.at(-1)).toBeGreaterThanOrEqual(second[0]! - 1);
  // That the last ones arrived, south did not write down any more.
  expect(second).toEqual(expect.arrayContaining(await keptIn(south.site, "forward")));
}

afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

// The harder of the two where this machine allows it.
const [way, how] = hasNamespaces()
  ? ([byNamespace, "a network of its own that goes dead"] as const)
  : ([byCable, "a cable that is cut"] as const);

test(
  `a device that is lost is replaced, and what it brings along is sent by nobody twice: ${how}`,
  {
    timeout: 900_000,
  },
  () => lostAndBack(way),
);
