// Feeding the shipped recording and small files onto real NATS subjects and MQTT topics.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { VirtualClock } from "../clock.ts";
import { silentLog } from "./connector-log.ts";
import { feed, type FeedOptions } from "./feed.ts";
import { csvRow, csvValue, fillTemplate, matches, parseWhere } from "./feed-rows.ts";
import { managerOf } from "./jetstream-requests.ts";
import { connectNats, type NatsLink } from "./nats-connection.ts";
import { startNatsServer, type RunningNatsServer } from "./nats-server.ts";

describe("rows", () => {
  it("takes no line whose quoting is broken", () => {
    expect(csvRow(["a"], '"unclosed')).toBeNull();
  });

  it.each([
    ["27.97", 27.97],
    ["-1e3", -1000],
    ["0", 0],
    ["007", "007"],
    ["1_000", "1_000"],
    ["1e999", "1e999"],
    ["", null],
    ["NaN", "NaN"],
  ])("takes %j for %j", (text, value) => {
    expect(csvValue(text)).toBe(value);
  });

  it("fills a template with one token for each field, whatever the value holds", () => {
    const row = csvRow(["mote_id", "site", "empty"], '3,"a.b > *",')!;
    expect(fillTemplate("sensors.{mote_id}.{ site }.{empty}.{absent}", row)).toBe("sensors.3.a_b____._._");
    expect(fillTemplate("sensors/{site}", { site: "a/b+#" })).toBe("sensors/a_b__");
  });

  it("chooses by equal and unequal fields", () => {
    const row = { mote: 1, label: 0, name: "a=b" };
    expect(matches(row, [parseWhere("mote=1"), parseWhere("label!=1")])).toBe(true);
    expect(matches(row, [parseWhere("mote!=1")])).toBe(false);
    expect(matches(row, [parseWhere("name=a=b"), parseWhere("absent=")])).toBe(true);
    expect(() => parseWhere("label")).toThrow(/expected field=value/);
  });
});

