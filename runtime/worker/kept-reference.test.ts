// A table of a bucket whose server is away: a worker with a state folder starts with what it read last, and takes up what is
// newer once it can ask.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Kvm } from "@nats-io/kv";
import { afterAll, beforeAll, expect, it } from "vitest";
import { sleep, wallClock } from "../clock.ts";
import type { ReferenceContent } from "../codec/reference/content.ts";
import { silentLog } from "../connect/connector-log.ts";
import { connectNats, type NatsLink } from "../connect/nats-connection.ts";
import { type RunningNatsServer, startNatsServer } from "../connect/nats-server.ts";
import type { ReferenceWatch } from "../connect/reference.ts";
import { loadInput, readInput } from "../engine/loader.ts";
import { WeirError } from "../errors.ts";
import { keptReference } from "./kept-reference.ts";
import { defaultSettings, withConnections } from "./settings.ts";
import { Worker } from "./worker.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-kept-reference-test-"));
const lines: string[] = [];
const log = { ...silentLog, warn: (line: string) => void lines.push(line), error: () => undefined };
let edge: RunningNatsServer;
let link: NatsLink;

beforeAll(async () => {
  edge = await startNatsServer({ name: "weir-kept-reference-edge" }, process.env);
  link = await connectNats({ name: "test", servers: edge.url }, silentLog);
});

afterAll(async () => {
  await link?.close();
  await edge?.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(wallClock, 10);
}

const file = join(folder, "sites.yaml");
writeFileSync(
  file,
  `name: sites
source: { nats: { subject: readings }, format: json, schema: { device: string } }
steps:
  - lookup: { table: { kv: { bucket: devices, to: cloud } }, on: device, add: { site: string } }
  - sink: { nats: { subject: rows }, format: json }
`,
);

/** A worker with the same state folder each time. */
async function start(cloud: string): Promise<Worker> {
  const loaded = await loadInput(readInput(file, {}), file);
  expect(loaded.diagnostics).toEqual([]);
  const worker = new Worker({
    settings: {
      ...withConnections(defaultSettings({}), [edge.url, `cloud=${cloud}`]),
      state: join(folder, "state"),
      threads: 0,
    },
    clock: wallClock,
    log,
    identity: "test",
  });
  await worker.open([loaded]);
  worker.run().catch(() => undefined);
  return worker;
}

it("a start while the server of a bucket is away goes on with what was read last", async () => {
  const storeDir = join(folder, "cloud");
  let cloud = await startNatsServer({ name: "weir-kept-reference-cloud", storeDir }, process.env);
  const { port } = cloud;
  const away = await connectNats({ name: "cloud", servers: cloud.url }, silentLog);
  const store = await new Kvm(away.nats).create("devices");
  await store.put("r1", '{"site":"north"}');
  const rows: unknown[] = [];
  link.nats.subscribe("rows", {
    callback: (_error, message) => void rows.push((message.json() as { site: string }).site),
  });
  const first = await start(cloud.url);
  await first.close();
  await cloud.stop();

  const second = await start(cloud.url);
  expect(lines).toContain(
    "table cloud/devices: its bucket does not answer; going on with the 1 entries that were read last",
  );
  link.nats.publish("readings", '{"device":"r1"}');
  await until(() => rows.length === 1);
  cloud = await startNatsServer({ name: "weir-kept-reference-cloud", storeDir, port }, process.env);
  const put = (): Promise<boolean> =>
    store.put("r1", '{"site":"south"}').then(
      () => true,
      () => false,
    );
  while (!(await put())) await sleep(wallClock, 50);
  await until(() => second.status()[0]!.pipeline.references[0]!.loads > 1);
  while (rows.at(-1) !== "south") {
    link.nats.publish("readings", '{"device":"r1"}');
    await sleep(wallClock, 50);
  }
  expect(rows[0]).toBe("north");
  await second.close();
  await away.close();
  await cloud.stop();
});

const entries = (site: string): ReferenceContent => ({
  kind: "entries",
  name: "t",
  entries: [{ key: 'a"ä', value: new TextEncoder().encode(`{"site":"${site}"}`) }],
});

function watchOf(content: Promise<ReferenceContent>): ReferenceWatch {
  return { load: () => content, watch: () => undefined, close: () => Promise.resolve() };
}

const never = new Promise<never>(() => undefined);

function referenceIn(path: string, open: () => Promise<ReferenceWatch>): ReferenceWatch {
  return keptReference({ open, file: path, name: "t", clock: wallClock, log });
}

it("what is kept is what was read, byte by byte, and the newest", async () => {
  const path = join(folder, "newest");
  const changes: ((content: ReferenceContent) => void)[] = [];
  const open = (): Promise<ReferenceWatch> =>
    Promise.resolve({
      ...watchOf(Promise.resolve(entries("north"))),
      watch: (told) => void changes.push(told),
    });
  const before = referenceIn(path, open);
  expect(await before.load()).toEqual(entries("north"));
  for (const site of ["east", "west"]) changes[0]!(entries(site));
  await before.close();
  expect(await referenceIn(path, () => never).load()).toEqual(entries("west"));
});

it("what is damaged is not used", async () => {
  const path = join(folder, "damaged");
  const before = referenceIn(path, () => Promise.resolve(watchOf(Promise.resolve(entries("north")))));
  await before.load();
  await before.close();
  const bytes = readFileSync(path);
  for (let at = 0; at < bytes.length; at++) {
    const flipped = Buffer.from(bytes);
    flipped[at]! ^= 0x20;
    writeFileSync(path, flipped);
    const newer = Promise.resolve(watchOf(Promise.resolve(entries("new"))));
    const after = referenceIn(path, () => newer);
    expect(await after.load()).toEqual(entries("new"));
    await after.close();
  }
});

it("a table that cannot be had at all is refused, whatever is kept", async () => {
  const path = join(folder, "refused");
  const before = referenceIn(path, () => Promise.resolve(watchOf(Promise.resolve(entries("north")))));
  await before.load();
  await before.close();
  const fault = new WeirError("WEIR_CONFIG", "no NATS connection is called mars");
  await expect(referenceIn(path, () => Promise.reject(fault)).load()).rejects.toBe(fault);
  const gone: ReferenceContent = { kind: "unreadable", message: "there is no bucket", remedy: "make it" };
  expect(await referenceIn(path, () => Promise.resolve(watchOf(Promise.resolve(gone)))).load()).toBe(gone);
});

it("a disk that takes nothing keeps no table from being used", async () => {
  const path = join(folder, "nowhere", "table");
  const reference = referenceIn(path, () => Promise.resolve(watchOf(Promise.resolve(entries("north")))));
  expect(await reference.load()).toEqual(entries("north"));
  await reference.close();
  expect(lines.at(-1)).toContain("it is not kept for a start without its server");
});
