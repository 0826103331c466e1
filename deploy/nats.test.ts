// The shipped nats-server configurations with real servers: who gets in, who may publish and read what, over NATS,
// MQTT and TLS, as clients and through a leaf link. Only ports are other ones than in the files.

import { execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import {
  connect,
  type NatsConnection,
  type NodeConnectionOptions,
  type Status,
} from "@nats-io/transport-node";
import mqtt from "mqtt";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findNatsServer, missingServerMessage } from "../runtime/connect/nats-server.ts";
import { startedPart } from "../runtime/testing/started.ts";
import { copyWithPorts as copyIn, password, secrets, serve as start, type Served } from "./nats.fixture.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-nats-conf-"));
const servers: Served[] = [];
const open: NatsConnection[] = [];

const copyWithPorts = (name: string): ReturnType<typeof copyIn> => copyIn(folder, name);

async function serve(config: string, more: Readonly<Record<string, string>>): Promise<void> {
  servers.push(await start(config, more));
}

async function client(options: NodeConnectionOptions): Promise<NatsConnection> {
  const nats = await connect({ reconnect: false, ...options });
  open.push(nats);
  return nats;
}

/** What the server complains of on this connection, as it comes. */
function complaints(nats: NatsConnection): () => Promise<string> {
  const status = nats.status()[Symbol.asyncIterator]();
  return async () => {
    for (;;) {
      const { value } = (await status.next()) as { value: Status };
      if (value.type === "error") return value.error.message;
    }
  };
}

/** Payloads on a subject in the order in which they come; resolves with the first `count`. */
function payloads(nats: NatsConnection, subject: string, count: number): Promise<readonly string[]> {
  const texts: string[] = [];
  return new Promise((resolve) => {
    const subscription = nats.subscribe(subject, {
      callback: (_error, message) => {
        texts.push(`${message.subject} ${message.string()}`);
        if (texts.length < count) return;
        subscription.unsubscribe();
        resolve(texts);
      },
    });
  });
}

const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;

/** A certificate for this host that vouches for itself; the TLS of the hub's configurations. */
function makeCertificate(): Readonly<Record<string, string>> {
  const files = { WEIR_TLS_CERT: join(folder, "cert.pem"), WEIR_TLS_KEY: join(folder, "key.pem") };
  const request = [
    "req",
    "-x509",
    "-newkey",
    "ec",
    "-pkeyopt",
    "ec_paramgen_curve:P-256",
    "-nodes",
    "-days",
    "2",
  ];
  const name = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
  execFileSync("openssl", [...request, ...name, "-keyout", files.WEIR_TLS_KEY, "-out", files.WEIR_TLS_CERT], {
    stdio: "ignore",
  });
  return { ...files, WEIR_TLS_CA: files.WEIR_TLS_CERT };
}

/** The nats-server of this machine, and the two numbers that its version begins with. */
async function server(): Promise<{ path: string; version: readonly [number, number] }> {
  const command = await findNatsServer(process.env);
  if (command?.kind !== "binary") throw new Error(missingServerMessage(process.platform));
  const said = execFileSync(command.path, ["--version"], { encoding: "utf8" });
  const [, major, minor] = /v(\d+)\.(\d+)/.exec(said) ?? [];
  return { path: command.path, version: [Number(major), Number(minor)] };
}

afterAll(async () => {
  for (const nats of open) await nats.close();
  for (const server of servers) await server.kill();
  rmSync(folder, { recursive: true, force: true });
});

