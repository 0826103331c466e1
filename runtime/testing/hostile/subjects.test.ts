// Devices whose names would be subjects of somebody else's, through a worker and a real nats-server: a name is one token of the
// subject that the pipeline says, or no subject at all; and what is too large for the server holds up nothing.

import { jetstreamManager, type JetStreamManager } from "@nats-io/jetstream";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { silentLog } from "../../connect/connector-log.ts";
import { connectNats, type NatsLink } from "../../connect/nats-connection.ts";
import { type RunningNatsServer, startNatsServer } from "../../connect/nats-server.ts";
import { type RunningWorker, runWorker } from "./running-worker.fixture.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-hostile-"));
const payloadMax = 4_096;
let server: RunningNatsServer;
let link: NatsLink;
let manager: JetStreamManager;

beforeAll(async () => {
  server = await startNatsServer({ name: "weir-hostile", extra: `max_payload: ${payloadMax}` }, process.env);
  link = await connectNats({ name: "test", servers: server.url }, silentLog);
  manager = await jetstreamManager(link.nats);
  await manager.streams.add({ name: "VICTIM", subjects: ["victim.>"] });
});

afterAll(async () => {
  await link?.close();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function running(name: string, steps: string, rest = ""): Promise<RunningWorker> {
  await manager.streams.add({ name: `${name}-in`, subjects: [`${name}.in`] });
  const source = `nats: { subject: ${name}.in, stream: ${name}-in }`;
  const text = `name: ${name}\nsource:\n  ${source}\n  format: json\n  schema: { device: string }\nsteps:\n${steps}${rest}`;
  return runWorker(folder, server.url, { name, text });
}

async function stored(stream: string, count: number): Promise<{ subject: string; device: string }[]> {
  await vi.waitFor(async () => expect((await manager.streams.info(stream)).state.messages).toBe(count), {
    timeout: 10_000,
    interval: 50,
  });
  const all = Array.from({ length: count }, (_, place) =>
    manager.streams.getMessage(stream, { seq: place + 1 }),
  );
  return (await Promise.all(all)).map((each) => ({
    subject: each!.subject,
    device: (each!.json() as { device: string }).device,
  }));
}

const strangers = [
  "$JS.API.STREAM.DELETE.VICTIM",
  "$SYS.REQ.SERVER.PING",
  "victim.a",
  "..",
  "*",
  ">",
  "a b",
  "a\r\nPUB victim.a 0\r\n\r\n",
  "a\u0000b",
  "",
  "\u202eevil",
  "_INBOX.x",
];
const tooLong = [Array.from({ length: 1_000 }, () => "t").join("."), "x".repeat(1_000)];

it("names in the middle of a subject stay one token of it", async () => {
  const worker = await running(
    "middle",
    '  - sink: { nats: { subject: "middle.out.{device}.row", stream: middle-out }, format: json }\n',
  );
  const devices = [...strangers, ...tooLong, "last"];
  for (const device of devices) link.nats.publish("middle.in", JSON.stringify({ device }));
  const rows = await stored("middle-out", strangers.length + 1);
  expect(rows.map(({ device }) => device)).toEqual([...strangers, "last"]);
  for (const { subject } of rows) expect(subject).toMatch(/^middle\.out\.[^.*>$\s\p{C}]+\.row$/u);
  expect(worker.status().sinks[0]!.dropped).toEqual({ subject: tooLong.length });
  await worker.end();
});

it("names that are all of a subject reach nobody else, and what the server finds too large goes nowhere", async () => {
  const heard: string[] = [];
  const listening = link.nats.subscribe(">", { callback: (_, { subject }) => void heard.push(subject) });
  const worker = await running(
    "whole",
    '  - sink: { nats: { subject: "{device}" }, format: json }\n',
    "dead_letter: { nats: { subject: whole.dead, stream: whole-dead } }\n",
  );
  for (const device of [...strangers, "last-whole"])
    link.nats.publish("whole.in", JSON.stringify({ device }));
  // A dead letter says more than the record, and has no room to say it.
  link.nats.publish("whole.in", `{"device":${"x".repeat(payloadMax - 20)}`);
  link.nats.publish("whole.in", '{"device":');
  await vi.waitFor(() => expect(heard).toContain("last-whole"), { timeout: 10_000 });
  await vi.waitFor(async () => expect((await manager.streams.info("whole-dead")).state.messages).toBe(1), {
    timeout: 10_000,
    interval: 50,
  });
  listening.unsubscribe();
  const counts = worker.status();
  await worker.end();
  expect(
    heard.filter((subject) => subject.startsWith("victim.") || subject.startsWith("$JS.API.STREAM.DELETE")),
  ).toEqual([]);
  expect(JSON.stringify(counts)).toContain('"oversize":1');
  expect((await manager.streams.info("VICTIM")).state.messages).toBe(0);
});
