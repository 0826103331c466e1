// What every source must do, run for each of them against a real nats-server and real files.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { RetentionPolicy } from "@nats-io/jetstream";
import { payloadAt } from "../batch/payloads.ts";
import type { Framing } from "../codec/framing.ts";
import type { Plain } from "../state/plain.ts";
import { readPlain, written } from "../state/written.ts";
import { wallClock } from "../clock.ts";
import { FileDisk } from "../state/log/file-disk.ts";
import type { ReadLimits, Source } from "./connect.ts";
import { Ingest } from "./journal/ingest.ts";
import { journalSource } from "./journal/journal-source.ts";
import { JournalWriter } from "./journal/journal-writer.ts";
import { silentLog } from "./connector-log.ts";
import { fileSource } from "./file-source.ts";
import { hostSource } from "./host-source.ts";
import { managerOf } from "./jetstream-requests.ts";
import { jetstreamSource } from "./jetstream-source.ts";
import { connectNats, type NatsLink } from "./nats-connection.ts";
import { startNatsServer, type RunningNatsServer } from "./nats-server.ts";
import { natsSource } from "./nats-source.ts";

let server: RunningNatsServer;
let link: NatsLink;
let folder: string;
let made = 0;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "weir-source-test-"));
  server = await startNatsServer({ name: "weir-source-test" }, process.env);
  link = await connectNats({ name: "test", servers: server.url }, silentLog);
});

/** What was begun beside the sources. */
const ends: (() => Promise<void>)[] = [];

