// What every sink must do, run for each of them against a real nats-server and real files.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { limits } from "../limits.ts";
import { batchSink } from "./batch-sink.ts";
import type { OutputRow, Sink } from "./connect.ts";
import { silentLog } from "./connector-log.ts";
import { fileSink } from "./file-sink.ts";
import { managerOf } from "./jetstream-requests.ts";
import { jetstreamSink } from "./jetstream-sink.ts";
import { connectNats, type NatsLink } from "./nats-connection.ts";
import { startNatsServer, type RunningNatsServer } from "./nats-server.ts";
import { natsSink } from "./nats-sink.ts";
import { stdoutSink } from "./stdout-sink.ts";

let server: RunningNatsServer;
let link: NatsLink;
let folder: string;
let made = 0;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "weir-sink-test-"));
  server = await startNatsServer({ name: "weir-sink-test" }, process.env);
  link = await connectNats({ name: "test", servers: server.url }, silentLog);
});

afterAll(async () => {
  await link?.close();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

interface Arrived {
  readonly subject: string | null;
  readonly payload: string;
  readonly headers: Readonly<Record<string, string>> | null;
}

interface Prepared {
  readonly sink: Sink;
  readonly subject: string;
  /** What the other side has, once the sink was flushed. */
  arrived(): Promise<readonly Arrived[]>;
}

interface Kind {
  readonly name: string;
  readonly overNats: boolean;
  prepare(): Promise<Prepared>;
}

function linesOf(text: string): readonly Arrived[] {
  const lines = text === "" ? [] : text.trimEnd().split("\n");
  return lines.map((payload) => ({ subject: null, payload, headers: null }));
}

const kinds: readonly Kind[] = [
  {
    name: "nats",
    overNats: true,
    async prepare() {
      const subject = `out${made++}`;
      const got: Arrived[] = [];
      link.nats.subscribe(subject, {
        callback: (_, message) => {
          const headers = Object.fromEntries(
            [...message.headers!].map(([name, values]) => [name, values[0]!]),
          );
          got.push({ subject: message.subject, payload: message.string(), headers });
        },
      });
      const sink = natsSink({ link, log: silentLog });
      await sink.open();
      return {
        sink,
        subject,
        async arrived() {
          await link.nats.flush();
          return got;
        },
      };
    },
  },
  {
    name: "jetstream",
    overNats: true,
    async prepare() {
      const name = `OUT${made++}`;
      const subject = `js.${name}`;
      const sink = jetstreamSink({ link, stream: { name, subjects: [subject] }, log: silentLog });
      await sink.open();
      return { sink, subject, arrived: () => stored(name) };
    },
  },
  {
    name: "file",
    overNats: false,
    async prepare() {
      const path = join(folder, `out-${made++}`);
      const sink = fileSink({ path, log: silentLog });
      await sink.open();
      return {
        sink,
        subject: "ignored",
        arrived: () => Promise.resolve(linesOf(readFileSync(path, "utf8"))),
      };
    },
  },
  {
    name: "stdout",
    overNats: false,
    async prepare() {
      let text = "";
      const stream = new Writable({
        highWaterMark: 64,
        write(chunk: Buffer, _, done) {
          text += chunk.toString();
          setImmediate(done);
        },
      });
      const sink = stdoutSink({ stream });
      await sink.open();
      return { sink, subject: "ignored", arrived: () => Promise.resolve(linesOf(text)) };
    },
  },
];

/** The same kind with up to 50 rows a message: what arrives is told row by row. */
function inBatches({ name, overNats, prepare }: Kind): Kind {
  return {
    name: `${name}, in batches,`,
    overNats,
    async prepare() {
      const { sink, subject, arrived } = await prepare();
      return {
        sink: batchSink(sink, { format: "json", rows: 50, bytes: 10_000, wait: 10_000 }),
        subject,
        async arrived() {
          const messages = await arrived();
          return messages.flatMap((message) =>
            message.payload.split("\n").map((payload) => ({ ...message, payload })),
          );
        },
      };
    },
  };
}

const allKinds: readonly Kind[] = [...kinds, inBatches(kinds[0]!), inBatches(kinds[1]!)];

async function stored(name: string): Promise<readonly Arrived[]> {
  const manager = await managerOf(link, null);
  const { state } = await manager.streams.info(name);
  const all: Arrived[] = [];
  for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
    const message = await manager.streams.getMessage(name, { seq });
    if (message === null) continue;
    const headers = Object.fromEntries([...message.header].map(([key, values]) => [key, values[0]!]));
    all.push({ subject: message.subject, payload: message.string(), headers });
  }
  return all;
}

function row(subject: string, n: number): OutputRow {
  return {
    subject,
    payload: Buffer.from(`{"n":${n}}`),
    id: `weir-${subject}-${n}`,
    caused: 1_700_000_000_000 + n,
  };
}

describe.each(allKinds)("a $name sink", ({ prepare }) => {
  it("delivers every row once and in order", async () => {
    const { sink, subject, arrived } = await prepare();
    for (let n = 0; n < 1_000; n++) sink.write(row(subject, n));
    await sink.flush();
    expect((await arrived()).map(({ payload }) => payload)).toEqual(
      Array.from({ length: 1_000 }, (_, n) => `{"n":${n}}`),
    );
    await sink.close();
  });

  it("accounts for every row it took", async () => {
    const { sink, subject } = await prepare();
    for (let n = 0; n < 100; n++) sink.write(row(subject, n));
    const before = sink.stats();
    expect(before.rows + before.pending).toBe(100);
    await sink.flush();
    expect(sink.stats()).toMatchObject({ rows: 100, pending: 0, dropped: {} });
    expect(sink.stats().bytes).toBeGreaterThanOrEqual(100 * 7);
    await sink.close();
    sink.write(row(subject, 100));
    expect(sink.stats()).toMatchObject({ rows: 100, pending: 0, dropped: { closed: 1 } });
  });

  it("says when there is room, and there is room again after a flush", async () => {
    const { sink, subject } = await prepare();
    await sink.ready();
    const payload = Buffer.alloc(500_000, "x");
    let full = false;
    for (let n = 0; n < 40; n++) sink.write({ ...row(subject, n), payload });
    const room = sink.ready().then(() => (full = true));
    expect(full).toBe(false);
    await room;
    await sink.flush();
    await sink.ready();
    expect(sink.stats()).toMatchObject({ rows: 40, pending: 0, dropped: {} });
    await sink.close();
  });

  it("flushes at once when nothing is pending, and can be closed twice", async () => {
    const { sink } = await prepare();
    await sink.flush();
    await sink.close();
    await sink.close();
  });
});

describe.each(allKinds.filter(({ overNats }) => overNats))("a $name sink over NATS", ({ prepare }) => {
  it("sends the row's id and when its cause arrived, and nobody else's headers", async () => {
    const { sink, subject, arrived } = await prepare();
    const headers = { "X-Unit": "celsius\r\nInjected: 1", "Nats-Expected-Stream": "OTHER", "bad name": "x" };
    sink.write({ ...row(subject, 7), headers });
    await sink.flush();
    const [first] = await arrived();
    expect(first!.subject).toBe(subject);
    expect(first!.headers).toEqual({
      "Nats-Msg-Id": `weir-${subject}-7`,
      "Weir-Caused-At": "1700000000007",
      "X-Unit": "celsius  Injected: 1",
    });
    await sink.close();
  });

  it("drops and counts what can never be sent, and sends the rest", async () => {
    const { sink, subject, arrived } = await prepare();
    sink.write({ ...row(subject, 0), payload: Buffer.alloc(limits.payload_bytes_max + 1) });
    for (const bad of ["$SYS.x", "a.*", "a..b", "", "a b", "a\r\nPUB x 0"])
      sink.write({ ...row(subject, 0), subject: bad });
    sink.write(row(subject, 1));
    await sink.flush();
    expect(sink.stats()).toMatchObject({ rows: 1, pending: 0, dropped: { oversize: 1, subject: 6 } });
    expect((await arrived()).map(({ payload }) => payload)).toEqual(['{"n":1}']);
    await sink.close();
  });
});
