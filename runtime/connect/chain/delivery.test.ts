// Each way of delivery, from its name to rows on a real server.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { wallClock } from "../../clock.ts";
import { silentLog } from "../connector-log.ts";
import { asker, managerOf } from "../jetstream-requests.ts";
import { ensureStream } from "../jetstream-stream.ts";
import { connectNats, type NatsLink } from "../nats-connection.ts";
import { startNatsServer, type RunningNatsServer } from "../nats-server.ts";
import type { TargetEvents } from "./chain.ts";
import { ChainSender } from "./chain-sender.ts";
import { type Delivery, openDelivery } from "./delivery.ts";
import { MemoryOutbox, testRow } from "./memory-outbox.fixture.ts";

let server: RunningNatsServer;
let link: NatsLink;

beforeAll(async () => {
  server = await startNatsServer({ name: "weir-delivery-test" }, process.env);
  link = await connectNats({ name: "test", servers: server.url }, silentLog);
});

afterAll(async () => {
  await link?.close();
  await server?.stop();
});

const cases: readonly (readonly [Delivery, string, string])[] = [
  [{ kind: "exclusive" }, "EXCLUSIVE", "exclusive.a"],
  [{ kind: "subject" }, "SUBJECT", "subject.a"],
  [{ kind: "message_id" }, "MESSAGE_ID", "message_id.a"],
  [{ kind: "bucket" }, "KV_BUCKET", "$KV.BUCKET.bucket.a"],
  [
    { kind: "lane", prefix: "up", names: ["gate way.1", "cold-chain", "live"] },
    "LANE",
    "up.gate_way_1.cold-chain.live",
  ],
];

describe("delivery", () => {
  it.each(cases)("$kind", async (delivery, stream, subject) => {
    const clock = wallClock;
    const { kind } = delivery;
    const name = kind === "bucket" ? "BUCKET" : stream;
    const open = await openDelivery(delivery, {
      link,
      stream: { name, subjects: [`${kind}.>`] },
      log: silentLog,
      clock,
    });
    const identity = { id: "log.chain", epoch: 1 };
    const outbox = new MemoryOutbox();
    const sender = new ChainSender({
      chain: kind,
      outbox,
      identity,
      clock,
      log: silentLog,
      fenced: (error) => {
        throw error;
      },
      target: (events) => open({ identity, events, clock, log: silentLog }),
    });
    sender.start();
    outbox.add(testRow(`${kind}.a`, 1));
    await sender.flush();
    expect(sender.stats()).toMatchObject({ rows: 1, pending: 0, dropped: {} });
    await sender.close();
    const manager = await managerOf(link, null);
    const message = await manager.streams.getMessage(stream, { last_by_subj: subject });
    expect(message?.header.get("Weir-Out-Seq")).toBe("1");
  });
});

/** Sends one row on the subject, by a chain of its own. */
async function sendOne(kind: "subject" | "exclusive", stream: string, subject: string): Promise<ChainSender> {
  const log = silentLog;
  const clock = wallClock;
  const open = await openDelivery(
    { kind },
    { link, stream: { name: stream, subjects: [subject] }, log, clock },
  );
  const identity = { id: `log.${subject}`, epoch: 1 };
  const outbox = new MemoryOutbox();
  const target = (events: TargetEvents) => open({ identity, events, clock, log });
  const fenced = (error: Error): never => {
    throw error;
  };
  const sender = new ChainSender({ chain: subject, outbox, identity, clock, log, fenced, target });
  sender.start();
  outbox.add(testRow(subject, 1));
  await sender.flush();
  return sender;
}

describe("a new stream that several share", () => {
  it("takes the subjects of each, though they start at once and none knows the others'", async () => {
    const subjects = ["shared.a", "shared.b", "shared.c", "shared.d"];
    const senders = await Promise.all(subjects.map((subject) => sendOne("subject", "SHARED", subject)));
    const manager = await managerOf(link, null);
    const { config, state } = await manager.streams.info("SHARED");
    expect([...(config.subjects ?? [])].sort()).toEqual(subjects);
    expect(state.messages).toBe(subjects.length);
    for (const sender of senders) await sender.close();
  });

  it("is not altered where somebody else made it, or one who wants it alone", async () => {
    const manager = await managerOf(link, null);
    await manager.streams.add({ name: "FOREIGN", subjects: ["foreign.a"] });
    await (await sendOne("exclusive", "ALONE", "alone.a")).close();
    const said: string[] = [];
    const log = { ...silentLog, warn: (message: string) => void said.push(message) };
    for (const name of ["FOREIGN", "ALONE"]) {
      const stream = { name, subjects: ["other.b"], shared: true };
      await ensureStream(
        asker(name, { link, log }, () => false),
        manager,
        stream,
      );
      expect((await manager.streams.info(name)).config.subjects).toEqual([`${name.toLowerCase()}.a`]);
    }
    expect(said).toHaveLength(2);
    expect(said[0]).toContain("add them to the stream");
  });
});