describe("feed", () => {
  let server: RunningNatsServer;
  let link: NatsLink;
  let folder: string;
  let csv: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "weir-feed-"));
    csv = join(folder, "motes.csv");
    const rows = Array.from(
      { length: 40 },
      (_, i) => `${(i >> 1) + 1},${(i % 2) + 1},${20 + i},${i % 10 === 0 ? 1 : 0}`,
    );
    writeFileSync(csv, ["reading,mote_id,temperature,label", ...rows, ""].join("\r\n"));
    server = await startNatsServer({ name: "weir-feed", mqtt: true }, process.env);
    link = await connectNats({ name: "feed", servers: server.url }, silentLog);
  });

  afterAll(async () => {
    await link?.close();
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Feeds, and gives back what arrived at `pattern`. */
  async function fed(options: Omit<FeedOptions, "log">, pattern: string) {
    const arrived: { subject: string; row: Record<string, unknown> }[] = [];
    const subscription = link.nats.subscribe(pattern, {
      callback: (_, message) => {
        arrived.push({ subject: message.subject, row: message.json() });
      },
    });
    await link.nats.flush();
    const progress = await feed({ ...options, log: silentLog });
    await link.nats.flush();
    subscription.unsubscribe();
    return { arrived, progress };
  }

  it("sends rows of one subject together, each once", async () => {
    const messages: string[] = [];
    const subscription = link.nats.subscribe("together.*", {
      callback: (_, message) => void messages.push(message.string()),
    });
    await link.nats.flush();
    const from = { kind: "file", path: csv, format: "csv" } as const;
    const to = { kind: "nats", link } as const;
    const progress = await feed({ from, to, batch: 8, subject: "together.{mote_id}", log: silentLog });
    await link.nats.flush();
    subscription.unsubscribe();
    expect(progress).toMatchObject({ sent: 40, confirmed: 40, lost: 0 });
    expect(messages.map((message) => message.split("\n").length)).toEqual([8, 8, 8, 8, 4, 4]);
    const rows = messages.flatMap((message) =>
      message.split("\n").map((line) => JSON.parse(line) as { temperature: number }),
    );
    expect(rows.map(({ temperature }) => temperature).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 40 }, (_, i) => 20 + i),
    );
  });

  it("gives rows without a time one by their reading number, on a subject by their mote", async () => {
    const { arrived, progress } = await fed(
      {
        from: { kind: "file", path: csv, format: "csv" },
        to: { kind: "nats", link },
        subject: "sensors.{mote_id}.climate",
        time: { field: "ts", start: 1_000_000, step: 5_000, index: "reading" },
        where: [parseWhere("label!=1")],
        limit: 5,
      },
      "sensors.*.climate",
    );
    expect(arrived).toEqual(
      [1, 2, 3, 4, 5].map((i) => ({
        subject: `sensors.${(i % 2) + 1}.climate`,
        row: {
          reading: (i >> 1) + 1,
          mote_id: (i % 2) + 1,
          temperature: 20 + i,
          label: 0,
          ts: 1_000_000 + (i >> 1) * 5_000,
        },
      })),
    );
    expect(progress).toMatchObject({ read: 6, sent: 5, confirmed: 5, skipped: 1, bad: 0, lost: 0 });
  });

  it("ends by an interrupt though a stream never takes its rows, and says that they are lost", async () => {
    await (await managerOf(link, null)).streams.add({ name: "NARROW", subjects: ["narrow.taken"] });
    const interrupted = new AbortController();
    const said: string[] = [];
    const fed = feed({
      from: { kind: "file", path: csv, format: "csv" },
      to: { kind: "nats", link, stream: { name: "NARROW", subjects: ["narrow.*"] } },
      subject: "narrow.{mote_id}",
      signal: interrupted.signal,
      log: { info: (message) => void said.push(message), warn: (message) => void said.push(message) },
    });
    setTimeout(() => interrupted.abort(), 1_000);
    expect(await fed).toMatchObject({ sent: 40, confirmed: 0, lost: 40 });
    // Each time it is tried again finds the same, and that is told once.
    expect(said.filter((message) => message.includes("do not hold narrow.*"))).toHaveLength(1);
    expect(said).toContain(
      "interrupted: 40 rows are not confirmed yet, and waited for up to 10 s; a second interrupt ends at once",
    );
  });

  it("skips the beginning of a recording by its own time", async () => {
    const { progress } = await fed(
      {
        from: { kind: "file", path: csv, format: "csv" },
        to: { kind: "nats", link },
        subject: "skipped.{mote_id}",
        time: { field: "ts", start: 0, step: 5_000, index: "reading" },
        skip: 50_000,
      },
      "skipped.*",
    );
    expect(progress).toMatchObject({ read: 40, skipped: 20, sent: 20, confirmed: 20 });
  });

  it.each([
    [
      "the recording's own time",
      { speed: 10, time: { field: "ts", start: 7, step: 5_000, index: "reading" } },
      9_500,
    ],
    ["a rate", { rate: 4 }, 9_750],
  ])("keeps %s", async (_, pace, duration) => {
    const clock = new VirtualClock(1_000);
    const arrivals: number[] = [];
    const subscription = link.nats.subscribe("paced.*", {
      callback: () => {
        arrivals.push(clock.now());
      },
    });
    const state = { done: false };
    const feeding = feed({
      from: { kind: "file", path: csv, format: "csv" },
      to: { kind: "nats", link },
      subject: "paced.{mote_id}",
      ...pace,
      log: silentLog,
      clock,
    }).finally(() => (state.done = true));
    while (!state.done) {
      // A round trip lets everything that was due happen before time goes on.
      await link.nats.flush();
      // The clock stands still until the file is open and the first row, which is due at once, is here.
      if (arrivals.length > 0) clock.advanceTo(clock.now() + 50);
    }
    expect(await feeding).toMatchObject({ sent: 40, confirmed: 40 });
    expect(arrivals).toHaveLength(40);
    expect(arrivals.at(-1)! - arrivals[0]!).toBeGreaterThanOrEqual(duration - 200);
    expect(arrivals.at(-1)! - arrivals[0]!).toBeLessThanOrEqual(duration + 400);
    subscription.unsubscribe();
  });

  it("puts NDJSON into a stream byte for byte, and counts lines that are no record", async () => {
    const path = join(folder, "in.ndjson");
    writeFileSync(path, '{"id":"x","v":1.50}\nnot json\n[1]\n{"id":"y"}\n');
    const stream = { name: "FED", subjects: ["fed.>"] };
    const progress = await feed({
      from: { kind: "file", path, format: "ndjson" },
      to: { kind: "nats", link, stream },
      subject: "fed.{id}",
      log: silentLog,
    });
    expect(progress).toMatchObject({ read: 4, sent: 2, confirmed: 2, bad: 2 });
    const manager = await managerOf(link, null);
    const first = await manager.streams.getMessage("FED", { seq: 1 });
    expect([first!.subject, first!.string()]).toEqual(["fed.x", '{"id":"x","v":1.50}']);
    expect((await manager.streams.info("FED")).state.messages).toBe(2);
  });

  it.each([
    ["refused.{absent}", {}, /^--to: no record of .*fields\.ndjson has the field absent$/],
    ["refused.{rare}", {}, null],
    ["refused.{state}", {}, /^--to: state of record 2 is a list or a map$/],
    [
      "refused.{id}",
      { timeField: "zz", speed: 5 },
      /^--time-field: no record of .* has a time in the field zz$/,
    ],
    ["refused.{id}", { timeField: "id" }, /^--time-field: no record of .* has a time in the field id$/],
    [
      "refused.{ts}",
      { time: { field: "ts", start: 0, step: 1, index: "no" } },
      /^--index: no record .* field no$/,
    ],
    ["refused.{ts}", { time: { field: "ts", start: 0, step: 1, index: null } }, null],
  ] as const)("refuses %s with %j where no record has the fields", async (subject, more, told) => {
    const path = join(folder, "fields.ndjson");
    writeFileSync(
      path,
      'no json\n{"id":"x"}\n{"id":"y","rare":1}\n'.replace('"x"', '"x","state":{"valve":1}'),
    );
    const feeding = fed(
      { from: { kind: "file", path, format: "ndjson" }, to: { kind: "nats", link }, subject, ...more },
      "refused.>",
    );
    if (told === null) expect((await feeding).arrived).toHaveLength(2);
    else
      await expect(feeding).rejects.toMatchObject({
        code: "WEIR_USAGE",
        message: expect.stringMatching(told),
      });
  });

  it("refuses a column that a CSV file, or this machine's sensors, do not have", async () => {
    const to = { kind: "nats", link } as const;
    await expect(
      fed({ from: { kind: "file", path: csv, format: "csv" }, to, subject: "refused.{mote}" }, "refused.>"),
    ).rejects.toMatchObject({ remedy: "the first record has: reading, mote_id, temperature, label" });
    await expect(
      fed(
        { from: { kind: "host", every: 50, sensors: [] }, to, subject: "refused.{device}", limit: 1 },
        "refused.>",
      ),
    ).rejects.toMatchObject({
      message: expect.stringContaining("this machine's sensors has the field device"),
    });
  });

  it("publishes to MQTT topics, which arrive as subjects", async () => {
    const { arrived, progress } = await fed(
      {
        from: { kind: "file", path: csv, format: "csv" },
        to: { kind: "mqtt", url: server.mqttUrl! },
        subject: "motes/{mote_id}/climate",
        limit: 10,
      },
      "motes.*.climate",
    );
    expect(progress).toMatchObject({ sent: 10, confirmed: 10, lost: 0 });
    expect(arrived.map(({ subject }) => subject).slice(0, 2)).toEqual(["motes.1.climate", "motes.2.climate"]);
    expect(arrived).toHaveLength(10);
  });

  it("says where it looked for a broker that is not there, without the password", async () => {
    const feeding = feed({
      from: { kind: "file", path: csv, format: "csv" },
      to: { kind: "mqtt", url: "mqtt://user:secret@127.0.0.1:1" },
      subject: "x",
      log: silentLog,
    });
    await expect(feeding).rejects.toThrow(/no MQTT broker at mqtt:\/\/\*\*\*@127\.0\.0\.1:1/);
  });

  it("feeds this machine's readings until it is stopped", async () => {
    const stop = new AbortController();
    const { arrived, progress } = await fed(
      {
        from: { kind: "host", every: 100, sensors: ["load", "memory"] },
        to: { kind: "nats", link },
        subject: "host.{sensor}.{name}",
        signal: stop.signal,
        limit: 8,
      },
      "host.>",
    );
    expect(progress.sent).toBe(8);
    expect(arrived.map(({ subject }) => subject)).toContain("host.load.1m");
  });
});
