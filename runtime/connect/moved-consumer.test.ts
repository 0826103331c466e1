// A server moves consumers past messages that its stream still has (nats-server 2.9, where those of one subject are purged): all
// of them are read all the same, by a source that runs, by one that stood still, and by the next run.

import { type JetStreamManager, RetentionPolicy } from "@nats-io/jetstream";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { payloadAt } from "../batch/payloads.ts";
import type { Plain } from "../state/plain.ts";
import { readPlain, written } from "../state/written.ts";
import type { Source } from "./connect.ts";
import type { ConnectorLog } from "./connector-log.ts";
import { managerOf } from "./jetstream-requests.ts";
import { jetstreamSource } from "./jetstream-source.ts";
import { connectNats, type NatsLink } from "./nats-connection.ts";
import { startNatsServer, type RunningNatsServer } from "./nats-server.ts";

let folder: string;
let server: RunningNatsServer;
let link: NatsLink;
/** Who publishes is not cut. */
let other: NatsLink;
let manager: JetStreamManager;
const log: ConnectorLog = { info: () => {}, warn: () => {} };

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "weir-moved-"));
  server = await startNatsServer({ name: "weir-moved", storeDir: folder }, process.env);
  link = await connectNats({ name: "test", servers: server.url }, log);
  other = await connectNats({ name: "other", servers: server.url }, log);
  manager = await managerOf(other, null);
});

afterEach(async () => {
  await Promise.all([link.close(), other.close()]);
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function publish(from: number, to: number): Promise<void> {
  for (let n = from; n < to; n++) await other.nats.request("in.a", String(n), { timeout: 5_000 });
}

async function open(resume: Plain, messagesMax: number): Promise<Source> {
  const source = jetstreamSource({ link, stream: "IN", subject: "in.>", consumer: "weir", log, messagesMax });
  await source.open(resume === null ? null : readPlain(written(resume)));
  return source;
}

/** Reads until that many came; fails where nothing comes any more. */
async function read(source: Source, count: number): Promise<{ all: number[]; position: Plain }> {
  const all: number[] = [];
  let position: Plain = null;
  for (let silences = 0; all.length < count && silences < 80; ) {
    const delivery = await source.read({
      rows: count - all.length,
      bytes: 1_000_000,
      wait_ms: 100,
      age_ms: 2,
    });
    if (delivery === "end") break;
    if (delivery === null) silences++;
    if (delivery === null) continue;
    for (let row = 0; row < delivery.payloads.count; row++)
      all.push(Number(Buffer.from(payloadAt(delivery.payloads, row)).toString()));
    position = delivery.position;
    await source.commit(position);
  }
  return { all, position };
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);
const sorted = (all: readonly number[]): number[] => all.toSorted((one, other) => one - other);
const { Limits, Interest, Workqueue } = RetentionPolicy;

for (const retention of [Limits, Interest, Workqueue])
  for (const subjects of [["in.>"], ["in.>", "other.>"]]) {
    const where = `of ${subjects.join(" and ")}, by ${retention}`;

    it(`reads what a purge of another subject had it moved past, ${where}`, async () => {
      await manager.streams.add({ name: "IN", subjects, retention });
      const source = await open(null, 10);
      await publish(0, 20);
      const before = await read(source, 5);
      await publish(20, 60);
      await manager.streams.purge("IN", { filter: "in.none" });
      await publish(60, 65);
      const behind = await read(source, 60);
      expect(sorted([...before.all, ...behind.all])).toEqual(range(0, 65));
      if (retention !== Workqueue) expect([...before.all, ...behind.all]).toEqual(range(0, 65));
      expect(source.stats().dropped).toEqual({});
      await source.close();
    });

    it(`reads it where the connection was cut meanwhile, ${where}`, async () => {
      await manager.streams.add({ name: "IN", subjects, retention });
      const source = await open(null, 10);
      await publish(0, 20);
      const before = await read(source, 5);
      await publish(20, 60);
      await manager.streams.purge("IN", { filter: "in.none" });
      await link.nats.reconnect();
      await publish(60, 65);
      expect(sorted([...before.all, ...(await read(source, 60)).all])).toEqual(range(0, 65));
      await source.close();
    });

    // This takes the source some looks at the server, which are a second apart.
    const itOnce = it.runIf(subjects.length === 1 && retention !== Interest);
    itOnce(`reads it where nothing is stored behind it, ${where}`, async () => {
      await manager.streams.add({ name: "IN", subjects, retention });
      const source = await open(null, 10);
      await publish(0, 20);
      const before = await read(source, 5);
      await publish(20, 60);
      await manager.streams.purge("IN", { filter: "in.none" });
      const behind = await read(source, 55);
      expect(sorted([...before.all, ...behind.all])).toEqual(range(0, 60));
      await source.close();
    });

    it(`reads it in the next run, ${where}`, async () => {
      await manager.streams.add({ name: "IN", subjects, retention });
      const first = await open(null, 100);
      await publish(0, 20);
      const { all, position } = await read(first, 20);
      await first.close();
      await publish(20, 60);
      await manager.streams.purge("IN", { filter: "in.none" });
      await publish(60, 65);
      const second = await open(position, 100);
      expect(sorted([...all, ...(await read(second, 45)).all])).toEqual(range(0, 65));
      expect(second.stats().dropped).toEqual({});
      await second.close();
    });
  }
