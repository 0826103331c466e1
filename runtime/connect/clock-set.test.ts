// A clock on the wall that is set back or ahead while a worker runs: what is waited for comes when that much time has passed,
// and neither an hour later nor at once.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { sleep, wallClock } from "../clock.ts";
import { SetClock } from "../set-clock.fixture.ts";
import { FileDisk } from "../state/log/file-disk.ts";
import { batchSink } from "./batch-sink.ts";
import type { ReadLimits, Source } from "./connect.ts";
import { silentLog } from "./connector-log.ts";
import { fileSource } from "./file-source.ts";
import { HostSampler } from "./host-sampler.ts";
import { hostSource } from "./host-source.ts";
import { DeliveredReader } from "./jetstream-delivered.ts";
import { JetStreamPublisher } from "./jetstream-publisher.ts";
import { Pull } from "./jetstream-pull.ts";
import { journalSource } from "./journal/journal-source.ts";
import { connectNats, type NatsLink } from "./nats-connection.ts";
import { type RunningNatsServer, startNatsServer } from "./nats-server.ts";
import { SinkCounts } from "./sink-counts.ts";

const hour_ms = 3_600_000;
const reading: ReadLimits = { rows: 1_000, bytes: 100_000, wait_ms: 100, age_ms: 1 };
const folder = mkdtempSync(join(tmpdir(), "weir-clock-"));
let server: RunningNatsServer;
let link: NatsLink;

/** Time that passes while somebody waits for it. */
class SleepingClock extends SetClock {
  override after(ms: number, task: () => void): () => void {
    const due = this.elapsed() + ms;
    setImmediate(() => this.advanceTo(due));
    return super.after(ms, task);
  }
}

beforeAll(async () => {
  server = await startNatsServer({ name: "weir-clock" }, process.env);
  link = await connectNats({ name: "test", servers: server.url }, silentLog);
  mkdirSync(join(folder, "proc/net"), { recursive: true });
  writeFileSync(join(folder, "proc/loadavg"), "0.5 0.5 0.5 1/1 1\n");
});

