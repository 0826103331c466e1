// A device, its control centre and a person, as the users of the shipped configurations and by nothing else: every command of
// a fleet against real servers, until the servers have had nothing to refuse.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type JetStreamManager, jetstreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { apply, drain, plan, rollback } from "../runtime/cli/apply.ts";
import { deploy, devices } from "../runtime/cli/devices.ts";
import { move } from "../runtime/cli/move.ts";
import { Site } from "../runtime/cli/site.fixture.ts";
import { sleep, wallClock } from "../runtime/clock.ts";
import { copyWithPorts, password, secrets, serve, type Served } from "./nats.fixture.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-nf-"));
const sites: Site[] = [];
const servers: Served[] = [];
let cloud: NatsConnection;
let sensor: NatsConnection;
let manager: JetStreamManager;
let ada: Site;
let said = "";
/** Another device of the plant, on the same server there. */
let beginDevice: (name: "gateway-1" | "gateway-2") => void;

/** A folder of somebody whose settings name these connections. */
function siteOf(name: string, settings: string): Site {
  const site = new Site(folder, name);
  writeFileSync(join(site.folder, "weir.yaml"), settings);
  sites.push(site);
  return site;
}

const connection = (name: string, port: number, user: string): string =>
  `  ${name}: { url: "nats://127.0.0.1:${port}", user: ${user}, password: ${password(
    user === "weir" ? "" : `${user.toUpperCase().replace("-", "_")}_`,
  )}${user === "weir" ? "" : `, inbox: _INBOX_${user}`} }\n`;

beforeAll(async () => {
  const hub = await copyWithPorts(folder, "hub");
  const edge = await copyWithPorts(folder, "edge");
  const start = async (file: string, store: string): Promise<void> => {
    servers.push(await serve(file, { WEIR_NATS_STORE: join(folder, store) }));
  };
  await start(join(hub.folder, "hub-one-machine.conf"), "hub-store");
  await start(join(edge.folder, "edge.conf"), "edge-store");
  const [hubPort, edgePort] = [hub.port(4222), edge.port(4222)];
  const login = { servers: `127.0.0.1:${hubPort}`, user: "cloud", pass: password("CLOUD_") };
  cloud = await connect(login);
  manager = await jetstreamManager(cloud);
  await manager.streams.add({ name: "gateway-1", subjects: ["cloud.gateway-1.>", "dlq.gateway-1.>"] });
  await manager.streams.add({ name: "forward", subjects: ["fleet.forward.>", "weir.claim.forward"] });
  await manager.streams.add({ name: "shared", subjects: ["up.fleet.>"] });
  const boiler = { user: "boiler-1", pass: password("BOILER_1_"), inboxPrefix: "_INBOX_boiler-1" };
  sensor = await connect({ servers: `127.0.0.1:${edgePort}`, ...boiler });
  const weir = await connect({ servers: `127.0.0.1:${edgePort}`, user: "weir", pass: password("") });
  await (await jetstreamManager(weir)).streams.add({ name: "SENSORS", subjects: ["sensors.*.totals"] });
  await weir.close();
  const centre = siteOf("centre", `nats:\n${connection("default", hubPort, "control")}`);
  writeFileSync(join(centre.folder, "policy.yaml"), "allow: [{ users: [ada] }]\n");
  const control = centre.spawn("control", "--policy", "policy.yaml", "--log", "text");
  control.stderr?.on("data", (chunk: Buffer) => (said += chunk.toString()));
  while (!(await bucketsAreThere())) await sleep(wallClock, 50);
  beginDevice = (name) => {
    const connections = `${connection("default", edgePort, "weir")}${connection("cloud", hubPort, name)}`;
    const device = siteOf(name, `host: ${name}\nnats:\n${connections}`);
    const supervisor = device.supervise("--desired", "cloud");
    supervisor.stderr?.on("data", (chunk: Buffer) => (said += chunk.toString()));
  };
  beginDevice("gateway-1");
  ada = siteOf("ada", `nats:\n${connection("default", hubPort, "ada")}`);
});

async function bucketsAreThere(): Promise<boolean> {
  const names: string[] = [];
  for await (const name of manager.streams.names()) names.push(name);
  return ["KV_weir_desired", "KV_weir_devices"].every((name) => names.includes(name));
}

afterEach(() => vi.restoreAllMocks());