describe("edge.conf", () => {
  let url = "";
  let mqttUrl = "";
  let weir: NatsConnection;

  beforeAll(async () => {
    const { folder: copy, port } = await copyWithPorts("edge");
    await serve(join(copy, "edge.conf"), { WEIR_NATS_STORE: join(folder, "edge-store") });
    url = `127.0.0.1:${port(4222)}`;
    mqttUrl = `mqtt://127.0.0.1:${port(1883)}`;
    weir = await client({ servers: url, user: "weir", pass: password("") });
    await (await jetstreamManager(weir)).streams.add({ name: "SENSORS", subjects: ["sensors.>"] });
  });

  const sensor = (name: string): Promise<NatsConnection> =>
    client({
      servers: url,
      user: name,
      pass: password(`${name.toUpperCase().replace("-", "_")}_`),
      inboxPrefix: `_INBOX_${name}`,
    });

  it.each([
    ["without credentials", {}],
    ["with a wrong password", { user: "boiler-1", pass: "guessed" }],
    ["by a name that it does not know", { user: "boiler-9", pass: "secret" }],
  ])("lets nobody in %s", async (_name, credentials) => {
    await expect(connect({ servers: url, reconnect: false, ...credentials })).rejects.toThrow(
      /authorization/i,
    );
  });

  it("lets a sensor publish under its own name, and have it confirmed", async () => {
    const boiler = await sensor("boiler-1");
    const first = payloads(weir, "sensors.>", 1);
    await weir.flush();
    const confirmed = await jetstream(boiler, { domain: "edge" }).publish("sensors.boiler-1.temp", "21.5");
    expect(confirmed.stream).toBe("SENSORS");
    expect(await first).toEqual(["sensors.boiler-1.temp 21.5"]);
  });

  it("lets none publish under another's", async () => {
    const boiler = await sensor("boiler-1");
    const complaint = complaints(boiler);
    const first = payloads(weir, "sensors.>", 1);
    await weir.flush();
    boiler.publish("sensors.boiler-2.temp", "999");
    expect(await complaint()).toMatch(/permissions violation for publish to "sensors.boiler-2.temp"/i);
    boiler.publish("sensors.boiler-1.temp", "22");
    expect(await first).toEqual(["sensors.boiler-1.temp 22"]);
  });

  it.each(["sensors.>", "sensors.boiler-2.>", "_INBOX.>", "_INBOX_boiler-2.>", "$JS.EVENT.>", ">"])(
    "lets none read %s",
    async (subject) => {
      const boiler = await sensor("boiler-1");
      const complaint = complaints(boiler);
      boiler.subscribe(subject, { callback: () => {} });
      expect(await complaint()).toMatch(/permissions violation for subscription/i);
    },
  );

  it.each(["$JS.API.STREAM.DELETE.SENSORS", "$JS.API.STREAM.PURGE.SENSORS", "$SYS.REQ.SERVER.PING"])(
    "lets none ask %s",
    async (subject) => {
      const boiler = await sensor("boiler-1");
      const complaint = complaints(boiler);
      boiler.publish(subject);
      expect(await complaint()).toMatch(/permissions violation for publish/i);
    },
  );

  it("holds a sensor that speaks MQTT to the same", async () => {
    const credentials = { username: "boiler-2", password: password("BOILER_2_"), reconnectPeriod: 0 };
    const boiler = await mqtt.connectAsync(mqttUrl, { ...credentials, clientId: "boiler-2" });
    const first = payloads(weir, "sensors.>", 2);
    await weir.flush();
    await boiler.publishAsync("sensors/boiler-2/temp", "1", { qos: 1 });
    // Of another's, which a server answers by ending the connection or in silence; neither may arrive.
    const ended = new Promise<void>((resolve) => boiler.once("close", () => resolve()));
    boiler.publish("sensors/boiler-1/temp", "999", { qos: 0 });
    boiler.publish("sensors/boiler-2/temp", "2", { qos: 0 });
    await boiler.endAsync().catch(() => undefined);
    await ended;
    const again = await mqtt.connectAsync(mqttUrl, { ...credentials, clientId: "boiler-2-again" });
    await again.publishAsync("sensors/boiler-2/temp", "3", { qos: 1 });
    await again.endAsync();
    expect((await first).filter((text) => !text.startsWith("sensors.boiler-2.temp "))).toEqual([]);
  });

  it("refuses a message that is larger than a record", async () => {
    expect(weir.info?.max_payload).toBe(1_048_576);
    const boiler = await sensor("boiler-2");
    expect(() => boiler.publish("sensors.boiler-2.temp", new Uint8Array(1_048_577))).toThrow(/max_payload/);
  });
});

