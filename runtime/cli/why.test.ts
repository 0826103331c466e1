// weir why against running workers: what it says, and whom it finds.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { sleep, wallClock } from "../clock.ts";
import { silentLog } from "../connect/connector-log.ts";
import { connectNats, type NatsLink } from "../connect/nats-connection.ts";
import { startNatsServer, type RunningNatsServer } from "../connect/nats-server.ts";

const main = resolve(import.meta.dirname, "main.ts");
const folder = mkdtempSync(join(tmpdir(), "weir-why-test-"));
const environment = { ...process.env, NO_COLOR: "1", WEIR_RUN_FOLDER: join(folder, "run") };
const running: ReturnType<typeof spawn>[] = [];
let server: RunningNatsServer;
let link: NatsLink;

beforeAll(async () => {
  server = await startNatsServer({ name: "weir-why-test" }, process.env);
  link = await connectNats({ name: "test", servers: server.url }, silentLog);
});

afterAll(async () => {
  for (const child of running) child.kill("SIGKILL");
  await link?.close();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

function weir(...args: readonly string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [main, ...args], { cwd: folder, env: environment });
  running.push(child);
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  return new Promise((done) => child.once("close", (code) => done({ code, stdout, stderr })));
}

test("nobody runs", async () => {
  const { code, stderr } = await weir("why");
  expect(code).toBe(69);
  expect(stderr).toContain("weir run starts one");
});

test("a window that is open", { timeout: 60_000 }, async () => {
  writeFileSync(
    join(folder, "open.yaml"),
    `name: open
source:
  nats: { subject: "why.{device}" }
  format: json
  schema: { ts: time }
  time: { field: ts, lateness: 5s }
steps:
  - window: { tumbling: 1m, by: device, select: { n: count() } }
  - sink: { stdout: {}, format: json }
`,
  );
  const ended = weir("run", "open.yaml", "--nats", server.url);
  let said = "";
  while (!said.includes("1 window holds")) {
    link.nats.publish("why.a", JSON.stringify({ ts: Date.UTC(2020, 0, 1, 12, 0, 10) }));
    await sleep(wallClock, 100);
    said = (await weir("why", "open")).stdout;
  }
  expect(said).toMatch(/^open\n {2}event time is 2020-01-01T12:00:05.000Z, \d+d/);
  expect(said).toContain("its source has come to 2020-01-01T12:00:10.000Z, less a lateness of 5s");
  expect(said).toContain("its next rows are due at 2020-01-01T12:01:00.000Z: event time has 55s to go");
  const { stdout } = await weir("why", "--json");
  expect(JSON.parse(stdout)).toMatchObject([
    { name: "open", waiting: { steps: [{ step: "1 window", due: Date.UTC(2020, 0, 1, 12, 1) }] } },
  ]);
  const { code, stderr } = await weir("why", "opne");
  expect(code).toBe(64);
  expect(stderr).toContain("did you mean open?");
  running[1]!.kill("SIGTERM");
  expect((await ended).code).toBe(0);
});
