// What sources and sinks do when the server dies, comes back, forgets or refuses. Real servers are killed.

import { DiscardPolicy, RetentionPolicy, AckPolicy, type JetStreamManager } from "@nats-io/jetstream";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { payloadAt } from "../batch/payloads.ts";
import { sleep, wallClock } from "../clock.ts";
import type { ReadLimits, Source } from "./connect.ts";
import { silentLog, type ConnectorLog } from "./connector-log.ts";
import { managerOf } from "./jetstream-requests.ts";
import { jetstreamSink } from "./jetstream-sink.ts";
import { jetstreamSource } from "./jetstream-source.ts";
import { connectNats, type NatsLink } from "./nats-connection.ts";
import { startNatsServer, type RunningNatsServer } from "./nats-server.ts";
import { natsSink } from "./nats-sink.ts";
import { natsSource } from "./nats-source.ts";

let folder: string;
let server: RunningNatsServer;
let link: NatsLink;
let manager: JetStreamManager;
let said: string[];
const log: ConnectorLog = { info: (message) => said.push(message), warn: (message) => said.push(message) };
const limits: ReadLimits = { rows: 500, bytes: 1_000_000, wait_ms: 50, age_ms: 2 };

beforeEach(async () => {
  said = [];
  folder = mkdtempSync(join(tmpdir(), "weir-faults-"));
  server = await startNatsServer({ name: "weir-faults", storeDir: folder }, process.env);
  link = await connectNats({ name: "test", servers: server.url }, log);
  manager = await managerOf(link, null);
});