afterAll(async () => {
  for (const site of sites) site.kill();
  for (const each of [cloud, sensor]) await each?.close();
  for (const server of servers) await server.kill();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

const deliveries: Readonly<Record<string, string>> = {
  "gateway-1": ", delivery: subject",
  shared: ", delivery: lane",
};

/** A pipeline that sends each reading of a sensor on. */
function write(name: string, subject: string, stream: string, journal = false): string {
  const file = join(ada.folder, `${name}.yaml`);
  writeFileSync(
    file,
    `name: ${name}
source: { nats: { subject: "sensors.{sensor}.${name}"${journal ? ", journal: true" : `, stream: SENSORS`} }, format: json }
steps:
  - sink: { nats: { to: cloud, subject: "${subject}", stream: ${stream}${deliveries[stream] ?? ""} }, format: json }
`,
  );
  return file;
}

/** What a command prints; it has to succeed. */
async function printed(command: Promise<number>): Promise<string> {
  let text = "";
  vi.spyOn(process.stdout, "write").mockImplementation((chunk) => {
    text += String(chunk);
    return true;
  });
  expect([await command, text]).toEqual([0, expect.any(String)]);
  return text;
}

async function messagesIn(stream: string, subject: string): Promise<number> {
  const { state } = await manager.streams.info(stream, { subjects_filter: subject });
  return state.subjects?.[subject] ?? 0;
}

async function arrives(reading: string, stream: string, subject: string): Promise<void> {
  while ((await messagesIn(stream, subject)) === 0) await read(reading);
}

async function read(reading: string): Promise<void> {
  sensor.publish(`sensors.boiler-1.${reading}`, '{"n":1}');
  await sleep(wallClock, 50);
}

test("all that a fleet does is allowed, and nothing that a server refuses is tried", {
  timeout: 240_000,
}, async () => {
  const options = { nats: [], config: join(ada.folder, "weir.yaml"), to: "default" };
  const onDevice = { ...options, host: "gateway-1" };
  while (!(await printed(devices(options))).includes("gateway-1")) await sleep(wallClock, 100);

  const climate = write("climate", "cloud.gateway-1.climate", "gateway-1", true);
  expect(await printed(plan([climate], onDevice))).toMatch(/^\+ climate/);
  await printed(apply([climate], onDevice));
  await arrives("climate", "gateway-1", "cloud.gateway-1.climate");

  const extra = write("extra", "cloud.gateway-1.extra", "gateway-1", true);
  expect(await printed(deploy(extra, { ...options, device: "gateway-1" }))).toBe(
    "extra is deployed on gateway-1\n",
  );
  await arrives("extra", "gateway-1", "cloud.gateway-1.extra");
  await expect(deploy(extra, { ...options, device: "gateway-1", user: "eve" })).rejects.toMatchObject({
    code: "WEIR_REFUSED",
    message: "the server does not let this user ask on weir.device.gateway-1.deploy.eve",
  });
  const removed = deploy("extra", { ...options, device: "gateway-1", remove: true });
  expect(await printed(removed)).toBe("extra is removed from gateway-1\n");

  const forward = write("forward", "fleet.forward.{sensor}", "forward", true);
  await printed(apply([forward], { ...options, fleet: true }));
  await arrives("forward", "forward", "fleet.forward.boiler-1");
  expect(await messagesIn("forward", "weir.claim.forward")).toBe(1);

  const lane = write("lane", "rows.{sensor}", "shared", true);
  await printed(apply([lane], { ...options, fleet: true }));
  while ((await messagesIn("shared", "up.fleet.lane.live")) < 2) await read("lane");
  expect(await printed(move("lane", { ...options, host: "gateway-1" }))).toBe("lane is there already\n");
  await expect(move("lane", { ...options, spread: true, user: "eve" })).rejects.toMatchObject({
    message: "the server does not let this user ask on weir.control.move.eve",
  });

  beginDevice("gateway-2");
  while (!(await printed(devices(options))).includes("gateway-2")) await sleep(wallClock, 100);
  const totals = join(ada.folder, "totals.yaml");
  writeFileSync(
    totals,
    `name: totals
placement: { carry_state: true }
source: { nats: { subject: "sensors.{sensor}.totals", stream: SENSORS }, format: json, schema: { n: float64 } }
steps:
  - window: { count: { n: 2 }, by: sensor, select: { sum: sum(n) } }
  - sink: { nats: { to: cloud, subject: totals, stream: shared, delivery: lane }, format: json }
`,
  );
  await printed(apply([totals], { ...options, fleet: true }));
  const lanes = (): Promise<number> => messagesIn("shared", "up.fleet.totals.live");
  while ((await lanes()) === 0) await sleep(wallClock, 50);
  await read("totals");
  const runsOn = async (host: string): Promise<boolean> =>
    (await printed(devices({ ...options, runs: "totals" }))).includes(`${host} `);
  const first = (await runsOn("gateway-1")) ? "gateway-1" : "gateway-2";
  const next = first === "gateway-1" ? "gateway-2" : "gateway-1";
  expect(await printed(move("totals", { ...options, host: next }))).toBe(
    `totals goes from ${first} to ${next}, with what it keeps\n`,
  );
  while (!said.includes(`it goes on with what ${first} kept`)) await sleep(wallClock, 50);
  // A window in which each of them has one record.
  await read("totals");
  const row = () => manager.streams.getMessage("shared", { last_by_subj: "up.fleet.totals.live" });
  while ((await row())?.data.length === 0) await sleep(wallClock, 50);

  writeFileSync(climate, "# another text\n", { flag: "a" });
  await printed(apply([climate], onDevice));
  await printed(rollback("climate", onDevice));
  expect(await printed(drain(onDevice))).toContain("gateway-1 drains");

  const refused = servers.flatMap((server) => server.log().match(/.*violation.*/gi) ?? []);
  expect(refused.filter((line) => !/(deploy|move)\.eve/.test(line))).toEqual([]);
  expect(refused.length).toBeGreaterThan(0);
  for (const secret of Object.values(secrets)) expect(said).not.toContain(secret);
});
