// A signature goes along with its text on every way to a device: through the fleet and its control centre, and by a user who asks
// the device, which refuses at once what it does not trust, and looks again at what has waited on its disk.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { sleep, wallClock } from "../clock.ts";
import { silentLog } from "../connect/connector-log.ts";
import { connectNats, type NatsLink } from "../connect/nats-connection.ts";
import { type RunningNatsServer, startNatsServer } from "../connect/nats-server.ts";
import { ControlCentre } from "./control-centre.ts";
import { fleet } from "./control-subjects.ts";
import { openPolicy } from "./control-policy.ts";
import { Deployments } from "./deployments.ts";
import { DesiredBucket, replaceable } from "./desired-bucket.ts";
import { DeviceBucket } from "./device-bucket.ts";
import { Gate } from "./gate.ts";
import { KeptWrites } from "./kept-writes.ts";
import { signatureFor, signedPipeline, testKey, trusting } from "./signing.fixture.ts";
import { SupervisorFiles } from "./supervisor-files.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-signed-ways-"));
const log = { ...silentLog, error: () => undefined };
const [key, stranger] = [testKey(), testKey()];
let server: RunningNatsServer;
let link: NatsLink;
let bucket: DesiredBucket;
let centre: ControlCentre;

beforeAll(async () => {
  server = await startNatsServer({ name: "weir-signed-ways" }, process.env);
  link = await connectNats({ name: "test", servers: server.url }, silentLog);
  bucket = await DesiredBucket.open(link);
  const registry = await DeviceBucket.open(link);
  const capacity = { cpu: 1, memory: 2 ** 30, workers: 1 };
  const nothing = {
    location: "",
    labels: {},
    subjects: [],
    runs: [],
    revision: "1",
    since: "",
    last_contact: "",
  };
  await registry.tell({ id: "gateway", capacity, ...nothing });
  centre = await ControlCentre.open({
    link,
    policy: openPolicy,
    id: "c",
    version: "1",
    clock: wallClock,
    log,
  });
  centre.start();
});

afterAll(async () => {
  await centre?.close();
  await link?.close();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const text = (name: string): string => `name: ${name}\nsource: { nats: { subject: a.b }, format: json }\n`;

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(wallClock, 50);
}

test("through the fleet, and again where only the signature is another one", async () => {
  for (const signed of ["2026-01-01T00:00:00.000Z", "2026-01-02T00:00:00.000Z"]) {
    const pipeline = signedPipeline(text("placed"), key, { signed });
    await bucket.put(fleet, pipeline, replaceable(await bucket.read(fleet), "placed"));
    centre.look();
    await until(async () => {
      const entry = (await bucket.read("gateway")).pipelines.get("placed");
      expect([undefined, 1]).toContain(entry?.pipeline.term);
      return JSON.stringify(entry?.pipeline.signature) === JSON.stringify(pipeline.signature);
    });
  }
});

test("by a user: carried along, refused at once, and looked at again after it has waited", async () => {
  const files = new SupervisorFiles(join(folder, "s"));
  files.open();
  const writes = new KeptWrites(log);
  const gate = new Gate({ host: "gateway", keys: trusting(key), files, writes, clock: wallClock, log });
  const told: string[] = [];
  let opened: NatsLink | null = null;
  const open = (): Deployments =>
    new Deployments({
      host: "gateway",
      link: () => opened,
      fileOf: (name) => join(folder, `${name}.yaml`),
      files,
      tell: (what, name, reason) => void told.push(`${what} ${name}: ${reason}`),
      refusalOf: (pipeline) => gate.refusalOf(pipeline),
      log,
    });
  const request = (name: string, by = key): unknown => ({
    pipeline: text(name),
    signature: signatureFor(text(name), by),
  });
  const offline = open();
  for (const name of ["early", "tampered"])
    expect(await offline.deploy(request(name), "ada")).toMatchObject({ state: "waiting" });
  await expect(offline.deploy({ pipeline: text("unsigned") }, "eve")).rejects.toMatchObject({
    code: "WEIR_REFUSED",
    message: expect.stringMatching(/^gateway refuses unsigned: it is not signed/),
    remedy: expect.stringContaining("weir sign"),
  });
  await expect(offline.deploy(request("strange", stranger), "eve")).rejects.toMatchObject({
    code: "WEIR_REFUSED",
  });
  const path = join(files.folder, "waiting.json");
  writeFileSync(
    path,
    readFileSync(path, "utf8").replace("name: tampered\\nsource", "name: tampered\\n\\nsource"),
  );
  opened = link;
  const deployments = open();
  await deployments.retry();
  expect([deployments.waiting, told]).toEqual([
    [],
    [
      expect.stringMatching(/^deployed early/),
      expect.stringMatching(/^refused tampered: gateway refuses tampered: its text is not what was signed/),
    ],
  ]);
  await deployments.deploy(request("late"), "ada");
  const { pipelines } = await bucket.read("gateway");
  expect(pipelines.has("tampered")).toBe(false);
  for (const name of ["early", "late"]) expect(gate.refusalOf(pipelines.get(name)!.pipeline)).toBeNull();
});
