// The units for systemd and the quadlets for Podman: systemd's own verdict where it is here, and that they are
// hardened, bounded and agree with each other. None of them is started: that takes a systemd.

import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { exitCodes, parseUnit } from "./units.fixture.ts";

const systemd = join(import.meta.dirname, "systemd");
const quadlet = join(import.meta.dirname, "quadlet");
const services = readdirSync(systemd);
const quadlets = readdirSync(quadlet);
const analyze = spawnSync("systemd-analyze", ["--version"]).status === 0;
const without = analyze ? "" : " (skipped: systemd-analyze is not here)";
const exposureMax = 2;

describe.skipIf(!analyze).each(services)(`the service %s${without}`, (name) => {
  const unit = join(systemd, name);

  it("is right for systemd", () => {
    const { status, stdout, stderr } = spawnSync("systemd-analyze", ["verify", unit], { encoding: "utf8" });
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: "", stderr: "" });
  });

  it(`is exposed to ${exposureMax} of 10 at most`, () => {
    const { stdout } = spawnSync("systemd-analyze", ["security", "--offline=true", unit], {
      encoding: "utf8",
    });
    const [, level] = /Overall exposure level for \S+: ([\d.]+)/.exec(stdout) ?? [];
    expect(Number(level)).toBeLessThanOrEqual(exposureMax);
  });
});

describe.each(services)("the service %s", (name) => {
  const unit = parseUnit(readFileSync(join(systemd, name), "utf8"));

  it("is bounded, is nobody, and waits for no network", () => {
    const { Service: service = {}, Unit: about = {} } = unit;
    expect(service).toMatchObject({
      DynamicUser: ["yes"],
      NoNewPrivileges: ["yes"],
      ProtectSystem: ["strict"],
    });
    for (const bound of ["MemoryMax", "TasksMax", "LimitNOFILE", "TimeoutStopSec"])
      expect(service).toHaveProperty(bound);
    expect(JSON.stringify(about)).not.toMatch(/network-online/);
    for (const other of about["After"] ?? []) expect(services).toContain(other);
  });

  it("sees what a start before it has left", () => {
    const { Service: { KillMode = [], ProtectProc = [], PrivateUsers = [] } = {} } = unit;
    const hides = ProtectProc.includes("invisible") && PrivateUsers.includes("yes");
    expect([KillMode, hides]).not.toEqual([["process"], true]);
  });
});

/** What Podman's manual names of these sections, as far as it is used here. */
const known: Readonly<Record<string, readonly string[]>> = {
  Container: [
    "ContainerName",
    "Image",
    "Network",
    "NetworkAlias",
    "Exec",
    "PublishPort",
    "Volume",
    "EnvironmentFile",
    "Environment",
    "User",
    "Group",
    "ReadOnly",
    "VolatileTmp",
    "DropCapability",
    "AddCapability",
    "NoNewPrivileges",
    "PodmanArgs",
  ],
  Network: ["NetworkName", "Label"],
  Volume: ["VolumeName"],
  Quadlet: ["DefaultDependencies"],
};

describe.each(quadlets)("the quadlet %s", (name) => {
  const unit = parseUnit(readFileSync(join(quadlet, name), "utf8"));

  it("has sections and keys that Podman knows", () => {
    for (const [section, keys] of Object.entries(known)) {
      expect(keys).toEqual(expect.arrayContaining(Object.keys(unit[section] ?? {})));
    }
    for (const section of Object.keys(unit)) {
      expect([...Object.keys(known), "Unit", "Service", "Install"]).toContain(section);
    }
  });

  it("waits for no network, and has Podman make no unit that does", () => {
    const { Unit: about = {}, Quadlet: quadlet = {} } = unit;
    expect(JSON.stringify(about)).not.toMatch(/network-online/);
    expect(quadlet).toEqual({ DefaultDependencies: ["false"] });
  });

  it("refers to networks and volumes that stand beside it", () => {
    const { Container: container = {} } = unit;
    const referred = [
      ...(container["Network"] ?? []),
      ...(container["Volume"] ?? []).map((each) => each.split(":")[0] ?? ""),
    ];
    for (const other of referred.filter((each) => /\.(network|volume)$/.test(each))) {
      expect(existsSync(join(quadlet, other))).toBe(true);
    }
  });
});

describe.each(quadlets.filter((name) => name.endsWith(".container")))("the container of %s", (name) => {
  const { Container: container = {} } = parseUnit(readFileSync(join(quadlet, name), "utf8"));

  it("is hardened and bounded, and open to this machine only", () => {
    expect(container).toMatchObject({
      ReadOnly: ["true"],
      DropCapability: ["all"],
      NoNewPrivileges: ["true"],
    });
    expect(container["PodmanArgs"]?.join(" ")).toMatch(/--memory=\d+m --pids-limit=\d+/);
    for (const port of container["PublishPort"] ?? []) expect(port).toMatch(/^127\.0\.0\.1:/);
    expect(container["Network"]).toEqual(["weir.network"]);
    // Only who starts workers is given the engine, and is root for it.
    const isSupervisor = container["Exec"]?.join(" ").startsWith("supervise ") === true;
    expect(/\.sock/.test(container["Volume"]?.join(" ") ?? "")).toBe(isSupervisor);
    expect(container["User"]).toEqual(isSupervisor ? ["0"] : undefined);
  });
});

it("the supervisor finds itself and the network of its workers by the names that they have here", () => {
  const of = (file: string) => parseUnit(readFileSync(join(quadlet, file), "utf8"));
  const { Exec: [command = ""] = [], ContainerName: [name = ""] = [] } =
    of("weir.container")["Container"] ?? {};
  expect(command).toContain(`--within ${name} `);
  expect(command).toContain(`--network ${of("weir.network")["Network"]?.["NetworkName"]?.[0]} `);
});

it("a supervisor that was told it is wrong is not started again, in all of them", () => {
  const units = [join(systemd, "weir.service"), join(quadlet, "weir.container")];
  for (const file of units) {
    const { Service: service = {} } = parseUnit(readFileSync(file, "utf8"));
    expect(service["RestartPreventExitStatus"]).toEqual([exitCodes.join(" ")]);
  }
});
