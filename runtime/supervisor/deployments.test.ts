// The sequence user → device → control centre → device on a real nats-server: confirmed, refused, waiting, removed.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { wallClock } from "../clock.ts";
import { silentLog } from "../connect/connector-log.ts";
import { connectNats, type NatsLink } from "../connect/nats-connection.ts";
import { type RunningNatsServer, startNatsServer } from "../connect/nats-server.ts";
import { ControlCentre } from "./control-centre.ts";
import { openPolicy } from "./control-policy.ts";
import { Deployments } from "./deployments.ts";
import { DesiredBucket } from "./desired-bucket.ts";
import { DeviceBucket } from "./device-bucket.ts";
import { SupervisorFiles } from "./supervisor-files.ts";
import { wantedPipeline } from "./wanted.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-deployments-"));
const log = { ...silentLog, error: () => undefined };
let server: RunningNatsServer;
let link: NatsLink;

beforeAll(async () => {
  server = await startNatsServer({ name: "weir-deployments-test" }, process.env);
  link = await connectNats({ name: "test", servers: server.url }, silentLog);
});

afterAll(async () => {
  await link?.close();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const text = (name: string): string => `name: ${name}\nsource: { nats: { subject: a.b }, format: json }\n`;

test("what is confirmed is wanted, what is refused is not, and what cannot be asked waits on the disk", async () => {
  const files = new SupervisorFiles(folder);
  files.open();
  const told: string[] = [];
  let opened: NatsLink | null = null;
  const open = (): Deployments =>
    new Deployments({
      host: "gateway",
      link: () => opened,
      fileOf: (name) => join(folder, `${name}.yaml`),
      files,
      tell: (what, name) => void told.push(`${what} ${name}`),
      refusalOf: () => null,
      log,
    });
  const offline = open();
  expect(await offline.deploy({ pipeline: text("early") }, "ada")).toMatchObject({
    state: "waiting",
    name: "early",
    waits_for: expect.stringContaining("not connected"),
  });
  await offline.deploy({ pipeline: text("early") }, "ada");
  await offline.deploy({ pipeline: text("never") }, "eve");
  const deployments = open();
  expect(deployments.waiting).toEqual([
    { name: "early", user: "ada" },
    { name: "never", user: "eve" },
  ]);

  await offline.deploy({ pipeline: text("gone") }, "ada");
  const notKept = {
    code: "WEIR_NATS_UNAVAILABLE",
    remedy: expect.stringMatching(/^ask again .* is not kept$/),
  };
  await expect(offline.remove({ pipeline: "gone" }, "ada")).rejects.toMatchObject({
    ...notKept,
    message: expect.stringMatching(
      /^gone does not wait to be deployed any more, and what runs is not removed/,
    ),
  });
  await expect(offline.remove({ pipeline: "gone" }, "ada")).rejects.toMatchObject({
    ...notKept,
    message: expect.stringMatching(/^what runs is not removed: this device is not connected/),
  });
  expect(offline.waiting.map(({ name }) => name)).toEqual(["early", "never"]);

  opened = link;
  expect(await deployments.deploy({ pipeline: text("late") }, "ada")).toMatchObject({
    state: "waiting",
    waits_for: expect.stringContaining("nobody answers"),
  });
  const policy = { ...openPolicy, allow: [{ users: ["ada"] }] };
  const centre = await ControlCentre.open({ link, policy, id: "c", version: "1", clock: wallClock, log });
  centre.start();
  const capacity = { cpu: 1, memory: 2 ** 30, workers: 1 };
  const described = {
    location: "",
    labels: {},
    subjects: [],
    runs: [],
    revision: "1",
    since: "",
    last_contact: "",
  };
  await (await DeviceBucket.open(link)).tell({ id: "gateway", capacity, ...described });
  await deployments.retry();
  expect([deployments.waiting, told]).toEqual([[], ["deployed early", "refused never", "deployed late"]]);
  const bucket = await DesiredBucket.open(link);
  const wanted = async (): Promise<string[]> => [...(await bucket.read("gateway")).pipelines.keys()].sort();
  expect(await wanted()).toEqual(["early", "late"]);
  expect((await bucket.read("gateway")).state).toEqual({ drain: false });

  await expect(deployments.deploy({ pipeline: text("other") }, "eve")).rejects.toMatchObject({
    code: "WEIR_REFUSED",
    message: "the control centre refuses: user eve may deploy nothing",
  });
  await expect(deployments.deploy({ pipeline: "name: [" }, "ada")).rejects.toMatchObject({
    code: "WEIR_CONFIG",
  });
  await expect(deployments.deploy({ text: "x" }, "ada")).rejects.toMatchObject({ code: "WEIR_USAGE" });
  const heavy = `${text("heavy")}placement: { processors: 2 }\n`;
  await expect(deployments.deploy({ pipeline: heavy }, "ada")).rejects.toMatchObject({
    message: "the control centre refuses: gateway has no room for heavy",
  });
  expect(await deployments.remove({ pipeline: "late" }, "ada")).toEqual({
    state: "removed",
    name: "late",
  });
  await expect(deployments.remove({ pipeline: "late" }, "ada")).rejects.toMatchObject({
    code: "WEIR_USAGE",
  });
  await bucket.put("gateway", wantedPipeline("placed.yaml", text("placed"), { term: 1 }), null);
  await expect(deployments.deploy({ pipeline: text("placed") }, "ada")).rejects.toMatchObject({
    message: expect.stringContaining("is placed by the control centre"),
  });
  await centre.close();
});

test("who may not deploy a pipeline takes away no wish of another for it that waits", async () => {
  const files = new SupervisorFiles(mkdtempSync(join(folder, "wishes-")));
  files.open();
  let opened: NatsLink | null = null;
  const told: string[] = [];
  const deployments = new Deployments({
    host: "gateway",
    link: () => opened,
    fileOf: (name) => join(folder, `${name}.yaml`),
    files,
    tell: (what, _name, reason) => void told.push(`${what}: ${reason}`),
    refusalOf: () => null,
    log,
  });
  const wishes = (): readonly string[] => deployments.waiting.map(({ name, user }) => `${user}: ${name}`);
  const later = `${text("yard")}# later\n`;
  await deployments.deploy({ pipeline: text("yard") }, "ada");
  await deployments.deploy({ pipeline: text("yard") }, "eve");
  await expect(deployments.remove({ pipeline: "yard" }, "mallory")).rejects.toThrow(/^what runs is not/);
  await deployments.deploy({ pipeline: later }, "ada");
  expect(wishes()).toEqual(["eve: yard", "ada: yard"]);

  const policy = { ...openPolicy, allow: [{ users: ["ada"] }] };
  const centre = await ControlCentre.open({ link, policy, id: "y", version: "1", clock: wallClock, log });
  centre.start();
  const capacity = { cpu: 1, memory: 2 ** 30, workers: 1 };
  const described = { location: "", labels: {}, subjects: [], runs: [], revision: "1" };
  const devices = await DeviceBucket.open(link);
  await devices.tell({ id: "gateway", capacity, ...described, since: "", last_contact: "" });
  opened = link;
  await expect(deployments.deploy({ pipeline: text("yard") }, "eve")).rejects.toThrow(
    /eve may deploy nothing/,
  );
  await expect(deployments.remove({ pipeline: "yard" }, "eve")).rejects.toThrow(/eve may deploy nothing/);
  expect(wishes()).toEqual(["ada: yard"]);
  await deployments.retry();
  const { pipelines } = await (await DesiredBucket.open(link)).read("gateway");
  expect([pipelines.get("yard")?.pipeline.text, wishes()]).toEqual([later, []]);
  expect(told).toEqual([expect.stringMatching(/^deployed: revision \w+ by ada$/)]);
  await centre.close();
});

test("what waits because of its name is said once by the control centre, and not at each look", async () => {
  const said: string[] = [];
  const noting = { ...log, warn: (line: string) => void said.push(line) };
  const bucket = await DesiredBucket.open(link);
  for (const name of ["one", "two"]) {
    await bucket.put("gateway", wantedPipeline(`${name}.yaml`, text(name)), null);
    await bucket.put("fleet", wantedPipeline(`${name}.yaml`, text(name)), null);
  }
  const centre = await ControlCentre.open({
    link,
    policy: openPolicy,
    id: "c",
    version: "1",
    clock: wallClock,
    log: noting,
  });
  for (let look = 0; look < 3; look++) {
    centre.look();
    await centre.close();
  }
  const waits = (name: string): string => `${name} waits: gateway is to run a pipeline of that name already`;
  expect(said).toEqual([`${waits("one")}; ${waits("two")}`]);
});