afterAll(async () => {
  for (const end of ends) await end();
  await link?.close();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const wide: ReadLimits = { rows: 1_000, bytes: 1_000_000, wait_ms: 2_000, age_ms: 5 };

interface Prepared {
  readonly source: Source;
  /** What `subject` must say of record i. */
  subject(i: number): string;
  /** The same source as a later run opens it; absent where nothing is kept. */
  reopen?(position: Plain): Promise<Source>;
}

/** A kind of source, opened so that it will deliver exactly `records`. */
interface Kind {
  readonly name: string;
  readonly ends: boolean;
  /** `resume`: with what it is opened. */
  prepare(records: readonly string[], resume?: null): Promise<Prepared>;
}

async function publishAll(prefix: string, records: readonly string[], together = 1): Promise<void> {
  for (let i = 0; i < records.length; i += together)
    link.nats.publish(`${prefix}.d${(i / together) % 3}`, records.slice(i, i + together).join("\r\n"));
  await link.nats.flush();
}

/** Records of one message, where it holds several. */
const together = 70;

interface StreamKind {
  readonly consumer?: string;
  readonly framing?: Framing;
  readonly retention?: RetentionPolicy;
}

async function jetstream(
  records: readonly string[],
  resume: null | undefined,
  { consumer, framing = "message", retention = RetentionPolicy.Limits }: StreamKind = {},
): Promise<Prepared> {
  const each = framing === "message" ? 1 : together;
  const number = made++;
  const manager = await managerOf(link, null);
  await manager.streams.add({ name: `S${number}`, subjects: [`s${number}.>`], retention });
  const options = { link, stream: `S${number}`, subject: `s${number}.>`, framing, log: silentLog };
  const open = async (position: Plain | undefined): Promise<Source> => {
    const source = jetstreamSource(consumer === undefined ? options : { ...options, consumer });
    await source.open(position);
    return source;
  };
  // An interest stream keeps only what somebody is to read.
  const early = retention === RetentionPolicy.Interest ? await open(resume) : null;
  await publishAll(`s${number}`, records, each);
  return {
    source: early ?? (await open(resume)),
    subject: (i) => `s${number}.d${Math.floor(i / each) % 3}`,
    reopen: open,
  };
}

async function core(records: readonly string[], framing: Framing = "message"): Promise<Prepared> {
  const each = framing === "message" ? 1 : together;
  const prefix = `core${made++}`;
  const source = natsSource({
    link,
    subject: `${prefix}.*`,
    framing,
    overflow: "drop_oldest",
    log: silentLog,
  });
  await source.open();
  await publishAll(prefix, records, each);
  return { source, subject: (i) => `${prefix}.d${Math.floor(i / each) % 3}` };
}

async function file(text: string, format: "lines" | "csv", resume?: null): Promise<Prepared> {
  const path = join(folder, `in-${made++}`);
  writeFileSync(path, text);
  const open = async (position: Plain | undefined): Promise<Source> => {
    const source = fileSource({ path, format });
    await source.open(position);
    return source;
  };
  return { source: await open(resume), subject: () => path, reopen: open };
}

/** Core NATS by way of a journal, which an ingest writes all the while. */
async function journal(records: readonly string[], framing: Framing): Promise<Prepared> {
  const each = framing === "message" ? 1 : together;
  const prefix = `journal${made++}`;
  const disk = await FileDisk.open(join(folder, prefix));
  const bounds = { bytes: 100_000_000, age: 3_600_000, overflow: "drop_oldest" } as const;
  const identity = (): string => "7".repeat(32);
  const writer = await JournalWriter.open({ disk, clock: wallClock, identity, ...bounds });
  const received = natsSource({
    link,
    subject: `${prefix}.*`,
    framing,
    overflow: "drop_oldest",
    log: silentLog,
  });
  await received.open();
  const ingest = new Ingest({ source: received, writer, name: "ingest", log: silentLog, clock: wallClock });
  const running = ingest.run();
  ends.push(async () => {
    await ingest.stop();
    await running;
    await writer.close();
  });
  await publishAll(prefix, records, each);
  const open = async (position: Plain | undefined): Promise<Source> => {
    const source = journalSource({ disk, name: "source", log: silentLog });
    await source.open(position);
    return source;
  };
  return {
    source: await open(null),
    subject: (i) => `${prefix}.d${Math.floor(i / each) % 3}`,
    reopen: open,
  };
}

const kinds: readonly Kind[] = [
  { name: "nats with a journal", ends: false, prepare: (records) => journal(records, "message") },
  { name: "nats with a journal, lines", ends: false, prepare: (records) => journal(records, "lines") },
  {
    name: "nats",
    ends: false,
    prepare: (records) => core(records),
  },
  { name: "nats, lines", ends: false, prepare: (records) => core(records, "lines") },
  {
    name: "jetstream, lines",
    ends: false,
    prepare: (records, resume) => jetstream(records, resume, { framing: "lines" }),
  },
  { name: "jetstream", ends: false, prepare: (records, resume) => jetstream(records, resume) },
  {
    name: "jetstream, durable",
    ends: false,
    prepare: (records, resume) => jetstream(records, resume, { consumer: "weir" }),
  },
  {
    name: "jetstream, interest",
    ends: false,
    prepare: (records, resume) =>
      jetstream(records, resume, { consumer: "weir", retention: RetentionPolicy.Interest }),
  },
  {
    name: "jetstream, work queue",
    ends: false,
    prepare: (records, resume) =>
      jetstream(records, resume, { consumer: "weir", retention: RetentionPolicy.Workqueue }),
  },
  {
    name: "file",
    ends: true,
    prepare: (records, resume) => file(records.map((line) => `${line}\n`).join(""), "lines", resume),
  },
  {
    name: "file, CSV with CR LF",
    ends: true,
    prepare: (records, resume) => file(["header", "", ...records].join("\r\n"), "csv", resume),
  },
];

/** Reads until `count` records are there, or the end. */
async function collect(source: Source, count: number, limits: ReadLimits = wide) {
  const records: string[] = [];
  const subjects: string[] = [];
  const sizes: number[] = [];
  let position: Plain = null;
  while (records.length < count) {
    const delivery = await source.read(limits);
    if (delivery === "end") break;
    if (delivery === null) continue;
    const { payloads } = delivery;
    sizes.push(payloads.count);
    position = delivery.position;
    for (let row = 0; row < payloads.count; row++) {
      records.push(Buffer.from(payloadAt(payloads, row)).toString());
      subjects.push(payloads.subjects[payloads.subject[row]!]!);
      expect(payloads.arrived[row]).toBeGreaterThan(1.6e12);
    }
  }
  return { records, subjects, sizes, position };
}

const some = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => `{"n":${i},"é":"${"x".repeat(i % 7)}"}`);

describe.each(kinds)("a $name source", ({ prepare, ends }) => {
  it("delivers every record once, in order, byte for byte, with its subject", async () => {
    const sent = some(5_000);
    const { source, subject } = await prepare(sent);
    const { records, subjects } = await collect(source, sent.length);
    expect(records).toEqual(sent);
    expect(subjects).toEqual(sent.map((_, i) => subject(i)));
    await source.close();
  });

  it("never returns more than it was asked for, but always at least one record", async () => {
    const sent = some(300);
    const { source } = await prepare(sent);
    const byRows = await collect(source, 200, { ...wide, rows: 7 });
    expect(Math.max(...byRows.sizes)).toBeLessThanOrEqual(7);
    const byBytes = await collect(source, sent.length - byRows.records.length, { ...wide, bytes: 1 });
    expect(new Set(byBytes.sizes)).toEqual(new Set([1]));
    expect([...byRows.records, ...byBytes.records]).toEqual(sent);
    await source.close();
  });

  it(ends ? "ends after the last record" : "answers null when nothing comes", async () => {
    const { source } = await prepare(some(3));
    await collect(source, 3);
    expect(await source.read({ ...wide, wait_ms: 20 })).toBe(ends ? "end" : null);
    await source.close();
  });

  it("goes on behind each position, whatever of it was committed, with exactly the rest", async () => {
    const sent = some(200);
    const { source, reopen } = await prepare(sent, null);
    if (reopen === undefined) return source.close();
    const positions: { readonly at: number; readonly position: Plain }[] = [];
    let at = 0;
    while (at < sent.length) {
      const delivery = await source.read({ ...wide, rows: 17 });
      if (delivery === null || delivery === "end") throw new Error("expected records");
      at += delivery.payloads.count;
      positions.push({ at, position: readPlain(written(delivery.position)) });
    }
    await source.close();
    expect(positions.length).toBeGreaterThan(10);
    for (const { at: read, position } of positions) {
      const next = await reopen(position);
      const { records } = await collect(next, sent.length - read, { ...wide, rows: 31 });
      expect(records).toEqual(sent.slice(read));
      expect(await next.read({ ...wide, wait_ms: 10 })).toBe(ends ? "end" : null);
      expect(next.stats().dropped).toEqual({});
      await next.close();
    }
  });

  it("counts records and bytes, and drops none", async () => {
    const sent = some(100);
    const { source } = await prepare(sent);
    await collect(source, 100);
    const { records, bytes, dropped } = source.stats();
    const size = sent.reduce((sum, record) => sum + Buffer.byteLength(record), 0);
    expect({ records, bytes, dropped }).toEqual({ records: 100, bytes: size, dropped: {} });
    await source.close();
  });

  it("takes a commit of what was read, and can be closed twice", async () => {
    const { source } = await prepare(some(10));
    const { position } = await collect(source, 10);
    await source.commit(position);
    await source.close();
    await source.close();
    expect(await source.read({ ...wide, wait_ms: 20 })).toBe("end");
  });
});

describe("a host source", () => {
  it("gives one JSON reading a payload, at its interval, within the limits", async () => {
    const source = hostSource({ every: 100, sensors: [] });
    await source.open();
    const { records, subjects, sizes } = await collect(source, 12, { ...wide, rows: 3 });
    expect(Math.max(...sizes)).toBeLessThanOrEqual(3);
    expect(subjects[0]).toMatch(/^host\.\w+$/);
    for (const record of records) {
      expect(JSON.parse(record)).toEqual({
        sensor: expect.any(String) as string,
        name: expect.any(String) as string,
        ts: expect.any(Number) as number,
        value: expect.any(Number) as number,
        unit: expect.any(String) as string,
      });
    }
    await source.close();
    expect(await source.read(wide)).toBe("end");
  });
});
