// Set-up against this very folder: it is idempotent, runs commands as they are, and hands signals on. The
// shipped server configurations are read by a real nats-server.

import { spawn, spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { findNatsServer, missingServerMessage } from "../runtime/connect/nats-server.ts";

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

describe("the shipped nats-server configurations", () => {
  it("are accepted by a nats-server", async () => {
    const command = await findNatsServer(process.env);
    if (command?.kind !== "binary") throw new Error(missingServerMessage(process.platform));
    const key = join(dirname(script), "nats", "edge.conf");
    const secrets = {
      WEIR_SENSOR_PASSWORD: "a",
      WEIR_PASSWORD: "b",
      WEIR_ADMIN_PASSWORD: "c",
      WEIR_NATS_STORE: "/tmp",
    };
    const result = spawnSync(command.path, ["-t", "-c", key], {
      encoding: "utf8",
      env: { ...process.env, ...secrets },
    });
    expect(result.stderr + result.stdout).toContain("is valid");
  });
});
