// Rows to core NATS where a user may not publish everything: what the server does not take is counted, and only that.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { silentLog } from "./connector-log.ts";
import { connectNats, type NatsLink } from "./nats-connection.ts";
import { natsSink } from "./nats-sink.ts";
import { type RunningNatsServer, startNatsServer } from "./nats-server.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-nats-sink-test-"));
const payload = new TextEncoder().encode("12345");
let server: RunningNatsServer;
let link: NatsLink;

beforeAll(async () => {
  const extra =
    'authorization { users: [{ user: u, password: p, permissions: { publish: { deny: ["closed.>"] } } }] }';
  server = await startNatsServer({ name: "weir-nats-sink", storeDir: folder, extra }, process.env);
  link = await connectNats({ name: "test", servers: server.url, user: "u", password: "p" }, silentLog);
});

afterAll(async () => {
  await link?.close();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

it.each([
  ["none", 0],
  ["one", 1],
  ["some", 3],
  ["most, over many round trips", 10_000],
])("counts rows that may not be published: %s", async (_name, refused) => {
  const taken: string[] = [];
  const subscription = link.nats.subscribe(">", {
    callback: (_fault, message) => void taken.push(message.subject),
  });
  await link.flush();
  const sink = natsSink({ link, log: silentLog });
  const other = natsSink({ link, log: silentLog });
  for (const each of [sink, other]) await each.open();
  for (let n = 0; n < 3_000; n++) {
    sink.write({ subject: `open.${n % 7}`, payload, id: null, caused: 0 });
    other.write({ subject: "open.other", payload, id: null, caused: 0 });
  }
  for (let n = 0; n < refused; n++) {
    sink.write({ subject: `closed.${n % 5}`, payload, id: null, caused: 0, rows: 2 });
    if (n % 3 === 0) sink.write({ subject: "open.between", payload, id: null, caused: 0 });
  }
  await sink.flush();
  await other.flush();
  const between = Math.ceil(refused / 3);
  expect(sink.stats()).toEqual({
    rows: 3_000 + between,
    bytes: (3_000 + between) * payload.length,
    pending: 0,
    dropped: refused === 0 ? {} : { not_permitted: refused * 2 },
  });
  expect(other.stats()).toMatchObject({ rows: 3_000, pending: 0, dropped: {} });
  await link.flush();
  expect(taken.filter((subject) => subject.startsWith("open."))).toHaveLength(6_000 + between);
  expect(taken.filter((subject) => subject.startsWith("closed."))).toEqual([]);
  subscription.unsubscribe();
  for (const each of [sink, other]) await each.close();
});
