// Set-up against this very folder: it is idempotent, runs commands as they are, and hands signals on.

import { spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { engineDecision, prepareContainers } from "./setup-containers.mjs";
import { prepareFaultTools } from "./setup-faults.mjs";

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

describe("a container engine", () => {
  const there =
    (...names: readonly string[]) =>
    (name: string) =>
      names.includes(name);
  it.each([
    ["is left alone when nobody asks", {}, 0, there("apt-get"), "nothing"],
    ["is installed by root when asked", { WEIR_SETUP_CONTAINERS: "1" }, 0, there("apt-get"), "install"],
    [
      "is not, when it is there",
      { WEIR_SETUP_CONTAINERS: "1" },
      0,
      there("podman", "podman-compose"),
      "nothing",
    ],
    ["is not, by others than root", { WEIR_SETUP_CONTAINERS: "1" }, 1000, there("apt-get"), "without"],
    ["is not, on other systems", { WEIR_SETUP_CONTAINERS: "1" }, undefined, there("brew"), "without"],
  ])("%s", (_name, environment, user, isThere, action) => {
    expect(engineDecision(environment, user, isThere)).toEqual({ action, why: expect.any(String) });
  });

  it("that cannot be installed stops nothing: tests are skipped then", () => {
    const said: string[] = [];
    const run = (program: string) => {
      throw new Error(`${program} failed: no network`);
    };
    const say = (message: string) => void said.push(message);
    prepareContainers(
      { WEIR_SETUP_CONTAINERS: "1", PATH: process.env["PATH"] },
      { say, run },
      0,
      there("apt-get"),
    );
    expect(said.at(-1)).toBe("tests with containers will be skipped: apt-get failed: no network");
  });
});

describe("tools for fault runs", () => {
  /** What is run, and the last line that is said. */
  function prepared(environment: Record<string, string>, user: number, ...there: readonly string[]) {
    const ran: string[][] = [];
    const said: string[] = [];
    const actions = {
      say: (line: string) => void said.push(line),
      run: (program: string, parameters: string[]) => void ran.push([program, ...parameters]),
    };
    prepareFaultTools(environment, actions, user, (name) => there.includes(name));
    return { ran, said: said.at(-1) ?? "" };
  }

  it("are installed by root when asked, those that are missing", () => {
    const { ran } = prepared({ WEIR_SETUP_FAULTS: "1" }, 0, "apt-get", "strace");
    expect(ran.at(-1)).toEqual(["apt-get", "install", "-y", "-q", "--no-install-recommends", "faketime"]);
  });

  it("are not, when nobody asks, all are there, or nobody can", () => {
    expect(prepared({}, 0, "apt-get")).toEqual({ ran: [], said: "" });
    expect(prepared({ WEIR_SETUP_FAULTS: "1" }, 0, "apt-get", "strace", "faketime").ran).toEqual([]);
    const { ran, said } = prepared({ WEIR_SETUP_FAULTS: "1" }, 1000, "apt-get");
    expect(ran).toEqual([]);
    expect(said).toContain("strace and faketime will be skipped");
  });
});
