// A row is lost on its way, and somebody else's message takes the very place that it would have had: the rows behind it would
// fit. None of them may be stored, or nobody would ever know that the one is missing.

import { afterAll, beforeAll, expect, it } from "vitest";
import { VirtualClock, wallClock } from "../../clock.ts";
import { silentLog } from "../connector-log.ts";
import { ChainSender } from "./chain-sender.ts";
import { exclusiveTarget } from "./exclusive-target.ts";
import { MemoryOutbox, testRow } from "./memory-outbox.fixture.ts";
import { MemoryStream, MemoryStreamPort } from "./memory-stream.fixture.ts";
import { natsStreamPort } from "./nats-stream-port.ts";
import { settled } from "./running-chain.fixture.ts";
import { ServerUnderTest } from "./server-faults.fixture.ts";
import type { StreamPort } from "./stream-port.ts";

let under: ServerUnderTest;
beforeAll(async () => {
  under = await ServerUnderTest.start();
});
afterAll(() => under?.close());

const rows = 12;
const lost = 5;

/** Once, the row `lost` is never sent, and a stranger's message is there instead. */
function withStranger(port: StreamPort): StreamPort {
  let isDone = false;
  return {
    name: port.name,
    publish(publication, answered) {
      if (isDone || publication.headers["Weir-Out-Seq"] !== String(lost))
        return port.publish(publication, answered);
      isDone = true;
      const stranger = { subject: publication.subject, payload: Buffer.from("stranger"), headers: {} };
      port.publish(stranger, () => answered({ kind: "lost" }));
    },
    watch: (cut) => port.watch?.(cut),
    prepare: async () => port.prepare?.(),
    facts: () => port.facts(),
    read: (sequence) => port.read(sequence),
    readLast: (subject) => port.readLast(subject),
    close: () => port.close(),
  };
}

function senderTo(port: StreamPort, outbox: MemoryOutbox, clock = wallClock): ChainSender {
  const identity = { id: "log.chain", epoch: 1 };
  const log = silentLog;
  const fenced = (error: Error): void => expect.unreachable(error.message);
  const target: ConstructorParameters<typeof ChainSender>[0]["target"] = (events) =>
    exclusiveTarget({ port: withStranger(port), identity, events, clock, log });
  const sender = new ChainSender({ chain: "chain", outbox, identity, clock, log, fenced, target });
  sender.start();
  return sender;
}

function filled(): MemoryOutbox {
  const outbox = new MemoryOutbox();
  for (let number = 1; number <= rows; number++) outbox.add(testRow("rows.a", number));
  return outbox;
}

const numbers = Array.from({ length: rows }, (_, n) => String(n + 1));
const withStrangerBefore = [...numbers.slice(0, lost - 1), "stranger", ...numbers.slice(lost - 1)];

it.each([true, false])("the model, comparing first: %s", async (comparesFirst) => {
  const stream = new MemoryStream();
  stream.comparesFirst = comparesFirst;
  const clock = new VirtualClock();
  const sender = senderTo(new MemoryStreamPort(stream), filled(), clock);
  await settled(sender.flush(), clock);
  await sender.close();
  expect(stream.payloads()).toEqual(withStrangerBefore);
});

it("a nats-server", async () => {
  const link = await under.connect();
  const port = await natsStreamPort({ link, stream: { name: "ROWS", subjects: ["rows.>"] }, log: silentLog });
  const sender = senderTo(port, filled());
  await sender.flush();
  const stored = await under.witness(async (manager) => {
    const all: string[] = [];
    for (let seq = 1; seq <= rows + 1; seq++)
      all.push((await manager.streams.getMessage("ROWS", { seq }))!.string());
    return all;
  });
  await sender.close();
  await link.close();
  expect(stored).toEqual(withStrangerBefore);
});
