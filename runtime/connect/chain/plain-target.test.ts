// Rows to places that cannot say what they have: each handed over once at most, and what is in doubt is counted.

import { Writable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { wallClock } from "../../clock.ts";
import type { Sink } from "../connect.ts";
import { silentLog } from "../connector-log.ts";
import { connectNats, type NatsLink } from "../nats-connection.ts";
import { startNatsServer, type RunningNatsServer } from "../nats-server.ts";
import { natsSink } from "../nats-sink.ts";
import { stdoutSink } from "../stdout-sink.ts";
import { ChainSender } from "./chain-sender.ts";
import { MemoryOutbox, testRow } from "./memory-outbox.fixture.ts";
import { plainTarget } from "./plain-target.ts";

let server: RunningNatsServer;
let link: NatsLink;

beforeAll(async () => {
  server = await startNatsServer({ name: "weir-plain-test" }, process.env);
  link = await connectNats({ name: "test", servers: server.url }, silentLog);
});

afterAll(async () => {
  await link?.close();
  await server?.stop();
});

function begun(outbox: MemoryOutbox, sink: Sink): ChainSender {
  const sender = new ChainSender({
    chain: "plain",
    outbox,
    identity: { id: "log.plain", epoch: 1 },
    clock: wallClock,
    log: silentLog,
    fenced: (error) => {
      throw error;
    },
    target: (events) => plainTarget({ sink, events }),
  });
  sender.start();
  return sender;
}

/** Standard output that is as slow as its reader. */
function slowOutput(): { readonly sink: Sink; readonly text: () => string; open(): void } {
  let text = "";
  let isOpen = false;
  const waiting: (() => void)[] = [];
  const stream = new Writable({
    highWaterMark: 16,
    write(chunk: Buffer, _, done) {
      const take = (): void => {
        text += chunk.toString();
        done();
      };
      if (isOpen) take();
      else waiting.push(take);
    },
  });
  return {
    sink: stdoutSink({ stream }),
    text: () => text,
    open() {
      isOpen = true;
      for (const take of waiting) take();
    },
  };
}

const lines = (from: number, to: number): string =>
  Array.from({ length: to - from + 1 }, (_, n) => `${from + n}\n`).join("");

describe("the plain target", () => {
  it("publishes each row once over core NATS, in order", async () => {
    const got: string[] = [];
    link.nats.subscribe("plain.rows", { callback: (_, message) => void got.push(message.string()) });
    const outbox = new MemoryOutbox();
    const sender = begun(outbox, natsSink({ link, log: silentLog }));
    for (let n = 1; n <= 2_000; n++) outbox.add(testRow("plain.rows", n));
    await sender.flush();
    await link.nats.flush();
    expect(got).toEqual(Array.from({ length: 2_000 }, (_, n) => String(n + 1)));
    expect(sender.stats()).toMatchObject({ rows: 2_000, pending: 0, dropped: {} });
    expect(outbox.confirmed).toBe(2_000);
    // What the connection refuses is settled, and is no row that arrived.
    outbox.add(testRow("plain.*", 2_001));
    await sender.flush();
    expect(sender.stats()).toMatchObject({ rows: 2_000, pending: 0, dropped: { subject: 1 } });
    await sender.close();
  });

  it("never hands over again what may have been handed over, and counts it", async () => {
    const outbox = new MemoryOutbox();
    const first = slowOutput();
    const sender = begun(outbox, first.sink);
    for (let n = 1; n <= 300; n++) outbox.add(testRow("", n));
    await vi.waitFor(() => expect(outbox.taken).toEqual([1]), { interval: 1 });
    // A crash: nobody confirms, nothing is closed.
    const second = slowOutput();
    second.open();
    const again = outbox.reopened(0);
    const later = begun(again, second.sink);
    await later.flush();
    expect(second.text()).toBe(lines(257, 300));
    expect(later.stats()).toMatchObject({ rows: 44, pending: 0, dropped: { unconfirmed: 256 } });
    expect(again.confirmed).toBe(300);
    await later.close();
    first.open();
    await sender.close();
  });

  it("confirms nothing that is dropped because it is closed", async () => {
    const outbox = new MemoryOutbox();
    const { sink, text, open } = slowOutput();
    const sender = begun(outbox, sink);
    for (let n = 1; n <= 10; n++) outbox.add(testRow("", n));
    await vi.waitFor(() => expect(outbox.taken).toEqual([1]), { interval: 1 });
    await setImmediate();
    const closed = sender.close();
    open();
    await closed;
    expect(text()).toBe(lines(1, 10));
    expect(outbox.confirmed).toBe(0);
  });
});
