// Messages taken from the socket's bytes are those that the client's own parser finds, wherever the bytes were cut,
// and a connection that is cut in the middle of a message goes on with the next one.

import { connect as connectSocket, createServer, type Server, type Socket } from "node:net";
import { type Dispatcher, Kind, Parser, type ParserEvent, type Subscription } from "@nats-io/transport-node";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { payloadAt } from "../batch/payloads.ts";
import { silentLog } from "./connector-log.ts";
import { connectNats } from "./nats-connection.ts";
import { type Frame, FrameReader } from "./nats-frames.ts";
import { startNatsServer, type RunningNatsServer } from "./nats-server.ts";
import { natsSource } from "./nats-source.ts";
import { SubjectTexts } from "./subject-texts.ts";

interface Seen {
  readonly subject: string;
  readonly reply: string;
  readonly payload: string;
}

const text = (bytes: Uint8Array, start = 0, end = bytes.length): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString("latin1");

/** What the client's parser makes of it: messages by what they say, all else by its kind. */
function collector(seen: (Seen | Kind)[]): Dispatcher<ParserEvent> {
  return {
    push(event) {
      const { kind, msg, data } = event as ParserEvent;
      if (kind !== Kind.MSG) seen.push(kind);
      else
        seen.push({
          subject: text(msg!.subject),
          reply: msg!.reply === undefined ? "" : text(msg!.reply),
          payload: text(data!, Math.max(msg!.hdr, 0)),
        });
    },
  };
}

const taken: Subscription = { getID: () => 3, isClosed: () => false, closed: new Promise(() => {}) } as never;

/** The same by the reader, whose taker refuses every message that begins with a digit. */
function framed(chunks: readonly Uint8Array[]): { seen: (Seen | Kind)[]; frames: number } {
  const seen: (Seen | Kind)[] = [];
  let frames = 0;
  const protocol = { parser: new Parser(collector(seen)), inMsgs: 0, inBytes: 0, disconnect: () => {} };
  new FrameReader(protocol).add(taken, {
    take: (frame: Frame) => {
      const { bytes, subjectStart, subjectEnd, replyStart, replyEnd, start, end } = frame;
      const payload = text(bytes, start, end);
      if (/^\d/.test(payload)) return false;
      frames++;
      seen.push({
        subject: text(bytes, subjectStart, subjectEnd),
        reply: text(bytes, replyStart, replyEnd),
        payload,
      });
      return true;
    },
  });
  for (const chunk of chunks) protocol.parser.parse(chunk);
  return { seen, frames };
}

const message = fc
  .record({
    subject: fc.constantFrom("a", "a.b.c", "MSG", "HMSG.x"),
    sid: fc.constantFrom(3, 3, 3, 33, 4),
    reply: fc.constantFrom("", "", " _INBOX.x.1", " $JS.ACK.S.c.1.2.3.4.5"),
    headers: fc.constantFrom(null, null, "NATS/1.0\r\nA: b\r\n\r\n"),
    payload: fc.string({ unit: fc.constantFrom("x", "1", "\r", "\n", "MSG a 3 1\r\n"), maxLength: 12 }),
  })
  .map(({ subject, sid, reply, headers, payload }) =>
    headers === null
      ? `MSG ${subject} ${sid}${reply} ${payload.length}\r\n${payload}\r\n`
      : `HMSG ${subject} ${sid}${reply} ${headers.length} ${headers.length + payload.length}\r\n${headers}${payload}\r\n`,
  );
const line = fc.constantFrom("PING\r\n", "PONG\r\n", "+OK\r\n", "-ERR 'x'\r\n", 'INFO {"a":1}\r\n');

