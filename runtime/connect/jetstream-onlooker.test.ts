// A reader that nobody notices, against a real nats-server: what it reads, what it leaves, and what it refuses.

import { AckPolicy, type JetStreamManager, jetstreamManager, RetentionPolicy } from "@nats-io/jetstream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { payloadAt } from "../batch/payloads.ts";
import { sleep, wallClock } from "../clock.ts";
import type { Source } from "./connect.ts";
import { silentLog } from "./connector-log.ts";
import { type Looking, openOnlooker, startOfLast } from "./jetstream-onlooker.ts";
import { connectNats, type NatsLink } from "./nats-connection.ts";
import { type RunningNatsServer, startNatsServer } from "./nats-server.ts";

let server: RunningNatsServer;
let link: NatsLink;
let manager: JetStreamManager;

beforeAll(async () => {
  server = await startNatsServer({ name: "weir-onlooker" }, process.env);
  link = await connectNats({ name: "test", servers: server.url }, silentLog);
  manager = await jetstreamManager(link.nats);
});
afterAll(async () => {
  await link.close();
  await server.stop();
});

async function makeStream(name: string, retention: RetentionPolicy = RetentionPolicy.Limits): Promise<void> {
  await manager.streams.add({ name, subjects: [`${name}.>`], retention });
}

async function publish(stream: string, subject: string, ...texts: readonly string[]): Promise<void> {
  for (const text of texts) await link.nats.request(`${stream}.${subject}`, text);
}

function open(stream: string, looking: Looking, subject = `${stream}.>`): Promise<Source> {
  const about = { framing: "message", log: silentLog, clock: wallClock } as const;
  return openOnlooker({ link, stream, subject, looking, ...about });
}

/** The texts that it reads: to its end, or as many as are asked for. */
async function read(source: Source, most = Number.POSITIVE_INFINITY): Promise<string[]> {
  const texts: string[] = [];
  while (texts.length < most) {
    const delivery = await source.read({ rows: 2, bytes: 1_000, wait_ms: 50, age_ms: 0 });
    if (delivery === "end") break;
    const payloads = delivery?.payloads;
    for (let row = 0; row < (payloads?.count ?? 0); row++)
      texts.push(Buffer.from(payloadAt(payloads!, row)).toString());
  }
  await source.close();
  return texts;
}

async function consumersOf(stream: string): Promise<string[]> {
  const all = await manager.consumers.list(stream).next();
  return all.map(({ name }) => name);
}

describe("what it reads", () => {
  beforeAll(async () => {
    await makeStream("S");
    for (const text of ["1", "2", "3", "4"]) {
      await publish("S", "a", text);
      await publish("S", "b", `b${text}`, `b${text}`);
    }
    await manager.streams.deleteMessage("S", 10);
  });

  it.each<readonly [string, Looking, string, readonly string[]]>([
    ["the last messages of all", { last: 3 }, "S.>", ["b3", "b4", "b4"]],
    ["the last messages of a subject", { last: 2 }, "S.a", ["2", "3"]],
    ["all, where there are fewer", { last: 99 }, "S.a", ["1", "2", "3"]],
    ["none, where there is none", { last: 9 }, "S.c", []],
    ["what was stored since a time", { since: 0 }, "S.a", ["1", "2", "3"]],
    ["nothing where that is later", { since: wallClock.now() + 3_600_000 }, "S.a", []],
  ])("%s", async (_name, looking, subject, expected) => {
    expect(await read(await open("S", looking, subject))).toEqual(expected);
    expect(await consumersOf("S")).toEqual([]);
  });

  it("only what comes from now on, in order", async () => {
    const source = await open("S", "new", "S.n");
    await publish("S", "n", "x", "y");
    expect(await read(source, 2)).toEqual(["x", "y"]);
    expect(await consumersOf("S")).toEqual([]);
  });

  it("what was stored since a time in the middle, and nothing that comes later", async () => {
    await makeStream("T");
    await publish("T", "a", "before");
    await sleep(wallClock, 20);
    const since = wallClock.now();
    await publish("T", "a", "behind", "last");
    const source = await open("T", { since });
    await sleep(wallClock, 100);
    await publish("T", "a", "later");
    expect((await read(source)).slice(0, 2)).toEqual(["behind", "last"]);
  });
});

describe("what it leaves", () => {
  it.each([RetentionPolicy.Limits, RetentionPolicy.Interest])(
    "a consumer of a stream with retention %s where it stands, with all it is to get",
    async (retention) => {
      const stream = `L-${retention}`;
      await makeStream(stream, retention);
      await manager.consumers.add(stream, { durable_name: "own", ack_policy: AckPolicy.Explicit });
      await publish(stream, "a", "1", "2", "3");
      expect(await read(await open(stream, { last: 2 }))).toEqual(["2", "3"]);
      expect(await read(await open(stream, { since: 0 }))).toEqual(["1", "2", "3"]);
      const { num_pending, num_ack_pending, delivered } = await manager.consumers.info(stream, "own");
      expect({ num_pending, num_ack_pending, sent: delivered.consumer_seq }).toEqual({
        num_pending: 3,
        num_ack_pending: 0,
        sent: 0,
      });
      expect((await manager.streams.info(stream)).state.messages).toBe(3);
      expect(await consumersOf(stream)).toEqual(["own"]);
    },
  );
});

describe("what it refuses", () => {
  it("a work queue, and takes nothing of it", async () => {
    await makeStream("Q", RetentionPolicy.Workqueue);
    await publish("Q", "a", "1");
    await expect(open("Q", "new")).rejects.toMatchObject({
      code: "WEIR_USAGE",
      message: "stream Q is a work queue: what is read of it is taken from its consumer",
    });
    expect((await manager.streams.info("Q")).state.messages).toBe(1);
    expect(await consumersOf("Q")).toEqual([]);
  });

  it("a stream that is not there", async () => {
    await expect(open("NONE", "new")).rejects.toMatchObject({
      code: "WEIR_NATS_UNAVAILABLE",
      message: "there is no stream NONE on test",
    });
  });
});

it.each([1, 2, 7, 64, 999, 5_000])("the last %i are found wherever they are", async (last) => {
  // Every 7th message, with a hole.
  const kept = Array.from({ length: 2_000 }, (_, n) => 3 + n * 7).filter((n) => n < 5_000 || n > 6_000);
  let asked = 0;
  const from = (sequence: number): Promise<number> => {
    asked++;
    return Promise.resolve(kept.filter((each) => each >= sequence).length);
  };
  const state = { messages: kept.length, first_seq: 1, last_seq: 20_000 } as Parameters<
    typeof startOfLast
  >[0]["state"];
  const start = await startOfLast({ state }, last, from);
  expect(kept.filter((each) => each >= start)).toHaveLength(Math.min(last, kept.length));
  expect(asked).toBeLessThan(40);
});
