// What a source does that goes on behind a position when its stream is not what it was: cut, grown again, made anew, emptied,
// overtaken. Real servers lose the ends of their streams here: an older copy of a store takes its place, as after a power cut.

import { type JetStreamManager, RetentionPolicy } from "@nats-io/jetstream";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { payloadAt } from "../batch/payloads.ts";
import { sleep, wallClock } from "../clock.ts";
import type { Plain } from "../state/plain.ts";
import { readPlain, written } from "../state/written.ts";
import type { ReadLimits, Source } from "./connect.ts";
import type { ConnectorLog } from "./connector-log.ts";
import { managerOf } from "./jetstream-requests.ts";
import type { JetStreamSourceOptions } from "./jetstream-opening.ts";
import { jetstreamSource } from "./jetstream-source.ts";
import { connectNats, type NatsLink } from "./nats-connection.ts";
import { startNatsServer, type RunningNatsServer } from "./nats-server.ts";

let folder: string;
let server: RunningNatsServer;
let link: NatsLink;
let manager: JetStreamManager;
let said: string[];
const log: ConnectorLog = { info: () => {}, warn: (message) => said.push(message) };
const limits: ReadLimits = { rows: 500, bytes: 1_000_000, wait_ms: 50, age_ms: 2 };

const store = (): string => join(folder, "store");
const copy = (): string => join(folder, "copy");

async function start(port?: number): Promise<void> {
  const fixed = port === undefined ? {} : { port };
  server = await startNatsServer({ name: "weir-resume", storeDir: store(), ...fixed }, process.env);
}

beforeEach(async () => {
  said = [];
  folder = mkdtempSync(join(tmpdir(), "weir-resume-"));
  await start();
  link = await connectNats({ name: "test", servers: server.url }, log);
  manager = await managerOf(link, null);
  said = [];
});

