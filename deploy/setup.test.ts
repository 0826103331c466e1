// Set-up against this very folder: it is idempotent, runs commands as they are, and hands signals on.

import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { prepareTestTools } from "./setup-tests.mjs";

const script = join(import.meta.dirname, "setup.mjs");
// Anything that answers to the name will do: no server is needed to run a command.
const env = { ...process.env, WEIR_NATS_URL: "nats://127.0.0.1:4222" };

function setup(...parameters: string[]) {
  return spawnSync(process.execPath, [script, ...parameters], { encoding: "utf8", env });
}

describe("set-up", () => {
  it("runs a command with the pinned Node, its arguments as they are, and ends as it ends", () => {
    const program = "console.log(process.version, JSON.stringify(process.argv.slice(1))); process.exit(7)";
    const { status, stdout, stderr } = setup(
      "--quiet",
      "--",
      "node",
      "-e",
      program,
      "a b",
      "$HOME",
      "--quiet",
    );
    expect({ status, stderr }).toEqual({ status: 7, stderr: "" });
    expect(stdout).toBe(`${process.version} ["a b","$HOME","--quiet"]\n`);
  });

  it("runs a program of this folder where npm was called, when asked", () => {
    const typed = [
      "--quiet",
      "--caller",
      "--",
      "node",
      "runtime/cli/main.ts",
      "lint",
      "../pipelines/climate.yaml",
    ];
    const options = { encoding: "utf8", env: { ...env, INIT_CWD: import.meta.dirname } } as const;
    const { status, stderr } = spawnSync(process.execPath, [script, ...typed], options);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  });

  it("refuses an option that it does not know", () => {
    const { status, stderr } = setup("--fast");
    expect(status).toBe(64);
    expect(stderr).toMatch(/unknown option --fast\nUsage/);
  });

  it("says when there is no such command", () => {
    const { status, stderr } = setup("--", "no-such-command");
    expect(status).toBe(127);
    expect(stderr).toMatch(/cannot run no-such-command/);
  });

  it("hands a signal on and waits for the command's own end", async () => {
    const program =
      'process.on("SIGTERM", () => process.exit(5)); setInterval(() => {}, 1000); console.log("up")';
    const child = spawn(process.execPath, [script, "--quiet", "--", "node", "-e", program], {
      env,
      stdio: ["ignore", "pipe", "inherit"],
    });
    await new Promise((resolve) => child.stdout.once("data", resolve));
    child.kill("SIGTERM");
    expect(await new Promise((resolve) => child.once("exit", resolve))).toBe(5);
  });
});

describe("what tests use", () => {
  const empty = mkdtempSync(join(tmpdir(), "weir-setup-"));
  afterAll(() => rmSync(empty, { recursive: true }));

  /** What is run, and the last line that is said. */
  function prepared(environment: Record<string, string>, user: number, ...there: readonly string[]) {
    const ran: string[][] = [];
    const said: string[] = [];
    const actions = {
      say: (line: string) => void said.push(line),
      run: (program: string, parameters: string[]) => void ran.push([program, ...parameters]),
    };
    prepareTestTools(environment, actions, empty, user, (name) => there.includes(name));
    return { ran, said: said.at(-1) ?? "" };
  }
  const machines = ["qemu-system-x86_64", "cpio", "mke2fs", "busybox"];

  it.each([
    ["containers", "WEIR_SETUP_CONTAINERS", "podman-compose"],
    ["faults", "WEIR_SETUP_FAULTS", "faketime"],
    ["machines", "WEIR_SETUP_MACHINES", "qemu-system-x86"],
  ])("is installed by root when asked: %s", (_name, asked, wanted) => {
    const installed = prepared({ [asked]: "1" }, 0, "apt-get").ran.find(([, what]) => what === "install");
    expect(installed).toContain(wanted);
  });

  it("is not, when nobody asks, all is there, or nobody can", () => {
    expect(prepared({}, 0, "apt-get")).toEqual({ ran: [], said: "" });
    expect(prepared({ WEIR_SETUP_FAULTS: "1" }, 0, "apt-get", "strace", "faketime").ran).toEqual([]);
    for (const { ran, said } of [
      prepared({ WEIR_SETUP_FAULTS: "1" }, 1000, "apt-get"),
      prepared({ WEIR_SETUP_FAULTS: "1" }, 0, "brew"),
    ]) {
      expect(ran).toEqual([]);
      expect(said).toContain("strace and faketime will be skipped");
    }
  });

  it("for machines is a kernel as well, taken apart once", () => {
    expect(prepared({ WEIR_SETUP_MACHINES: "1" }, 0, "apt-get", ...machines).ran.at(-1)).toEqual([
      "sh",
      "-c",
      expect.stringContaining("dpkg -x"),
    ]);
    mkdirSync(join(empty, "kernel", "boot"), { recursive: true });
    expect(prepared({ WEIR_SETUP_MACHINES: "1" }, 0, "apt-get", ...machines).ran).toEqual([]);
  });

  it("that cannot be installed stops nothing: tests are skipped then", () => {
    const said: string[] = [];
    const run = (program: string) => {
      throw new Error(`${program} failed: no network`);
    };
    const say = (message: string) => void said.push(message);
    const isThere = (name: string) => name === "apt-get";
    prepareTestTools({ WEIR_SETUP_CONTAINERS: "1" }, { say, run }, empty, 0, isThere);
    expect(said.at(-1)).toBe("tests with containers will be skipped: apt-get failed: no network");
  });
});
