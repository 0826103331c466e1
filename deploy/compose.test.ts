// The compose file: each service hardened, nothing that it refers to missing, nothing open to the network; and, where
// podman-compose is here, brought up for real until rows of the device are in the cloud.

import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { sleep, wallClock } from "../runtime/clock.ts";
import { findNatsServer } from "../runtime/connect/nats-server.ts";
import { programInPath } from "../runtime/connect/nats-server-search.mjs";
import {
  installPodman,
  podmanMissing,
  startPodman,
  type PodmanService,
} from "../runtime/supervisor/drivers/podman-service.ts";
import type { SupervisorStatus } from "../runtime/supervisor/status.ts";
import { freePort, imageOfProgram } from "./compose.fixture.ts";
import { imageForTests } from "./image.fixture.ts";
import { passwordNames, secretLines } from "./secrets.ts";

const file = join(import.meta.dirname, "compose.yaml");
const text = readFileSync(file, "utf8");
const nats = (name: string): string => readFileSync(join(import.meta.dirname, "nats", name), "utf8");

/** What the file may hold; anything else is a mistake. */
const service = z.strictObject({
  image: z.string(),
  command: z.array(z.string()),
  environment: z.record(z.string(), z.string()).default({}),
  volumes: z.array(z.string()).default([]),
  tmpfs: z.array(z.string()).default([]),
  networks: z.array(z.string()).min(1),
  ports: z.array(z.string()).default([]),
  depends_on: z.array(z.string()).default([]),
  stop_signal: z.literal("SIGINT").optional(),
  stop_grace_period: z.string().optional(),
  container_name: z.literal("weir-supervisor").optional(),
  user: z.literal("0:0").optional(),
  cap_add: z.tuple([z.literal("CHOWN"), z.literal("DAC_OVERRIDE")]).optional(),
  healthcheck: z.strictObject({ test: z.tuple([z.literal("NONE")]) }),
  restart: z.enum(["unless-stopped", "on-failure"]),
  // The hardening, which no service may leave out.
  read_only: z.literal(true),
  cap_drop: z.tuple([z.literal("ALL")]),
  security_opt: z.tuple([z.literal("no-new-privileges")]),
  pids_limit: z.number().max(256),
  mem_limit: z.string(),
});
const compose = z.strictObject({
  name: z.literal("weir"),
  "x-hardened": z.unknown(),
  services: z.record(z.string(), service),
  networks: z.record(
    z.string(),
    z.strictObject({ name: z.string().optional(), internal: z.boolean().optional() }),
  ),
  volumes: z.record(z.string(), z.strictObject({})),
});