afterEach(async () => {
  await link.close();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function restart(): Promise<void> {
  await server.kill();
  await server.stop();
  server = await startNatsServer({ name: "weir-faults", storeDir: folder, port: server.port }, process.env);
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(wallClock, 10);
}

async function store(subject: string, from: number, to: number): Promise<void> {
  const sink = jetstreamSink({ link, stream: { name: "IN", subjects: ["in.>"] }, log: silentLog });
  await sink.open();
  for (let n = from; n < to; n++) {
    sink.write({ subject, payload: Buffer.from(String(n)), id: `${subject}-${n}`, caused: n });
  }
  await sink.flush();
  await sink.close();
}

/** Numbers read until `count` are there; commits up to the first `commit` of them. */
async function numbers(source: Source, count: number, commit = 0): Promise<number[]> {
  const all: number[] = [];
  while (all.length < count) {
    const target = commit > all.length ? commit : count;
    const delivery = await source.read({ ...limits, rows: Math.min(limits.rows, target - all.length) });
    if (delivery === "end") break;
    if (delivery === null) continue;
    for (let row = 0; row < delivery.payloads.count; row++) {
      all.push(Number(Buffer.from(payloadAt(delivery.payloads, row)).toString()));
    }
    if (all.length <= commit) await source.commit(delivery.position);
  }
  return all;
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);
const durable = () => jetstreamSource({ link, stream: "IN", subject: "in.a", consumer: "weir", log });

describe("a JetStream source", () => {
  it("reads again what was not committed, in order, and nothing that was", async () => {
    await store("in.a", 0, 1_000);
    const first = durable();
    await first.open();
    await numbers(first, 600, 300);
    await first.close();
    const second = durable();
    await second.open();
    expect(await numbers(second, 700, 700)).toEqual(range(300, 1_000));
    await second.close();
    const third = durable();
    await third.open();
    expect(third.stats().lag).toBe(0);
    expect(await third.read(limits)).toBeNull();
    await third.close();
  });

  it("acknowledges no message before all of its records are done", async () => {
    await store("in.a", 0, 1);
    const lines = (from: number, to: number): string => range(from, to).join("\n");
    for (const message of [lines(1, 30), "\n", lines(30, 40)]) link.nats.publish("in.a", message);
    await link.nats.flush();
    const open = async (): Promise<Source> => {
      const source = jetstreamSource({
        link,
        stream: "IN",
        subject: "in.a",
        consumer: "weir",
        framing: "lines",
        log,
      });
      await source.open();
      return source;
    };
    const first = await open();
    expect(await numbers(first, 20, 20)).toEqual(range(0, 20));
    await first.close();
    const second = await open();
    expect(await numbers(second, 34, 34)).toEqual(range(1, 35));
    await second.close();
    const third = await open();
    expect(await numbers(third, 10, 10)).toEqual(range(30, 40));
    expect(third.stats().lag).toBe(0);
    await third.close();
    const fourth = await open();
    expect(await fourth.read(limits)).toBeNull();
    await fourth.close();
  });

  it("finishes the exchange of its consumer that another run had begun", async () => {
    await store("in.a", 0, 100);
    const first = durable();
    await first.open();
    await numbers(first, 50, 40);
    await first.close();
    // The state between making the bookmark and making the successor. The broker takes acknowledgements a little after they were sent.
    const ack_floor = await vi.waitFor(async () => {
      const info = await manager.consumers.info("IN", "weir");
      expect(info.ack_floor.stream_seq).toBe(40);
      return info.ack_floor;
    });
    await manager.consumers.add("IN", {
      durable_name: "weir-resume",
      ack_policy: AckPolicy.All,
      filter_subject: "in.a",
      deliver_policy: "by_start_sequence",
      opt_start_seq: ack_floor.stream_seq + 1,
    });
    await manager.consumers.delete("IN", "weir");
    const second = durable();
    await second.open();
    expect(await numbers(second, 60)).toEqual(range(40, 100));
    await expect(manager.consumers.info("IN", "weir-resume")).rejects.toThrow(/not found/);
    await second.close();
  });

  it.each(["weir", null])(
    "hands out each message once through crashes of the server (consumer %s)",
    async (consumer) => {
      await store("in.a", 0, 2_000);
      const options = { link, stream: "IN", subject: "in.a", log };
      const source = jetstreamSource(consumer === null ? options : { ...options, consumer });
      await source.open();
      const read = await numbers(source, 700, 300);
      for (let crash = 0; crash < 2; crash++) {
        await restart();
        read.push(...(await numbers(source, 600)));
      }
      read.push(...(await numbers(source, 2_000 - read.length)));
      expect(read).toEqual(range(0, 2_000));
      await source.close();
    },
  );

  it("goes on when its consumer is deleted under it", async () => {
    await store("in.a", 0, 100);
    const source = durable();
    await source.open();
    const read = await numbers(source, 100, 60);
    await manager.consumers.delete("IN", "weir");
    await store("in.a", 100, 200);
    read.push(...(await numbers(source, 100)));
    expect(read).toEqual(range(0, 200));
    await source.close();
  });

  it("reads a stream that was made anew from its start, and says so", async () => {
    await store("in.a", 0, 100);
    const source = durable();
    await source.open();
    await numbers(source, 100, 100);
    await manager.streams.delete("IN");
    await store("in.a", 500, 520);
    expect(await numbers(source, 20)).toEqual(range(500, 520));
    await source.close();
  });

  it("waits for a stream that does not exist yet, says so once, and can be stopped", async () => {
    const source = durable();
    const opened = source.open();
    await until(() => said.length > 0);
    expect(said).toEqual([expect.stringContaining("the stream does not exist (yet)")]);
    await store("in.a", 0, 10);
    await opened;
    expect(await numbers(source, 10)).toEqual(range(0, 10));
    await source.close();
    const never = jetstreamSource({ link, stream: "NEVER", subject: "never", log });
    const failed = expect(never.open()).rejects.toMatchObject({ code: "WEIR_NATS_UNAVAILABLE" });
    await never.close();
    await failed;
  });

  it("reads a work queue with acknowledgements of its own", async () => {
    await manager.streams.add({ name: "WQ", subjects: ["wq"], retention: RetentionPolicy.Workqueue });
    for (let n = 0; n < 50; n++) link.nats.publish("wq", String(n));
    const source = jetstreamSource({ link, stream: "WQ", subject: "wq", consumer: "weir", log });
    await source.open();
    expect(await numbers(source, 50, 50)).toEqual(range(0, 50));
    await source.close();
    // The broker has read the acknowledgements by now; it takes them out of the queue a little later.
    await vi.waitFor(async () => expect((await manager.streams.info("WQ")).state.messages).toBe(0), {
      timeout: 5_000,
    });
  });

  it("delivers records of any size within its memory", async () => {
    await manager.streams.add({ name: "BIG", subjects: ["big"] });
    for (let n = 0; n < 40; n++) {
      link.nats.publish("big", Buffer.alloc(1_000_000, n));
      await link.nats.flush();
    }
    const source = jetstreamSource({ link, stream: "BIG", subject: "big", log, bytesMax: 4_000_000 });
    await source.open();
    const seen: number[] = [];
    while (seen.length < 40) {
      const delivery = await source.read(limits);
      if (delivery === null || delivery === "end") continue;
      for (let row = 0; row < delivery.payloads.count; row++)
        seen.push(payloadAt(delivery.payloads, row)[0]!);
      // The rest waits at the server.
      expect(source.stats().lag! + seen.length).toBeGreaterThanOrEqual(40);
    }
    expect(seen).toEqual(range(0, 40));
    await source.close();
  });

  it("refuses a consumer that was made for something else", async () => {
    await store("in.a", 0, 1);
    await manager.consumers.add("IN", {
      durable_name: "weir",
      filter_subject: "in.b",
      ack_policy: AckPolicy.All,
    });
    await expect(durable().open()).rejects.toThrow(/consumer weir of stream IN reads in\.b, not in\.a/);
  });
});

describe("a JetStream sink", () => {
  it("stores every row once through crashes of the server", async () => {
    const sink = jetstreamSink({ link, stream: { name: "OUT", subjects: ["out"] }, log });
    await sink.open();
    let n = 0;
    for (let crash = 0; crash < 3; crash++) {
      const stopped = sleep(wallClock, 30 * crash).then(restart);
      for (let i = 0; i < 1_000; i++, n++) {
        sink.write({ subject: "out", payload: Buffer.from(String(n)), id: `out-${n}`, caused: n });
        if (n % 100 === 0) await sleep(wallClock, 1);
      }
      await stopped;
    }
    await sink.flush();
    expect(sink.stats()).toMatchObject({ rows: n, pending: 0, dropped: {} });
    await sink.close();
    const source = jetstreamSource({ link, stream: "OUT", subject: "out", log });
    await source.open();
    const all = await numbers(source, n);
    expect((await manager.streams.info("OUT")).state.messages).toBe(n);
    expect(all.sort((a, b) => a - b)).toEqual(range(0, n));
    await source.close();
  });

  it("never alters a stream that exists, and says which subjects it lacks", async () => {
    await manager.streams.add({ name: "OUT", subjects: ["other"], max_msgs: 7 });
    const sink = jetstreamSink({ link, stream: { name: "OUT", subjects: ["out"] }, log });
    await sink.open();
    expect(said.join()).toContain("do not hold out");
    expect((await manager.streams.info("OUT")).config).toMatchObject({ subjects: ["other"], max_msgs: 7 });
    await sink.close();
  });

  it("says what is in the way of rows that wait, and no more once they went", async () => {
    await manager.streams.add({ name: "OUT", subjects: ["out"], max_msgs: 1, discard: DiscardPolicy.New });
    const sink = jetstreamSink({ link, stream: { name: "OUT", subjects: ["out"] }, log });
    await sink.open();
    for (const text of ["1", "2"])
      sink.write({ subject: "out", payload: Buffer.from(text), id: null, caused: 0 });
    await vi.waitFor(() =>
      expect(sink.stats()).toMatchObject({
        pending: 1,
        hindrance: "refused: maximum messages exceeded; trying again for ever",
      }),
    );
    await manager.streams.update("OUT", { max_msgs: 5 });
    await sink.flush();
    expect(sink.stats()).not.toHaveProperty("hindrance");
    await sink.close();
  });

  it("makes the stream again when it was deleted", async () => {
    const sink = jetstreamSink({ link, stream: { name: "OUT", subjects: ["out"] }, log });
    await sink.open();
    await manager.streams.delete("OUT");
    sink.write({ subject: "out", payload: Buffer.from("1"), id: null, caused: 0 });
    await sink.flush();
    expect((await manager.streams.info("OUT")).state.messages).toBe(1);
    await sink.close();
  });
});

describe("core NATS", () => {
  it("counts each record that a full queue drops, by policy", async () => {
    const options = { link, subject: "flood", log, messagesMax: 100 };
    const oldest = natsSource({ ...options, overflow: "drop_oldest" });
    const newest = natsSource({ ...options, overflow: "drop_newest" });
    await oldest.open();
    await newest.open();
    for (let n = 0; n < 250; n++) link.nats.publish("flood", String(n));
    await link.nats.flush();
    expect(await numbers(oldest, 100)).toEqual(range(150, 250));
    expect(await numbers(newest, 100)).toEqual(range(0, 100));
    expect(oldest.stats().dropped).toEqual({ overflow: 150 });
    expect(newest.stats().dropped).toEqual({ overflow: 150 });
    expect(said.filter((line) => line.includes("the queue is full"))).toHaveLength(2);
    await oldest.close();
    await newest.close();
  });

  it("goes on after the server was away, and says for how long it was deaf", async () => {
    const source = natsSource({ link, subject: "core", overflow: "drop_oldest", log });
    const sink = natsSink({ link, log });
    await source.open();
    await sink.open();
    sink.write({ subject: "core", payload: Buffer.from("1"), id: null, caused: 0 });
    await sink.flush();
    await restart();
    // Written while the client may still believe in the old connection, or know better: never lost uncounted.
    sink.write({ subject: "core", payload: Buffer.from("2"), id: null, caused: 0 });
    await until(() => link.connected && link.cuts === 1);
    sink.write({ subject: "core", payload: Buffer.from("3"), id: null, caused: 0 });
    await sink.flush();
    const { rows, dropped } = sink.stats();
    expect(rows + (dropped["unconfirmed"] ?? 0)).toBe(3);
    expect((await numbers(source, rows)).at(-1)).toBe(3);
    expect(said.join("\n")).toMatch(/ms without connection; what was published meanwhile is lost/);
    await source.close();
    await sink.close();
  });
});