afterAll(async () => {
  await link?.close();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Records that come within `ms` of the clock's time. */
async function recordsWithin(source: Source, clock: SetClock, ms: number): Promise<number> {
  const end = clock.elapsed() + ms;
  let records = 0;
  while (clock.elapsed() < end) {
    const delivery = await source.read(reading);
    if (delivery === "end") break;
    if (delivery !== null) records += delivery.payloads.count;
  }
  return records;
}

describe.each([
  ["back", -hour_ms],
  ["ahead", hour_ms],
])("a clock that is set %s by an hour", (_, set) => {
  it("does not change when this machine is looked at", async () => {
    const clock = new SleepingClock();
    const source = hostSource({ every: 1_000, sensors: ["load"], root: folder, clock });
    await source.open();
    clock.set = set;
    expect(await recordsWithin(source, clock, 3_500)).toBe(3 * 3);
    await source.close();
  });

  it("does not change the rates that two looks tell", async () => {
    const sampler = new HostSampler(["network"], folder);
    const received = (bytes: number): void =>
      writeFileSync(join(folder, "proc/net/dev"), `h\nh\n eth0: ${bytes} 1 0 0 0 0 0 0 0 1 0 0 0 0 0 0\n`);
    received(1_000);
    await sampler.sample(hour_ms, 0);
    received(3_000);
    const readings = await sampler.sample(hour_ms + set, 2_000);
    expect(readings.find(({ name }) => name === "eth0.received")).toMatchObject({
      ts: hour_ms + set,
      value: 1_000,
    });
  });

  it("does not change the pace of a file", async () => {
    const path = join(folder, "paced.ndjson");
    writeFileSync(path, '{"n":1}\n'.repeat(1_000));
    const clock = new SleepingClock();
    const source = fileSource({ path, format: "lines", rate: 10, clock });
    await source.open();
    clock.set = set;
    const records = await recordsWithin(source, clock, 2_000);
    expect(records).toBeGreaterThanOrEqual(18);
    expect(records).toBeLessThanOrEqual(22);
    await source.close();
  });

  it("does not change how long rows wait for those that go with them", () => {
    const clock = new SetClock();
    const counts = new SinkCounts();
    const done = (): Promise<void> => Promise.resolve();
    let written = 0;
    const sink = batchSink(
      {
        open: done,
        ready: done,
        flush: done,
        close: done,
        write: () => void written++,
        stats: () => counts.stats(),
      },
      { format: "json", rows: 100, bytes: 10_000, wait: 1_000, clock },
    );
    sink.write({ subject: "a", payload: Buffer.from("1"), id: null, caused: 0 });
    clock.set = set;
    clock.pass(999);
    expect(written).toBe(0);
    clock.pass(1);
    expect(written).toBe(1);
  });

  it("does not change how long a journal that has nothing is waited for", async () => {
    const clock = new SleepingClock();
    const disk = await FileDisk.open(join(folder, `journal${set}`));
    const source = journalSource({ disk, name: "source", log: silentLog, clock });
    await source.open(null);
    const before = clock.elapsed();
    const read = source.read(reading);
    clock.set = set;
    expect(await read).toBeNull();
    expect(clock.elapsed() - before).toBeGreaterThanOrEqual(100);
    expect(clock.elapsed() - before).toBeLessThan(1_000);
    await source.close();
  });

  it("keeps no connection from coming back, and the thread from its work", async () => {
    const before = await startNatsServer({ name: "weir-clock" }, process.env);
    const coming = await connectNats({ name: "test", servers: before.url }, silentLog);
    const shown = Date.now.bind(Date);
    const clock = vi.spyOn(Date, "now").mockImplementation(() => shown() + set);
    try {
      await before.stop();
      const { user } = process.threadCpuUsage();
      await vi.waitFor(() => expect(coming.connected).toBe(false), { timeout: 5_000 });
      await sleep(wallClock, 500);
      expect((process.threadCpuUsage().user - user) / 1_000).toBeLessThan(400);
      const after = await startNatsServer({ name: "weir-clock", port: before.port }, process.env);
      await vi.waitFor(() => expect(coming.connected).toBe(true), { timeout: 5_000 });
      await coming.close();
      await after.stop();
    } finally {
      clock.mockRestore();
    }
  });

  it("does not change how long an answer is waited for", async () => {
    // Somebody listens, and answers nothing.
    const silent = link.nats.subscribe("silent.>");
    const clock = new SetClock();
    const outcomes: string[] = [];
    const publisher = new JetStreamPublisher<string>(link, clock, (of, { kind }) =>
      outcomes.push(`${of} ${kind}`),
    );
    publisher.add("silent.row", "", Buffer.from("1"), "row");
    publisher.send();
    clock.set = set;
    clock.pass(4_000);
    expect(outcomes).toEqual([]);
    clock.pass(2_000);
    expect(outcomes).toEqual(["row lost"]);
    publisher.close();
    silent.unsubscribe();
  });

  it("does not change how long a request for messages is waited for", () => {
    const silent = link.nats.subscribe("silent.>");
    const clock = new SetClock();
    const verdicts: string[] = [];
    const pull = new Pull({
      link,
      apiPrefix: "silent",
      stream: "IN",
      consumer: "c",
      clock,
      reader: new DeliveredReader(),
      events: { onMessage: () => {}, onSettle: () => {}, onVerdict: (verdict) => verdicts.push(verdict) },
    });
    pull.ask(10, 1_000);
    clock.set = set;
    expect(pull.outstanding).toBe(10);
    clock.pass(3_500);
    expect(pull.outstanding).toBe(0);
    clock.pass(3_000);
    pull.expire();
    expect(verdicts).toEqual(["gone"]);
    expect(pull.remaining).toBe(0);
    pull.close();
    silent.unsubscribe();
  });
});