describe("the compose file", () => {
  const { services, networks, volumes } = compose.parse(parse(text, { merge: true }));
  const all = Object.entries(services);

  it("has a device, a cloud and a supervisor, whose workers reach both", () => {
    expect(Object.keys(services).sort()).toEqual(["edge", "hub", "hub-streams", "sensors", "supervisor"]);
    const { command = [], container_name } = services["supervisor"] ?? {};
    const after = (option: string): string | undefined => command[command.indexOf(option) + 1];
    expect([after("--network"), after("--within")]).toEqual([networks["workers"]?.name, container_name]);
    for (const server of ["edge", "hub"]) expect(services[server]?.networks).toContain("workers");
    expect(services["sensors"]?.networks).toEqual(["device"]);
  });

  it("makes one service root, and gives the engine's socket to that one only", () => {
    const named = (is: (each: z.infer<typeof service>) => boolean): readonly string[] =>
      all.filter(([, each]) => is(each)).map(([name]) => name);
    const supervisor = ["supervisor"];
    expect(named(({ user }) => user !== undefined)).toEqual(supervisor);
    expect(named(({ cap_add }) => cap_add !== undefined)).toEqual(supervisor);
    expect(named(({ volumes: each }) => each.some((volume) => volume.includes(".sock")))).toEqual(supervisor);
    expect(named(({ networks: joined }) => joined.includes("alone"))).toEqual(supervisor);
    expect([services["supervisor"]?.networks, networks["alone"]]).toEqual([["alone"], { internal: true }]);
  });

  it.each(all)("%s refers to what is there", (_name, { networks: joined, volumes: mounted, depends_on }) => {
    for (const network of joined) expect(networks).toHaveProperty(network);
    for (const other of depends_on) expect(services).toHaveProperty(other);
    for (const [from = "", , mode] of mounted.map((each) => each.split(":"))) {
      // That of the engine is another one on each machine.
      if (from.startsWith("${WEIR_ENGINE_SOCKET")) continue;
      if (!from.startsWith(".")) expect(volumes).toHaveProperty(from);
      else
        expect({ from, there: existsSync(join(dirname(file), from)), mode }).toEqual({
          from,
          there: true,
          mode: "ro",
        });
    }
  });

  it("opens one port, to this machine only", () => {
    const ports = all.flatMap(([, each]) => each.ports);
    expect(ports).toEqual(["127.0.0.1:${WEIR_EDGE_PORT:-4222}:4222"]);
  });

  it("gives each server the passwords that its configuration asks for, and no secret is written down", () => {
    const asked = (...files: readonly string[]) => passwordNames(files.map(nats));
    const given = (name: string) =>
      Object.keys(services[name]?.environment ?? {}).filter((each) => /PASSWORD/.test(each));
    expect(given("edge").sort()).toEqual(asked("edge.conf", "edge-users.conf"));
    expect(given("hub").sort()).toEqual(asked("hub-one-machine.conf", "hub-devices.conf"));
    for (const [, { environment }] of all) {
      for (const [name, value] of Object.entries(environment)) {
        if (name.endsWith("PASSWORD")) expect(value).toMatch(new RegExp(`^\\$\\{${name}(:\\?[^}]*)?\\}$`));
      }
    }
  });
});

describe("the passwords", () => {
  it("are one for each name that the configurations use, drawn anew, and words for a nats-server", () => {
    const names = passwordNames([nats("edge-users.conf"), nats("edge-users.conf"), nats("edge.conf")]);
    expect(names).toEqual([
      "WEIR_ADMIN_PASSWORD",
      "WEIR_BOILER_1_PASSWORD",
      "WEIR_BOILER_2_PASSWORD",
      "WEIR_PASSWORD",
    ]);
    let draws = 0;
    const lines = secretLines(names, (bytes) => Buffer.alloc(bytes, ++draws));
    expect(lines.split("\n")[0]).toBe(`WEIR_ADMIN_PASSWORD=w${"01".repeat(16)}`);
    expect(lines).toMatch(/^(WEIR_\w+=w[0-9a-f]{32}\n){4}$/);
    expect(new Set(lines.split("\n").map((line) => line.split("=")[1])).size).toBe(5);
  });
});

const composer = programInPath("podman-compose", process.env);
const missing =
  podmanMissing(process.env) ?? (composer === null ? `no podman-compose: ${installPodman}` : null);
const without = missing === null ? "" : ` (skipped: ${missing})`;

