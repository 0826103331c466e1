// What a pipeline keeps goes along from host to host, as real processes: windows that are open when it is moved close on the next
// host with all their records, each once, whoever is killed on the way.

import type { ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type JetStreamManager, jetstreamManager, RetentionPolicy } from "@nats-io/jetstream";
import { afterAll, expect, test } from "vitest";
import { sleep, wallClock } from "../clock.ts";
import { silentLog } from "../connect/connector-log.ts";
import { connectNats } from "../connect/nats-connection.ts";
import { startNatsServer } from "../connect/nats-server.ts";
import { DesiredBucket } from "../supervisor/desired-bucket.ts";
import { DeviceBucket } from "../supervisor/device-bucket.ts";
import { Site } from "./site.fixture.ts";

const sensors = 4;
const size = 100;
const folder = mkdtempSync(join(tmpdir(), "weir-cs-"));
const stops: (() => Promise<void> | void)[] = [];

afterAll(async () => {
  for (const stop of stops) await stop();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

function pipeline(name: string): string {
  return `name: ${name}
placement: { carry_state: true }
source: { nats: { subject: "${name}.{sensor}", stream: ${name}-in }, format: json, schema: { n: float64 } }
steps:
  - window: { count: { n: ${size} }, by: sensor, select: { from: first(n), to: last(n), count: count() } }
  - sink: { nats: { subject: "${name}-out.{sensor}", stream: ${name}-out }, format: json }
`;
}

interface Row {
  readonly from: number;
  readonly to: number;
  readonly count: number;
}

/** By sensor, the rows of a stream in its order. */
async function rowsIn(manager: JetStreamManager, name: string): Promise<ReadonlyMap<string, readonly Row[]>> {
  const found = new Map<string, Row[]>();
  const { state } = await manager.streams.info(`${name}-out`);
  for (let seq = 1; seq <= state.last_seq; seq++) {
    const message = await manager.streams.getMessage(`${name}-out`, { seq });
    if (message === null || message.data.length === 0) continue;
    const sensor = message.subject.slice(`${name}-out.`.length);
    const { from, to, count } = message.json<Row>();
    found.set(sensor, [...(found.get(sensor) ?? []), { from, to, count }]);
  }
  return found;
}

async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await condition())) await sleep(wallClock, 100);
}

test("open windows go along, and every record is counted once", { timeout: 300_000 }, async () => {
  const server = await startNatsServer({ name: "weir-carried-state" }, process.env);
  const link = await connectNats({ name: "test", servers: server.url }, silentLog);
  stops.push(
    () => link.close(),
    () => server.stop(),
  );
  const manager = await jetstreamManager(link.nats, { checkAPI: false });
  const names = ["looked", "queued"];
  const queued = { retention: RetentionPolicy.Workqueue };
  for (const name of names)
    await manager.streams.add({
      name: `${name}-in`,
      subjects: [`${name}.>`],
      ...(name === "queued" ? queued : {}),
    });
  const sites = new Map(["a", "b"].map((name) => [name, new Site(folder, name)]));
  const supervisors = new Map<Site, ChildProcess>();
  const begin = (name: string): void => {
    const site = sites.get(name)!;
    const options = ["--desired", "default", "--nats", server.url, "--host", name];
    const supervisor = site.supervise(...options);
    supervisor.stderr?.resume();
    supervisors.set(site, supervisor);
  };
  const centre = new Site(folder, "centre");
  for (const site of [centre, ...sites.values()]) stops.unshift(() => site.kill());
  writeFileSync(join(centre.folder, "policy.yaml"), "lost_after: 60s\nallow: [{}]\n");
  for (const name of names) writeFileSync(join(centre.folder, `${name}.yaml`), pipeline(name));
  centre.spawn("control", "--policy", "policy.yaml", "--nats", server.url).stderr?.resume();
  for (const name of sites.keys()) begin(name);
  const [registry, desired] = [await DeviceBucket.open(link), await DesiredBucket.open(link)];
  await until(async () => (await registry.all()).length === 2);
  for (const name of names)
    expect(await centre.weir("apply", `${name}.yaml`, "--fleet", "--nats", server.url)).toMatchObject({
      code: 0,
    });
  let sent = 0;
  const end = wallClock.every(10, () => {
    sent++;
    for (const name of names)
      for (let sensor = 0; sensor < sensors; sensor++)
        link.nats.publish(`${name}.s${sensor}`, JSON.stringify({ n: sent }));
  });
  stops.unshift(end);
  const owner = async (name: string): Promise<string | null> =>
    (await desired.all()).owners.get(name)?.owner.host ?? null;
  /** It runs, and has come as far as what is published now. */
  const runs = async (name: string): Promise<void> => {
    const goal = Math.max(size, sent - (sent % size) - size);
    await until(async () => {
      const rows = await rowsIn(manager, name).catch(() => new Map<string, Row[]>());
      return rows.size === sensors && [...rows.values()].every((each) => (each.at(-1)?.to ?? 0) >= goal);
    });
  };
  const move = async (name: string, from: string): Promise<void> => {
    const to = from === "a" ? "b" : "a";
    expect(await centre.weir("move", name, "--host", to, "--nats", server.url)).toMatchObject({ code: 0 });
  };
  /** What is killed on the host that is left, right after the move was asked for. */
  const kills: readonly ((host: Site) => void)[] = [
    () => undefined,
    (host) => supervisors.get(host)?.kill("SIGKILL"),
    (host) => host.kill(),
  ];
  for (const kill of kills) {
    for (const name of names) {
      await runs(name);
      const from = (await owner(name))!;
      await move(name, from);
      kill(sites.get(from)!);
      if (kill !== kills[0]) begin(from);
    }
  }
  for (const name of names) await runs(name);
  end();
  const last = sent - (sent % size);
  for (const name of names) {
    await until(async () =>
      [...(await rowsIn(manager, name)).values()].every((each) => (each.at(-1)?.to ?? 0) > last - size),
    );
    const wanted = Array.from({ length: last / size }, (_, place) => ({
      from: place * size + 1,
      to: (place + 1) * size,
      count: size,
    }));
    for (const rows of (await rowsIn(manager, name)).values()) expect(rows).toEqual(wanted);
  }
});
