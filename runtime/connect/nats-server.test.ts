// The started server is the one asked for, and never outlives whoever started it. Runs real servers.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { sleep, wallClock } from "../clock.ts";
import { WeirError } from "../errors.ts";
import {
  findNatsServer,
  givenOrStartedNatsServer,
  missingServerMessage,
  startNatsServer,
} from "./nats-server.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-nats-test-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const finish = (value: boolean): void => {
      socket.destroy();
      resolve(value);
    };
    socket.once("connect", () => finish(true));
    socket.once("error", () => finish(false));
  });
}

async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await condition())) await sleep(wallClock, 20);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function program(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  chmodSync(path, 0o755);
  return path;
}

describe("finding a server", () => {
  it("takes WEIR_NATS_SERVER before anything else", async () => {
    const path = program("my-nats", "#!/bin/sh\n");
    expect(await findNatsServer({ WEIR_NATS_SERVER: path, PATH: "/usr/bin" })).toEqual({
      kind: "binary",
      path,
    });
  });

  it("refuses a WEIR_NATS_SERVER that is no program", async () => {
    const fault = findNatsServer({ WEIR_NATS_SERVER: join(folder, "absent") });
    await expect(fault).rejects.toThrow(/absent.*not a program/);
    await expect(fault).rejects.toMatchObject({ code: "WEIR_NATS_SERVER_MISSING", exitCode: 2 });
  });

  it("finds the one that the other tests need", async () => {
    expect(await findNatsServer(process.env), missingServerMessage(process.platform)).not.toBeNull();
  });

  it.each([
    ["linux", "sudo apt-get update && sudo apt-get install -y --no-install-recommends nats-server"],
    ["darwin", "brew install nats-server"],
    ["win32", "choco install nats-server"],
  ])("tells the exact line for %s", (platform, line) => {
    const message = missingServerMessage(platform);
    expect(message).toContain(line);
    expect(message).toContain("WEIR_NATS_URL");
  });
});

describe("a started server", () => {
  it("serves NATS and MQTT on loopback and leaves nothing behind", async () => {
    const server = await startNatsServer({ name: "weir-test", domain: "edge", mqtt: true }, process.env);
    expect(await accepts(server.port)).toBe(true);
    expect(await accepts(Number(new URL(server.mqttUrl!).port))).toBe(true);
    expect(server.serverId).toMatch(/^N[A-Z2-7]+$/);
    await server.stop();
    await server.exited;
    expect(await accepts(server.port)).toBe(false);
  });

  it("comes back on its port with its store after it was killed", async () => {
    const storeDir = join(folder, "store");
    const first = await startNatsServer({ name: "weir-phoenix", storeDir }, process.env);
    await first.kill();
    expect(await accepts(first.port)).toBe(false);
    await first.stop();
    expect(existsSync(storeDir)).toBe(true);
    const second = await startNatsServer({ name: "weir-phoenix", storeDir, port: first.port }, process.env);
    expect(second.url).toBe(first.url);
    expect(second.serverId).not.toBe(first.serverId);
    await second.stop();
  });

  it("says why it did not start", async () => {
    const start = startNatsServer({ name: "weir-broken", extra: "no_such_option: 1" }, process.env);
    await expect(start).rejects.toBeInstanceOf(WeirError);
    await expect(start).rejects.toThrow(/no_such_option|it wrote no log/);
  });

  it("is gone, store included, once its parent was killed", async () => {
    const script = join(folder, "parent.mjs");
    const module = JSON.stringify(join(import.meta.dirname, "nats-server.ts"));
    writeFileSync(
      script,
      `import { readdirSync } from "node:fs";
import { startNatsServer } from ${module};
const server = await startNatsServer({ name: "weir-orphan" }, process.env);
console.log(JSON.stringify({ port: server.port, folders: readdirSync(process.env.TMPDIR) }));
setInterval(() => {}, 1000);`,
    );
    const parent = spawn(process.execPath, [script], {
      env: { ...process.env, TMPDIR: folder },
      stdio: ["ignore", "pipe", "inherit"],
    });
    const line = await new Promise<string>((resolve) => {
      parent.stdout.once("data", (chunk: Buffer) => resolve(chunk.toString()));
    });
    const { port, folders } = JSON.parse(line) as { port: number; folders: string[] };
    const own = folders.find((name) => name.startsWith("weir-nats-"));
    expect(own).toBeDefined();
    expect(await accepts(port)).toBe(true);
    const ended = once(parent, "exit");
    parent.kill("SIGKILL");
    await ended;
    await until(async () => !(await accepts(port)));
    await until(() => !existsSync(join(folder, own!)));
    expect(isAlive(parent.pid!)).toBe(false);
  });

  it("runs under a container engine's command line when there is no binary", async () => {
    const found = await findNatsServer(process.env);
    if (found?.kind !== "binary") throw new Error(missingServerMessage(process.platform));
    // Stands where docker would: checks that it is called as docker expects, then runs the same server.
    const engine = program(
      "docker",
      `#!/bin/sh
case "$1" in
  info) exit 0 ;;
  rm) echo "$3" > ${JSON.stringify(join(folder, "removed"))}; exit 0 ;;
  run) while [ "$1" != "-c" ]; do shift; done; exec ${JSON.stringify(found.path)} "$@" ;;
esac
exit 1
`,
    );
    const command = { kind: "container", engine, image: "nats:2.12-alpine" } as const;
    const server = await startNatsServer({ name: "weir-contained", command }, process.env);
    expect(await accepts(server.port)).toBe(true);
    await server.stop();
    expect(existsSync(join(folder, "removed"))).toBe(true);
  });
});

it("uses a given server as it is, and does not end it", async () => {
  const server = await startNatsServer({ name: "weir-given" }, process.env);
  const given = await givenOrStartedNatsServer({ name: "other" }, { WEIR_NATS_URL: server.url });
  expect(given).toMatchObject({ url: server.url, given: true });
  await given.stop();
  expect(await accepts(server.port)).toBe(true);
  await server.stop();
});