describe.skipIf(missing !== null)(`the compose file, brought up${without}`, () => {
  const folder = mkdtempSync(join(tmpdir(), "weir-compose-"));
  let podman: PodmanService;
  let environment: Readonly<Record<string, string>>;
  let cloud: NatsConnection;

  function run(program: string, ...parameters: readonly string[]): string {
    const { status, stdout, stderr } = spawnSync(program, parameters, {
      encoding: "utf8",
      env: environment,
      cwd: folder,
    });
    expect({ status, stderr: status === 0 ? "" : stderr }).toEqual({ status: 0, stderr: "" });
    return stdout.trim();
  }

  beforeAll(async () => {
    if (missing !== null) return;
    podman = await startPodman(process.env);
    podman.load(imageForTests());
    const names = passwordNames(["edge.conf", "edge-users.conf", "hub-devices.conf"].map(nats));
    const secrets = Object.fromEntries(names.map((name) => [name, `w-${name.toLowerCase()}`]));
    environment = {
      ...podman.environment,
      ...secrets,
      WEIR_EDGE_PORT: String(await freePort()),
      WEIR_ENGINE_SOCKET: podman.socketPath,
    };
    const server = await findNatsServer(process.env);
    if (server?.kind !== "binary") throw new Error("a nats-server binary is needed for its image");
    imageOfProgram(server.path, "docker.io/library/nats:2.12-alpine", folder, environment);
    // Away from passwords that somebody may have put beside the file.
    for (const part of ["compose.yaml", "compose", "nats"]) {
      cpSync(join(import.meta.dirname, part), join(folder, part), { recursive: true });
    }
    run("podman-compose", "-f", "compose.yaml", "up", "-d");
  }, 240_000);

  afterAll(async () => {
    await cloud?.close();
    await podman?.stop();
    rmSync(folder, { recursive: true, force: true });
  }, 60_000);

  it("has rows of the device in the cloud", { timeout: 240_000 }, async () => {
    const [hub = ""] = run(
      "podman",
      "ps",
      "--format={{.Names}}",
      "--filter=label=com.docker.compose.service=hub",
    ).split("\n");
    const address = run(
      "podman",
      "inspect",
      hub,
      "--format={{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}",
    ).split(" ")[0];
    const pass = environment["WEIR_CLOUD_PASSWORD"] ?? "";
    cloud = await connect({ servers: `${address}:4222`, user: "cloud", pass, waitOnFirstConnect: true });
    const { streams } = await jetstreamManager(cloud);
    let messages = 0;
    while (messages === 0) {
      const info = await streams.info("gateway-1").catch(() => null);
      messages = info?.state.messages ?? 0;
      await sleep(wallClock, 100);
    }
    const first = await streams.getMessage("gateway-1", { seq: 1 });
    expect(first?.json()).toMatchObject({
      boiler: "boiler-1",
      mean: expect.any(Number),
      n: expect.any(Number),
    });
  });

  const supervisor = ["exec", "weir-supervisor", "/usr/bin/node", "/weir/weir.js"];

  it("has a worker that its supervisor tells of, and that may write nowhere but where it should", () => {
    const [status] = JSON.parse(run("podman", ...supervisor, "status", "--json")) as SupervisorStatus[];
    expect(status).toMatchObject({ host: "gateway-1", driver: "container", driver_fault: "" });
    expect(status?.pipelines).toMatchObject([{ name: "boiler", state: "running" }]);
    const worker = status?.workers[0]?.id ?? "";
    // The door of its worker, as the runbook opens it.
    const [exec = "", ...rest] = supervisor;
    const why = run("podman", exec, "--env", "WEIR_RUN_FOLDER=/var/lib/weir/run", ...rest, "why");
    expect(why).toMatch(/^boiler$/m);
    const attempt =
      "try { require('fs').writeFileSync('/weir/x', '') } catch (e) { process.stdout.write(e.code + process.getuid()) }";
    expect(run("podman", "exec", worker, "/usr/bin/node", "-e", attempt)).toBe("EROFS65532");
    const mounts = run("podman", "inspect", worker, "--format={{range .Mounts}}{{.Destination}} {{end}}");
    expect(mounts.split(" ").sort()).toEqual([
      "/etc/weir/pipelines",
      "/etc/weir/weir.yaml",
      // The image's own volume, which is empty.
      "/var/lib/weir",
      "/var/lib/weir/data",
      "/var/lib/weir/run",
      "/var/lib/weir/supervisor/assignments",
    ]);
  });

  it("is brought down with its workers", { timeout: 120_000 }, () => {
    run("podman-compose", "-f", "compose.yaml", "down", "--timeout", "60");
    expect(run("podman", "ps", "--all", "--quiet")).toBe("");
    // What it leaves of its networks is not this machine's.
    const left = existsSync("/etc/containers/networks") ? readdirSync("/etc/containers/networks") : [];
    expect(left.filter((name) => name.startsWith(basename(folder).toLowerCase()))).toEqual([]);
  });
});
