// Commands of a fleet with a server that is there and does not do what they ask: each says which server, what it said and what to do.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { jetstreamManager } from "@nats-io/jetstream";
import { afterAll, beforeAll, expect, test } from "vitest";
import { sleep, wallClock } from "../clock.ts";
import { silentLog } from "../connect/connector-log.ts";
import { connectNats } from "../connect/nats-connection.ts";
import { type RunningNatsServer, startNatsServer } from "../connect/nats-server.ts";
import { WeirProcesses } from "./weir-process.fixture.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-sf-"));
const processes = new WeirProcesses(folder);
let server: RunningNatsServer;

const accounts = `
accounts {
  WITHOUT: { users: [{ user: without, password: p }] }
  WITH: {
    jetstream: enabled
    users: [
      { user: all, password: p }
      { user: little, password: p, permissions: { publish: ["some.>"], subscribe: ["_INBOX.>"] } }
    ]
  }
}`;

beforeAll(async () => {
  server = await startNatsServer({ name: "weir-server-faults-test", extra: accounts }, process.env);
  writeFileSync(
    join(folder, "p.yaml"),
    "name: p\nsource: { nats: { subject: a } , format: json }\nsteps:\n  - sink: { stdout: {}, format: json }\n",
  );
});

afterAll(async () => {
  processes.kill();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const as = (user: string): string => server.url.replace("nats://", `nats://${user}:p@`);

const commands = [
  ["devices"],
  ["plan", "p.yaml", "--host", "a"],
  ["apply", "p.yaml", "--host", "a"],
  ["rollback", "p", "--host", "a"],
  ["drain", "--host", "a"],
];

test.each(commands)(
  "%s: a server without JetStream, and one that does not let this user",
  async (...command) => {
    const without = await processes.weir(...command, "--nats", as("without"));
    expect([without.code, without.stderr]).toEqual([
      69,
      expect.stringMatching(
        /^error: nats "default": its server has no JetStream for this account, and keeps no buckets: .*\n {2}name the connection with the buckets, --to NAME, or .*\n$/m,
      ),
    ]);
    const little = await processes.weir(...command, "--nats", as("little"));
    expect([little.code, little.stderr]).toEqual([
      77,
      expect.stringMatching(
        /^error: nats "default": the server says: Permissions Violation for .*\n {2}ask as a user who may, .*\n$/m,
      ),
    ]);
    for (const { stderr } of [without, little]) expect(stderr).not.toContain("fault of weir's");
  },
);

test("a bucket that has no more room is said", async () => {
  const link = await connectNats({ name: "test", servers: as("all") }, silentLog);
  const manager = await jetstreamManager(link.nats, { checkAPI: false });
  expect((await processes.weir("apply", "p.yaml", "--host", "b", "--nats", as("all"))).code).toBe(0);
  await manager.streams.update("KV_weir_desired", { max_bytes: 1 });
  const { code, stderr } = await processes.weir("apply", "p.yaml", "--host", "a", "--nats", as("all"));
  expect([code, stderr]).toEqual([
    69,
    expect.stringContaining('error: nats "default": the server refuses: maximum bytes exceeded\n'),
  ]);
  await link.close();
});

test("a control centre waits until its server keeps buckets", { timeout: 60_000 }, async () => {
  const store = join(folder, "js");
  const first = await startNatsServer(
    { name: "weir-late-test", extra: "accounts { A: { users: [{ user: a, password: p }] } }" },
    process.env,
  );
  const url = first.url.replace("nats://", "nats://a:p@");
  const { child, says, ended } = processes.start(["control", "--log", "text", "--nats", url]);
  await says('nats "default": its server has no JetStream for this account');
  await first.stop();
  const second = await startNatsServer(
    {
      name: "weir-late-test",
      storeDir: store,
      port: first.port,
      extra: "accounts { A: { jetstream: enabled, users: [{ user: a, password: p }] } }",
    },
    process.env,
  );
  await says("answers; what is silent for 120 s is lost");
  child.kill("SIGTERM");
  expect((await ended).code).toBe(0);
  // One that waits ends as well.
  await second.stop();
  const third = await startNatsServer(
    {
      name: "weir-late-test",
      port: first.port,
      extra: "accounts { A: { users: [{ user: a, password: p }] } }",
    },
    process.env,
  );
  const waiting = processes.start(["control", "--log", "text", "--nats", url]);
  await waiting.says("trying again for ever");
  await sleep(wallClock, 100);
  waiting.child.kill("SIGINT");
  expect((await waiting.ended).code).toBe(0);
  await third.stop();
});
