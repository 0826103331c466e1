// Each way of delivery, from its name to rows on a real server.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { wallClock } from "../../clock.ts";
import { silentLog } from "../connector-log.ts";
import { managerOf } from "../jetstream-requests.ts";
import { connectNats, type NatsLink } from "../nats-connection.ts";
import { startNatsServer, type RunningNatsServer } from "../nats-server.ts";
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