afterEach(async () => {
  await link.close();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** A copy of the store as it is now, with the server away for a moment. */
async function keepCopy(): Promise<void> {
  const { port } = server;
  await server.stop();
  rmSync(copy(), { recursive: true, force: true });
  cpSync(store(), copy(), { recursive: true });
  await start(port);
  await connected();
}

/** The server comes back with the store as it was at `keepCopy`, and `before` is done before anybody else is there. */
async function loseTheEnd(before?: () => Promise<void>): Promise<void> {
  const { port } = server;
  await server.kill();
  await server.stop();
  rmSync(store(), { recursive: true, force: true });
  cpSync(copy(), store(), { recursive: true });
  if (before !== undefined) {
    await start();
    await before();
    await server.stop();
  }
  await start(port);
  await connected();
}

/** The server is away for a moment, and loses nothing. */
async function restart(): Promise<void> {
  const { port } = server;
  await server.kill();
  await server.stop();
  await start(port);
}

/** Does something before the next request for `what` is sent; resolves once it is done. */
function doneBefore(what: string, task: () => Promise<void>): Promise<void> {
  const { nats } = link;
  const request = nats.request.bind(nats);
  const done = Promise.withResolvers<void>();
  nats.request = async (...asked) => {
    if (asked[0].includes(what)) {
      nats.request = request;
      await task().then(done.resolve, done.reject);
    }
    return request(...asked);
  };
  return done.promise;
}

async function connected(): Promise<void> {
  for (;;) {
    const isThere = await link.nats.flush().then(
      () => true,
      () => false,
    );
    if (isThere && link.connected) return;
    await sleep(wallClock, 10);
  }
}

async function publish(from: number, to: number, subject = "in.a", through = link): Promise<void> {
  for (let n = from; n < to; n++) {
    const answer = await through.nats.request(subject, String(n), { timeout: 5_000 });
    expect(answer.json()).toMatchObject({ stream: "IN" });
  }
}

/** Publishes by a connection of its own to the server as it is now. */
async function publishAlone(from: number, to: number): Promise<void> {
  const other = await connectNats({ name: "other", servers: server.url }, log);
  await publish(from, to, "in.a", other);
  await other.close();
}

const stream = (options: object = {}): Promise<unknown> =>
  manager.streams.add({ name: "IN", subjects: ["in.>"], ...options });

async function open(resume: Plain, options: Partial<JetStreamSourceOptions> = {}): Promise<Source> {
  const source = jetstreamSource({ link, stream: "IN", subject: "in.>", consumer: "weir", log, ...options });
  await source.open(resume === null ? null : readPlain(written(resume)));
  return source;
}

/** Numbers read until `count` are there, each batch committed as it comes where `commits` is not false. */
async function numbers(
  source: Source,
  count: number,
  commits = true,
): Promise<{ all: number[]; position: Plain }> {
  const all: number[] = [];
  let position: Plain = null;
  while (all.length < count) {
    const delivery = await source.read({ ...limits, rows: Math.min(limits.rows, count - all.length) });
    if (delivery === "end") break;
    if (delivery === null) continue;
    for (let row = 0; row < delivery.payloads.count; row++)
      all.push(Number(Buffer.from(payloadAt(delivery.payloads, row)).toString()));
    position = delivery.position;
    if (commits) await source.commit(position);
  }
  return { all, position };
}

/** Numbers read until this one came. */
async function upTo(source: Source, last: number): Promise<number[]> {
  const all: number[] = [];
  while (all.at(-1) !== last) all.push(...(await numbers(source, 1)).all);
  return all;
}

/** Nothing more comes. */
async function expectQuiet(source: Source): Promise<void> {
  expect(await source.read({ ...limits, wait_ms: 100 })).toBeNull();
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

describe("a stream that lost its end", () => {
  it("goes on with what is stored anew, while running", async () => {
    await stream();
    await publish(0, 50);
    await keepCopy();
    await publish(50, 80);
    const source = await open(null);
    expect((await numbers(source, 80)).all).toEqual(range(0, 80));
    await loseTheEnd();
    await publish(100, 120);
    expect((await numbers(source, 20)).all).toEqual(range(100, 120));
    expect(source.stats().dropped).toEqual({ regressed: 30 });
    expect(said.filter((line) => line.includes("lost its end"))).toEqual([
      expect.stringContaining("the last 30 messages that were read"),
    ]);
    await source.close();
  });

  it("goes on with what was stored anew while nobody read, however much that is", async () => {
    await stream();
    await publish(0, 50);
    await keepCopy();
    await publish(50, 80);
    const first = await open(null);
    const { position } = await numbers(first, 80);
    await first.close();
    await loseTheEnd();
    await publish(100, 110);
    const second = await open(position);
    expect((await numbers(second, 10)).all).toEqual(range(100, 110));
    await second.close();
    // Past the number up to which it was read: nothing but the times of messages tells.
    await publish(110, 200);
    const third = await open(position);
    const { all, position: last } = await numbers(third, 100);
    expect(all).toEqual(range(100, 200));
    expect(third.stats().dropped).toEqual({ regressed: 30 });
    await third.close();
    const fourth = await open(last);
    await expectQuiet(fourth);
    expect(fourth.stats().dropped).toEqual({});
    await fourth.close();
  });

  it("goes on with what others stored before the connection was back", async () => {
    await stream();
    await publish(0, 50);
    await keepCopy();
    await publish(50, 60);
    const source = await open(null);
    await numbers(source, 60);
    await loseTheEnd(() => publishAlone(100, 140));
    expect((await numbers(source, 40)).all).toEqual(range(100, 140));
    await expectQuiet(source);
    expect(source.stats().dropped).toEqual({ regressed: 10 });
    await source.close();
  });

  it("goes on with what is stored anew where it lost its end while it was looked where to go on", async () => {
    await stream();
    await publish(0, 50);
    await keepCopy();
    await publish(50, 80);
    const source = await open(null);
    await numbers(source, 80);
    // It was found as it had been left, and the consumer is about to be made anew.
    const lost = doneBefore("CONSUMER.INFO", () => loseTheEnd(() => publishAlone(100, 140)));
    await restart();
    expect((await numbers(source, 40)).all).toEqual(range(100, 140));
    await lost;
    await expectQuiet(source);
    expect(source.stats().dropped).toEqual({ regressed: 30 });
    await source.close();
  });

  it("goes on with what is stored anew where it lost its end while its reader began", async () => {
    await stream();
    await publish(0, 50);
    await keepCopy();
    await publish(50, 80);
    const first = await open(null);
    const { position } = await numbers(first, 80);
    await first.close();
    const lost = doneBefore("CONSUMER.CREATE", () => loseTheEnd(() => publishAlone(100, 140)));
    const second = await open(position);
    await lost;
    expect((await numbers(second, 40)).all).toEqual(range(100, 140));
    await expectQuiet(second);
    expect(second.stats().dropped).toEqual({ regressed: 30 });
    await second.close();
  });

  it("is told from one that grew as long again where it lost its end twice before anything came", async () => {
    const earlier = join(folder, "earlier");
    await stream();
    await publish(0, 30);
    await keepCopy();
    cpSync(copy(), earlier, { recursive: true });
    await publish(30, 50);
    await keepCopy();
    await publish(50, 80);
    const source = await open(null);
    await numbers(source, 80);
    await loseTheEnd();
    await vi.waitFor(() => expect(source.stats().dropped).toEqual({ regressed: 30 }), { timeout: 10_000 });
    rmSync(copy(), { recursive: true });
    cpSync(earlier, copy(), { recursive: true });
    await loseTheEnd(() => publishAlone(100, 140));
    expect((await numbers(source, 40)).all).toEqual(range(100, 140));
    expect(source.stats().dropped).toEqual({ regressed: 50 });
    await source.close();
  });

  it("is not waited for in silence by a durable consumer that nobody keeps positions for", async () => {
    await stream();
    await publish(0, 50);
    await keepCopy();
    await publish(50, 80);
    const options = { link, stream: "IN", subject: "in.a", consumer: "weir", log };
    const source = jetstreamSource(options);
    await source.open();
    expect((await numbers(source, 80)).all).toEqual(range(0, 80));
    await loseTheEnd(() => publishAlone(100, 110));
    await publish(110, 120);
    expect((await numbers(source, 20)).all).toEqual(range(100, 120));
    expect(source.stats().dropped).toEqual({ regressed: 30 });
    await source.close();
  });

  it("is told from a redelivery where it is a work queue", async () => {
    await stream({ retention: RetentionPolicy.Workqueue });
    await publish(0, 20);
    await keepCopy();
    await publish(20, 40);
    const source = await open(null);
    const { all, position } = await numbers(source, 40);
    expect(all).toEqual(range(0, 40));
    await loseTheEnd();
    // The server has forgotten all acknowledgements too: 0 … 19 come again, and are known.
    await publish(100, 130);
    expect((await numbers(source, 30)).all).toEqual(range(100, 130));
    await expectQuiet(source);
    expect(source.stats().dropped).toEqual({ regressed: 20 });
    await source.close();
    await vi.waitFor(async () => expect((await manager.streams.info("IN")).state.messages).toBe(0), {
      timeout: 5_000,
    });
    const next = await open(position);
    await expectQuiet(next);
    await next.close();
  });

  for (const retention of [RetentionPolicy.Workqueue, RetentionPolicy.Interest])
    it(`keeps what is stored anew where what was read is committed before anybody looked, by ${retention}`, async () => {
      await stream({ retention });
      const source = await open(null);
      await publish(0, 20);
      await numbers(source, 20);
      await link.nats.flush();
      await keepCopy();
      await publish(20, 30);
      const read = await numbers(source, 10, false);
      expect(read.all).toEqual(range(20, 30));
      // The numbers of those are already given to others when it is said that they are done.
      const committed = doneBefore("STREAM.INFO", async () => {
        await source.commit(read.position);
        await link.nats.flush();
      });
      await loseTheEnd(() => publishAlone(100, 110));
      await committed;
      expect((await numbers(source, 10)).all).toEqual(range(100, 110));
      expect(source.stats().dropped).toEqual({ regressed: 10 });
      await source.close();
    });
});

describe("a stream that was made anew", () => {
  it("is read from its start, while running and by the next run", async () => {
    await stream();
    await publish(0, 30);
    const source = await open(null);
    const { position } = await numbers(source, 30);
    await manager.streams.delete("IN");
    await stream();
    await publish(100, 140);
    expect((await numbers(source, 40)).all).toEqual(range(100, 140));
    expect(source.stats().dropped).toEqual({ recreated: 0 });
    await source.close();
    const next = await open(position);
    const { all, position: last } = await numbers(next, 40);
    expect(all).toEqual(range(100, 140));
    expect(next.stats().dropped).toEqual({ recreated: 0 });
    expect(last).toMatchObject({ sequence: 40, incarnation: 2 });
    await next.close();
    expect(said.filter((line) => line.includes("made anew; reading it from its start"))).toHaveLength(2);
  });

  it("has left behind what was not read of the old one, as far as that is known", async () => {
    await stream();
    await publish(0, 30);
    const source = await open(null, { messagesMax: 10 });
    await numbers(source, 5);
    await manager.streams.delete("IN");
    await stream();
    await publish(100, 110);
    const read = await upTo(source, 109);
    expect(read.slice(-10)).toEqual(range(100, 110));
    const { recreated = 0 } = source.stats().dropped;
    // Each of the 30 was read, or is counted.
    expect(5 + read.length - 10 + recreated).toBe(30);
    await source.close();
  });

  it("is another stream where its position names one", async () => {
    await stream();
    await publish(0, 10);
    const first = await open(null);
    const { position } = await numbers(first, 10);
    await first.close();
    const source = await open({ ...(position as { readonly stream: string }), stream: "OTHER" });
    expect((await numbers(source, 10)).all).toEqual(range(0, 10));
    expect(said.join("\n")).toContain("the last run read another stream");
    await source.close();
  });
});

describe("positions that are kept from now on", () => {
  it("begin where the consumer stood that was read by before", async () => {
    await stream();
    await publish(0, 50);
    const before = jetstreamSource({ link, stream: "IN", subject: "in.>", consumer: "weir", log });
    await before.open();
    await numbers(before, 30);
    await before.close();
    const source = await open(null);
    const { all, position } = await numbers(source, 20);
    expect(all).toEqual(range(30, 50));
    expect(source.stats().dropped).toEqual({});
    await source.close();
    const next = await open(position);
    await expectQuiet(next);
    await next.close();
  });
});

describe("messages that are gone before they are read", () => {
  it("are counted exactly where every message of the stream is read", async () => {
    await stream();
    await publish(0, 20);
    const first = await open(null);
    const { position } = await numbers(first, 20);
    await first.close();
    await publish(20, 60);
    await manager.streams.purge("IN", { seq: 51 });
    const second = await open(position);
    expect((await numbers(second, 10)).all).toEqual(range(50, 60));
    expect(second.stats().dropped).toEqual({ gap: 30 });
    await second.close();
    await manager.streams.purge("IN");
    const third = await open(position);
    expect(third.stats().dropped).toEqual({ purged: 40 });
    await publish(60, 70);
    expect((await numbers(third, 10)).all).toEqual(range(60, 70));
    expect(third.stats().dropped).toEqual({ purged: 40 });
    await third.close();
  });

  it("are counted as a bound where a subject filter leaves numbers out", async () => {
    await stream();
    await publish(0, 10);
    const first = await open(null, { subject: "in.a" });
    const { position } = await numbers(first, 10);
    await first.close();
    await publish(0, 10, "in.b");
    await publish(10, 30);
    await manager.streams.purge("IN", { seq: 31 });
    const second = await open(position, { subject: "in.a" });
    expect((await numbers(second, 10)).all).toEqual(range(20, 30));
    expect(second.stats().dropped).toEqual({ gap_at_most: 20 });
    await second.close();
  });

  it("are counted while a slow reader is overtaken, and said once", async () => {
    await stream({ max_msgs: 40 });
    await publish(0, 10);
    const source = await open(null, { messagesMax: 8 });
    const read = (await numbers(source, 4)).all;
    await publish(10, 400);
    read.push(...(await upTo(source, 399)));
    expect(read).toEqual([...new Set(read)].sort((a, b) => a - b));
    expect(read.length + (source.stats().dropped["gap"] ?? 0)).toBe(400);
    expect(said.filter((line) => line.includes("were gone before they were read"))).toHaveLength(1);
    await source.close();
  });

  it("are none where the first message that a new source meets has a number above 1", async () => {
    await stream();
    await publish(0, 10);
    await manager.streams.purge("IN", { seq: 6 });
    for (const resume of [null, undefined]) {
      const source = jetstreamSource({ link, stream: "IN", subject: "in.>", log });
      await source.open(resume);
      expect((await numbers(source, 5)).all).toEqual(range(5, 10));
      expect(source.stats().dropped).toEqual({});
      await source.close();
    }
    const late = jetstreamSource({ link, stream: "IN", subject: "in.>", start: "new", log });
    await late.open(null);
    await publish(10, 12);
    expect((await numbers(late, 2)).all).toEqual([10, 11]);
    expect(late.stats().dropped).toEqual({});
    await late.close();
  });
});

describe("a work queue", () => {
  it("gives each message once through crashes of server and reader at any time", async () => {
    await stream({ retention: RetentionPolicy.Workqueue });
    const all: number[] = [];
    let position: Plain = null;
    let source = await open(null);
    for (let life = 0; life < 5; life++) {
      await publish(life * 200, life * 200 + 200);
      const read = await numbers(source, 150);
      all.push(...read.all);
      position = read.position;
      // Read and not committed: the next one reads it again.
      await source.read({ ...limits, rows: 20 });
      if (life % 2 === 0) {
        const { port } = server;
        await server.kill();
        await server.stop();
        await start(port);
        await connected();
      }
      await source.close();
      source = await open(position);
    }
    all.push(...(await numbers(source, 1_000 - all.length)).all);
    await expectQuiet(source);
    expect(all.sort((a, b) => a - b)).toEqual(range(0, 1_000));
    await source.close();
  });
});

describe("a work queue whose reader before", () => {
  it("ends only now: what it had not acknowledged comes first, and in order", async () => {
    await stream({ retention: RetentionPolicy.Workqueue });
    const other = await connectNats({ name: "before", servers: server.url }, log);
    const before = jetstreamSource({ link: other, stream: "IN", subject: "in.>", consumer: "weir", log });
    await before.open(null);
    await publish(0, 20);
    expect((await numbers(before, 20, false)).all).toEqual(range(0, 20));
    const opened = open(null);
    await sleep(wallClock, 500);
    await other.close();
    const source = await opened;
    await publish(20, 40);
    expect((await numbers(source, 40)).all).toEqual(range(0, 40));
    await source.close();
  });
});

describe("a consumer that the server forgot", () => {
  it("is made again, with nobody asking while it went", async () => {
    await stream();
    await publish(0, 100);
    const source = await open(null, { messagesMax: 8 });
    const read = (await numbers(source, 2)).all;
    // What was asked for is here; the queue is full, so nothing is asked until it is read.
    await vi.waitFor(() => expect(source.stats().lag).toBe(98));
    for await (const { name } of manager.consumers.list("IN")) await manager.consumers.delete("IN", name);
    read.push(...(await numbers(source, 98)).all);
    expect(read).toEqual(range(0, 100));
    await source.close();
  });
});