describe("frames", () => {
  it("are the messages of the client's parser, wherever what was read ends", () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof({ weight: 4, arbitrary: message }, line), { maxLength: 20 }),
        fc.array(fc.nat(400), { maxLength: 8 }),
        (parts, cuts) => {
          const bytes = Buffer.from(parts.join(""), "latin1");
          const places = [0, ...cuts.filter((cut) => cut < bytes.length), bytes.length].sort((a, b) => a - b);
          const chunks = places.slice(1).map((end, i) => Uint8Array.from(bytes.subarray(places[i], end)));
          const expected: (Seen | Kind)[] = [];
          new Parser(collector(expected)).parse(Uint8Array.from(bytes));
          expect(framed(chunks).seen).toEqual(expected);
        },
      ),
      { seed: 4, numRuns: 2_000 },
    );
  });

  it("leave nothing to the client's parser of messages that came whole", () => {
    const bytes = Buffer.from("MSG a 3 2\r\nxy\r\nHMSG b 3 r 12 13\r\nNATS/1.0\r\n\r\nz\r\n".repeat(3));
    expect(framed([bytes]).frames).toBe(6);
  });
});

it("knows subjects by their bytes, however many there are", () => {
  const texts = new SubjectTexts();
  for (const round of [0, 1]) {
    for (let i = 0; i < 20_000; i++) {
      const subject = `sensors.${i * 7919}.é`;
      const bytes = Buffer.from(`-${subject}-`);
      expect(texts.text(bytes, 1, bytes.length - 1), `${round}`).toBe(subject);
      expect(texts.text(bytes, 1, bytes.length - 1)).toBe(subject);
    }
  }
});

describe("a connection that is cut", () => {
  let server: RunningNatsServer;
  let proxy: Server;
  let link: { readonly up: Socket; readonly down: Socket } | null = null;
  /** Ends the connection once the client was given so many bytes more. */
  let cutAfter = Number.POSITIVE_INFINITY;

  beforeAll(async () => {
    server = await startNatsServer({ name: "weir-frames-test" }, process.env);
    proxy = createServer((down) => {
      const up = connectSocket(server.port, "127.0.0.1");
      link = { up, down };
      const end = (): void => void [up.destroy(), down.destroy()];
      for (const socket of [up, down]) socket.on("error", end).on("close", end);
      down.on("data", (data) => up.write(data));
      up.on("data", (data) => {
        down.write(data.subarray(0, cutAfter));
        cutAfter -= data.length;
        if (cutAfter > 0) return;
        cutAfter = Number.POSITIVE_INFINITY;
        down.end();
      });
    });
    await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  });

  afterAll(async () => {
    proxy.close();
    link?.down.destroy();
    await server.stop();
  });

  it("in the middle of a message loses that one alone, and is subscribed again", async () => {
    const { port } = proxy.address() as { port: number };
    const reading = await connectNats({ name: "in", servers: `nats://127.0.0.1:${port}` }, silentLog);
    const writing = await connectNats({ name: "out", servers: server.url }, silentLog);
    const source = natsSource({ link: reading, subject: "cut.*", overflow: "drop_newest", log: silentLog });
    await source.open();
    const records: string[] = [];
    const readTo = async (last: string): Promise<void> => {
      while (records.at(-1) !== last) {
        const delivery = await source.read({ rows: 100, bytes: 10_000, wait_ms: 1_000, age_ms: 0 });
        if (delivery === null || delivery === "end") continue;
        for (let row = 0; row < delivery.payloads.count; row++)
          records.push(Buffer.from(payloadAt(delivery.payloads, row)).toString());
      }
    };
    writing.nats.publish("cut.a", "first");
    await readTo("first");
    cutAfter = "MSG cut.a 1 6\r\nsec".length;
    writing.nats.publish("cut.a", "second");
    await writing.nats.flush();
    await new Promise<void>((resolve) => {
      reading.status.subscribe(({ kind }) => {
        if (kind === "connected" && reading.cuts === 1) resolve();
      });
    });
    await reading.nats.flush();
    writing.nats.publish("cut.b", "third");
    await readTo("third");
    expect(records).toEqual(["first", "third"]);
    await source.close();
    await reading.close();
    await writing.close();
  });
});
