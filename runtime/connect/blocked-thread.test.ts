// The thread that reads the sockets stands still, while the server goes on: it cuts whoever does not read. No code of a user's runs
// on that thread; this one is stopped by force.

import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Worker } from "node:worker_threads";
import { payloadAt } from "../batch/payloads.ts";
import { type ConnectorLog, silentLog } from "./connector-log.ts";
import { connectNats, type NatsLink } from "./nats-connection.ts";
import { type RunningNatsServer, startNatsServer } from "./nats-server.ts";
import { natsSource } from "./nats-source.ts";

/** More than the buffers of a connection take. */
const [messages, messageBytes] = [1_000, 100_000] as const;
const blocked_ms = 3_000;

/** Publishes so many numbered messages from a thread of its own, and ends. */
const flood = `
const { workerData } = require("node:worker_threads");
const { connect } = require("@nats-io/transport-node");
void (async () => {
  const nats = await connect({ servers: workerData.url });
  const rest = " ".repeat(workerData.messageBytes);
  for (let n = 0; n < workerData.messages; n++) {
    nats.publish("flood", String(n) + rest);
    if (n % 10 === 9) await nats.flush();
  }
  await nats.drain();
})();`;

let server: RunningNatsServer;
let link: NatsLink;
const said: string[] = [];
const log: ConnectorLog = { info: (message) => said.push(message), warn: (message) => said.push(message) };

beforeEach(async () => {
  said.length = 0;
  server = await startNatsServer({ name: "weir-blocked", extra: 'write_deadline: "500ms"' }, process.env);
  link = await connectNats({ name: "blocked", servers: server.url }, log);
});

afterEach(async () => {
  await link.close();
  await server.stop();
});

it("is cut by the server, says for how long it was deaf, and goes on", async () => {
  const source = natsSource({ link, subject: "flood", overflow: "drop_oldest", log });
  await source.open();
  const data = { url: server.url, messages, messageBytes };
  const publisher = new Worker(flood, { eval: true, workerData: data });
  const published = new Promise((resolve) => publisher.once("exit", resolve));
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, blocked_ms);
  await vi.waitFor(() => expect(link.cuts).toBe(1), { timeout: 10_000 });
  await published;
  await vi.waitFor(() => expect(link.connected).toBe(true), { timeout: 10_000 });
  expect(said.join("\n")).toMatch(/ms without connection; what was published meanwhile is lost/);

  const other = await connectNats({ name: "other", servers: server.url }, silentLog);
  other.nats.publish("flood", "the next");
  await other.close();
  let last = "";
  let received = 0;
  while (last !== "the next") {
    const delivery = await source.read({ rows: 1_000, bytes: 1e9, wait_ms: 100, age_ms: 2 });
    if (delivery === null || delivery === "end") continue;
    const { payloads } = delivery;
    received += payloads.count;
    last = Buffer.from(payloadAt(payloads, payloads.count - 1)).toString();
  }
  expect(received).toBeLessThan(messages);
  expect(source.stats().deaf_ms).toBeGreaterThan(0);
  await source.close();
});
