// Commands that only look leave nothing behind on a server where nobody has wanted anything yet: one that was named by mistake.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { jetstreamManager } from "@nats-io/jetstream";
import { afterAll, expect, test } from "vitest";
import { silentLog } from "../connect/connector-log.ts";
import { connectNats } from "../connect/nats-connection.ts";
import { startNatsServer } from "../connect/nats-server.ts";
import { WeirProcesses } from "./weir-process.fixture.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-looks-"));
const running = new WeirProcesses(folder);
const stops: (() => Promise<void>)[] = [];

afterAll(async () => {
  running.kill();
  for (const stop of stops) await stop();
  rmSync(folder, { recursive: true, force: true });
});

test("plan, devices and rollback make no buckets", { timeout: 60_000 }, async () => {
  const server = await startNatsServer({ name: "weir-looks-only" }, process.env);
  const link = await connectNats({ name: "test", servers: server.url }, silentLog);
  stops.push(
    () => link.close(),
    () => server.stop(),
  );
  writeFileSync(
    join(folder, "a.yaml"),
    "name: a\nsource: { host: { every: 1s } }\nsteps:\n  - sink: { stdout: {}, format: json }\n",
  );
  const at = ["--nats", server.url];
  const planned = await running.weir("plan", "a.yaml", "--host", "gateway", ...at);
  expect(planned).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\+ a /) });
  expect(await running.weir("plan", "a.yaml", "--fleet", ...at)).toMatchObject({ code: 0 });
  expect(await running.weir("devices", "--json", ...at)).toMatchObject({ code: 0, stdout: "[]\n" });
  expect(await running.weir("rollback", "a", "--host", "gateway", ...at)).toMatchObject({
    code: 64,
    stderr: expect.stringContaining("no pipeline a was ever wanted of gateway"),
  });
  const manager = await jetstreamManager(link.nats, { checkAPI: false });
  const names: string[] = [];
  for await (const name of manager.streams.names()) names.push(name);
  expect(names).toEqual([]);
});