describe("edge-partitions.conf", () => {
  it("keeps each sensor in one of twelve partitions, in order, whatever it speaks", async () => {
    const { folder: copy, port } = await copyWithPorts("partitions");
    const file = join(copy, "edge.conf");
    writeFileSync(file, readFileSync(file, "utf8").replace("# include", "include"));
    const users = join(copy, "edge-users.conf");
    const allowed = readFileSync(users, "utf8").replaceAll(/"(sensors\.[\w-]+\.>)"/g, '"$1", "p.*.$1"');
    writeFileSync(users, allowed);
    await serve(file, { WEIR_NATS_STORE: join(folder, "partitions-store") });
    const servers = `127.0.0.1:${port(4222)}`;
    const weir = await client({ servers, user: "weir", pass: password("") });
    const manager = await jetstreamManager(weir);
    await manager.streams.add({ name: "SENSORS", subjects: ["p.>"] });
    const sensors = 100;
    for (let n = 0; n < 3 * sensors; n++) weir.publish(`sensors.s${n % sensors}.temp`, String(n));
    const inboxPrefix = "_INBOX_boiler-1";
    const boiler = await client({ servers, user: "boiler-1", pass: password("BOILER_1_"), inboxPrefix });
    const complaint = complaints(boiler);
    boiler.publish("sensors.boiler-2.temp", "in another's name");
    expect(await complaint()).toMatch(
      /permissions violation for publish to "p\.\d+\.sensors\.boiler-2\.temp"/i,
    );
    boiler.publish("sensors.boiler-1.temp", "by NATS");
    await Promise.all([weir.flush(), boiler.flush()]);
    const mqttPassword = password("BOILER_2_");
    const other = await mqtt.connectAsync(`mqtt://127.0.0.1:${port(1883)}`, {
      username: "boiler-2",
      password: mqttPassword,
      reconnectPeriod: 0,
    });
    await other.publishAsync("sensors/boiler-2/temp", "by MQTT", { qos: 1 });
    await other.endAsync();
    const { messages } = (await manager.streams.info("SENSORS")).state;
    expect(messages).toBe(3 * sensors + 2);
    const places = new Map<string, Set<string>>();
    const last = new Map<string, number>();
    for (let seq = 1; seq <= messages; seq++) {
      const message = await manager.streams.getMessage("SENSORS", { seq });
      const [, number = "", , sensor = ""] = message?.subject.split(".") ?? [];
      places.set(sensor, (places.get(sensor) ?? new Set()).add(number));
      if (!sensor.startsWith("s")) continue;
      expect(Number(message?.string())).toBeGreaterThan(last.get(sensor) ?? -1);
      last.set(sensor, Number(message?.string()));
    }
    expect(places.size).toBe(sensors + 2);
    expect([...places.values()].every(({ size }) => size === 1)).toBe(true);
    const used = new Set([...places.values()].flatMap((each) => [...each]).map(Number));
    expect([...used].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  });
});

describe.skipIf(!hasOpenssl)(`hub.conf${hasOpenssl ? "" : " (skipped: install openssl)"}`, () => {
  let url = "";
  let cloud: NatsConnection;
  let tls: { readonly caFile: string };

  beforeAll(async () => {
    const { folder: copy, port } = await copyWithPorts("hub");
    const certificate = makeCertificate();
    await serve(join(copy, "hub.conf"), { ...certificate, WEIR_NATS_STORE: join(folder, "hub-store") });
    url = `localhost:${port(4222)}`;
    tls = { caFile: certificate["WEIR_TLS_CA"] ?? "" };
    cloud = await client({ servers: url, user: "cloud", pass: password("CLOUD_"), tls });
    const manager = await jetstreamManager(cloud);
    for (const name of ["gateway-1", "gateway-2"]) {
      await manager.streams.add({ name, subjects: [`cloud.${name}.>`, `alarm.${name}.>`, `dlq.${name}.>`] });
    }
    await jetstream(cloud).publish("cloud.gateway-2.row", "a secret of gateway-2");
  });

  const gateway = (more: NodeConnectionOptions = {}): Promise<NatsConnection> =>
    client({
      servers: url,
      user: "gateway-1",
      pass: password("GATEWAY_1_"),
      inboxPrefix: "_INBOX_gateway-1",
      tls,
      ...more,
    });

  it("speaks to nobody who does not trust its certificate", async () => {
    await expect(gateway({ tls: {} })).rejects.toThrow(/self-signed|certificate/);
  });

  it("takes a device's rows, tells it how far they are, and keeps each once", async () => {
    const device = await gateway();
    const manager = await jetstreamManager(device, { checkAPI: false });
    const publish = () => jetstream(device).publish("cloud.gateway-1.row", "21.5", { msgID: "run-1-1" });
    expect((await publish()).duplicate).toBe(false);
    expect((await publish()).duplicate).toBe(true);
    expect((await manager.streams.info("gateway-1")).state.messages).toBe(1);
    const last = await manager.streams.getMessage("gateway-1", { last_by_subj: "cloud.gateway-1.row" });
    expect(last?.string()).toBe("21.5");
  });

  it.each([
    "cloud.gateway-2.row",
    "alarm.gateway-2.hot",
    "cloud.gateway-1",
    "$JS.API.INFO",
    "$JS.API.STREAM.INFO.gateway-2",
    "$JS.API.STREAM.MSG.GET.gateway-2",
    "$JS.API.DIRECT.GET.gateway-2",
    "$JS.API.STREAM.CREATE.mine",
    "$JS.API.STREAM.UPDATE.gateway-1",
    "$JS.API.STREAM.PURGE.gateway-1",
    "$JS.API.STREAM.DELETE.gateway-1",
    "$JS.API.CONSUMER.CREATE.gateway-2",
    "$JS.API.CONSUMER.CREATE.KV_weir_desired.mine.$KV.weir_desired.gateway-2.>",
    "$JS.API.CONSUMER.CREATE.KV_weir_desired.mine.$KV.weir_desired.>",
    "$JS.API.CONSUMER.CREATE.KV_weir_devices.mine",
    "$JS.API.DIRECT.GET.KV_weir_desired.$KV.weir_desired.gateway-2.pipeline.climate",
    "$JS.API.DIRECT.GET.KV_weir_desired",
    "$KV.weir_desired.gateway-2.pipeline.climate",
    "$KV.weir_desired.fleet.owner.forward",
    "$KV.weir_devices.gateway-2",
    "weir.control.deploy.gateway-2",
    "weir.device.gateway-2.deploy.ada",
    "weir.event.gateway-2",
    "weir.heartbeat.gateway-2.shared-1",
    "_INBOX.somebody",
  ])("lets a device send nothing to %s", async (subject) => {
    const device = await gateway();
    const complaint = complaints(device);
    device.publish(subject, "{}");
    expect(await complaint()).toMatch(/permissions violation for publish/i);
  });

  it.each([
    "cloud.>",
    "cloud.gateway-1.>",
    "_INBOX.>",
    "_INBOX_gateway-2.>",
    "weir.device.>",
    "weir.event.>",
    ">",
  ])("lets a device read nothing of %s", async (subject) => {
    const device = await gateway();
    const complaint = complaints(device);
    device.subscribe(subject, { callback: () => {} });
    expect(await complaint()).toMatch(/permissions violation for subscription/i);
  });

  it.each([
    "weir.device.gateway-1.deploy.eve",
    "weir.device.gateway-1.deploy",
    "weir.control.deploy.gateway-1",
    "$KV.weir_desired.fleet.owner.forward",
    "$KV.weir_devices.gateway-1",
    "$JS.API.STREAM.DELETE.KV_weir_desired",
    "$JS.API.STREAM.PURGE.KV_weir_desired",
    "cloud.gateway-1.row",
  ])("lets a person send nothing to %s", async (subject) => {
    const ada = await gateway({ user: "ada", pass: password("ADA_"), inboxPrefix: "_INBOX_ada" });
    const complaint = complaints(ada);
    ada.publish(subject, "{}");
    expect(await complaint()).toMatch(/permissions violation for publish/i);
  });

  it("is where weir itself sends its rows, as a device that may no more than that", async () => {
    writeFileSync(join(folder, "readings.ndjson"), '{"n":1}\n{"n":2}\n{"n":3}\n');
    const pipeline = `name: to-the-hub
source: { file: { path: readings.ndjson }, format: json, schema: { n: float64 } }
steps:
  - filter: n >= 2
  - sink: { nats: { to: cloud, subject: cloud.gateway-1.n, stream: gateway-1 }, format: json }
`;
    writeFileSync(join(folder, "to-the-hub.yaml"), pipeline);
    const settings = `nats:
  cloud:
    url: nats://${url}
    user: gateway-1
    password: \${WEIR_GATEWAY_1_PASSWORD}
    inbox: _INBOX_gateway-1
    tls: { ca: ${tls.caFile} }
`;
    writeFileSync(join(folder, "weir.yaml"), settings);
    const rows = payloads(cloud, "cloud.gateway-1.n", 2);
    await cloud.flush();
    const program = fileURLToPath(startedPart("weir.js"));
    const weir = spawn(process.execPath, [program, "run", "to-the-hub.yaml"], {
      cwd: folder,
      env: { ...process.env, ...secrets },
      stdio: ["ignore", "inherit", "pipe"],
    });
    let log = "";
    weir.stderr.on("data", (chunk: Buffer) => (log += chunk.toString()));
    const code = await new Promise((resolve) => weir.once("exit", resolve));
    expect(code, log).toBe(0);
    expect(await rows).toEqual(['cloud.gateway-1.n {"n":2}', 'cloud.gateway-1.n {"n":3}']);
    expect(log).not.toContain(password("GATEWAY_1_"));
  });
});

describe.skipIf(!hasOpenssl)(`a leaf link${hasOpenssl ? "" : " (skipped: install openssl)"}`, () => {
  it("carries rows to the hub, and leaves measurements on the device", async () => {
    const certificate = makeCertificate();
    const hub = await copyWithPorts("leaf-hub");
    const edge = await copyWithPorts("leaf-edge");
    const add = (file: string, line: string): void =>
      writeFileSync(file, `${readFileSync(file, "utf8")}\n${line}\n`);
    add(join(hub.folder, "hub.conf"), 'include "./hub-leaf.conf"');
    add(join(edge.folder, "edge.conf"), 'include "./edge-leaf.conf"');
    await serve(join(hub.folder, "hub.conf"), {
      ...certificate,
      WEIR_NATS_STORE: join(folder, "leaf-hub-store"),
    });
    const login = `leaf-1:${encodeURIComponent(password("LEAF_1_"))}`;
    await serve(join(edge.folder, "edge.conf"), {
      ...certificate,
      WEIR_NATS_STORE: join(folder, "leaf-edge-store"),
      WEIR_HUB_LEAF: `tls://${login}@localhost:${hub.port(7422)}`,
    });
    const tls = { caFile: certificate["WEIR_TLS_CA"] ?? "" };
    const user = { servers: `localhost:${hub.port(4222)}`, user: "cloud", pass: password("CLOUD_") };
    const cloud = await client({ ...user, tls });
    const weir = await client({ servers: `127.0.0.1:${edge.port(4222)}`, user: "weir", pass: password("") });
    const seen: string[] = [];
    const arrived = new Promise<void>((resolve) => {
      cloud.subscribe(">", {
        callback: (_error, message) => {
          if (!message.subject.startsWith("_INBOX")) seen.push(message.subject);
          if (message.subject === "cloud.gateway-1.row") resolve();
        },
      });
    });
    await cloud.flush();
    // The link comes up when it does: a question that only the hub's side can answer tells that it has.
    cloud.subscribe("is.there", { callback: (_error, message) => void message.respond("yes") });
    await cloud.flush();
    for (;;) {
      const answer = await weir.request("is.there", "", { timeout: 500 }).catch(() => null);
      if (answer !== null) break;
    }
    weir.publish("sensors.boiler-1.temp", "21.5");
    weir.publish("cloud.gateway-1.row", "21.5");
    await arrived;
    expect(seen).toContain("cloud.gateway-1.row");
    expect(seen.filter((subject) => subject.startsWith("sensors."))).toEqual([]);
  });
});

it.each(["edge", "hub"])(
  "%s.conf takes the line that it keeps ready, from the version on that it says",
  async (name) => {
    const { folder: copy } = await copyWithPorts(`${name}-synchronised`);
    const file = join(copy, `${name}.conf`);
    const text = readFileSync(file, "utf8");
    const told = /It needs nats-server (\d+)\.(\d+) or later(?:[^\n]*\n)+? *# sync_interval: always\n/.exec(
      text,
    );
    expect(told).not.toBeNull();
    writeFileSync(file, text.replace("# sync_interval: always", "sync_interval: always"));
    const { path, version } = await server();
    const { status, stderr } = spawnSync(path, ["-t", "-c", file], {
      encoding: "utf8",
      env: { ...process.env, ...secrets, ...(hasOpenssl ? makeCertificate() : {}), WEIR_NATS_STORE: copy },
    });
    const [, major, minor] = told ?? [];
    const knows = version[0] > Number(major) || (version[0] === Number(major) && version[1] >= Number(minor));
    if (knows) expect({ status, stderr }).toMatchObject({ status: 0 });
    else expect(stderr).toContain('unknown field "sync_interval"');
  },
);
