// weir try as anybody runs it: against files and a real nats-server, on which it must leave no trace.

import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { AckPolicy, type JetStreamManager, jetstreamManager, RetentionPolicy } from "@nats-io/jetstream";
import { Kvm } from "@nats-io/kv";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sleep, wallClock } from "../clock.ts";
import { silentLog } from "../connect/connector-log.ts";
import { connectNats, type NatsLink } from "../connect/nats-connection.ts";
import { freePort, type RunningNatsServer, startNatsServer } from "../connect/nats-server.ts";
import { limits } from "../limits.ts";
import { type Ended, program, WeirProcesses } from "./weir-process.fixture.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-try-test-"));
const processes = new WeirProcesses(folder);
const weir = (...args: readonly string[]): Promise<Ended> => processes.weir("try", ...args);
let server: RunningNatsServer;
let link: NatsLink;
let manager: JetStreamManager;

beforeAll(async () => {
  server = await startNatsServer({ name: "weir-try" }, process.env);
  link = await connectNats({ name: "test", servers: server.url }, silentLog);
  manager = await jetstreamManager(link.nats);
});
afterAll(async () => {
  processes.kill();
  await link.close();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

function file(name: string, ...lines: readonly string[]): string {
  writeFileSync(join(folder, name), `${lines.join("\n")}\n`);
  return name;
}

interface Shape {
  readonly source?: string;
  readonly hot?: number;
  readonly mean?: string;
}

/** Its sinks and dead letter are such as would be seen on the server. */
function pipeline(
  name: string,
  { source = "subject: 'in.{device}'", hot = 30, mean = "mean(temp)" }: Shape = {},
): string {
  return file(
    `${name}.yaml`,
    `name: ${name}`,
    `source: { nats: { ${source} }, format: json, schema: { ts: time, temp: float64 }, time: { field: ts } }`,
    "steps:",
    "  - filter: temp < 60",
    "  - branch:",
    "      means:",
    `        - window: { tumbling: 1m, by: device, select: { mean: ${mean} } }`,
    "          keys: { max: 10 }",
    "        - sink: { nats: { subject: 'out.{device}', stream: OUT }, format: msgpack }",
    "      hot:",
    `        - filter: temp > ${hot}`,
    "        - sink: { nats: { subject: out.hot } }",
    "dead_letter: { nats: { subject: out.dead } }",
  );
}

const record = (ts: number, temp: unknown, device = "a"): string => JSON.stringify({ device, ts, temp });
const readings = [
  record(0, 20),
  record(1_000, 40),
  record(2_000, "x"),
  record(61_000, 31),
  record(62_000, 99),
];
const nats = (): readonly string[] => ["--nats", server.url];

describe.concurrent("records of a file", () => {
  it("show every branch's rows, and where the others went", async () => {
    const { code, stdout, stderr } = await weir(pipeline("f1"), "--from", file("f1.ndjson", ...readings));
    expect({ code, lines: stdout.trim().split("\n").toSorted() }).toEqual({
      code: 0,
      lines: [
        'hot out.hot {"device":"a","ts":1000,"temp":40}',
        'hot out.hot {"device":"a","ts":61000,"temp":31}',
        'means out.a {"window_start":0,"window_end":60000,"device":"a","mean":30}',
        'means out.a {"window_start":60000,"window_end":120000,"device":"a","mean":31}',
      ],
    });
    expect(stderr.trim().split("\n")).toEqual([
      "reading f1.ndjson",
      "f1: 5 records",
      "  means: in 5 = out 3 (in 2 rows) + held 0 + left out 2",
      "    1 record at source: type",
      "      the first: temp: expected float64, got string (from in.a)",
      '      {"device":"a","ts":2000,"temp":"x"}',
      "    1 record at 1 filter: filtered",
      "  hot: in 5 = out 2 (in 2 rows) + held 0 + left out 3",
      "    1 record at source: type",
      "    1 record at 1 filter: filtered",
      "    1 record at hot/1 filter: filtered",
    ]);
  });

  it("of one step, as JSON, with a summary at the end", async () => {
    const from = file("f2.csv", "device,ts,temp", "a,0,20", "b,1000,70");
    const { code, stdout, stderr } = await weir(pipeline("f2"), "--from", from, "--step", "1", "--json");
    const [row, last, ...more] = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as unknown);
    expect({ code, stderr, more }).toEqual({ code: 0, stderr: "", more: [] });
    expect(row).toEqual({
      step: "1 filter",
      subject: "",
      time: expect.stringMatching(/^\d{4}-.*Z$/),
      row: { device: "a", ts: 0, temp: 20 },
    });
    expect(last).toMatchObject({
      summary: {
        pipeline: "f2",
        records: 2,
        branches: [
          { name: "1 filter", in: 2, out: 1, left_out: [{ step: "1 filter", records: 1, first: null }] },
        ],
        waiting: null,
      },
    });
  });

  it("stop at so many records, and say what windows hold", async () => {
    const from = file("f3.ndjson", ...readings);
    const { code, stdout, stderr } = await weir(
      pipeline("f3"),
      "--from",
      from,
      "--limit",
      "2",
      "--step",
      "means/1",
    );
    expect({ code, stdout }).toEqual({ code: 0, stdout: "" });
    expect(stderr).toContain(
      "f3: 2 records\n  means/1 window: in 2 = out 0 (in 0 rows) + held 2 + left out 0\n  waits:\n",
    );
    expect(stderr).toMatch(
      /means\/1 window holds 2 records; its next rows are due at 1970-01-01T00:01:00\.000Z: event time has 59s to go/,
    );
  });

  it("stop at so many rows", async () => {
    const from = file("f4.ndjson", ...Array.from({ length: 100 }, (_, n) => record(n, 40)));
    const { stdout } = await weir(pipeline("f4"), "--from", from, "--limit", "3rows");
    expect(stdout.trim().split("\n")).toHaveLength(3);
  });

  it("may be dead letters, each as it came", async () => {
    const letter = (payload: object, subject: string): string =>
      JSON.stringify({ pipeline: "p", step: "source", reason: "type", subject, arrived: 5, ...payload });
    const from = file(
      "f5.ndjson",
      letter({ payload: '{"ts":0,"temp":31}' }, "in.t7"),
      letter({ payload_base64: Buffer.from('{"ts":1,"temp":32}').toString("base64") }, "in.t8"),
      "broken",
    );
    const { stdout, stderr } = await weir(pipeline("f5"), "--from", from, "--step", "hot/1", "--json");
    const rows = stdout
      .trim()
      .split("\n")
      .slice(0, -1)
      .map((line) => JSON.parse(line) as unknown);
    expect({ rows, stderr }).toEqual({
      rows: [
        {
          step: "hot/1 filter",
          subject: "",
          time: expect.any(String),
          row: { ts: 0, temp: 31, device: "t7" },
        },
        {
          step: "hot/1 filter",
          subject: "",
          time: expect.any(String),
          row: { ts: 1, temp: 32, device: "t8" },
        },
      ],
      stderr: "",
    });
  });

  it("that are too long to be read are told", async () => {
    const from = file("f7.ndjson", readings[0]!, "x".repeat(limits.payload_bytes_max + 1));
    const { code, stderr } = await weir(pipeline("f7"), "--from", from);
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: expect.stringContaining("\nsource: not read, and in no count above: oversize 1\n"),
    });
  });

  it("stand for one of several sources each", async () => {
    const input = "format: json, schema: { ts: time, v: float64 }, time: { field: ts }";
    const two = file(
      "f6.yaml",
      "name: f6",
      `sources: { cold: { nats: { subject: c }, ${input} }, warm: { nats: { subject: w }, ${input} } }`,
      "steps: [{ filter: v > 0 }, { sink: { nothing: {} } }]",
    );
    const from = file("f6.ndjson", '{"ts":0,"v":1}', '{"ts":1,"v":0}');
    const { code, stdout } = await weir(two, "--from", `cold=${from}`, "--from", `warm=${from}`);
    expect({ code, lines: stdout.trim().split("\n").toSorted() }).toEqual({
      code: 0,
      lines: ['{"ts":0,"v":1,"source":"cold"}', '{"ts":0,"v":1,"source":"warm"}'],
    });
    const mistyped = await weir(two, "--from", `clod=${from}`);
    expect(mistyped).toMatchObject({ code: 64, stderr: expect.stringContaining("did you mean cold?") });
  });
});

describe.concurrent("--against", () => {
  const against = (name: string, shape: Shape, ...args: readonly string[]): Promise<Ended> => {
    const from = file(`${name}.ndjson`, ...readings);
    return weir(pipeline(`${name}-a`), "--against", pipeline(`${name}-b`, shape), "--from", from, ...args);
  };

  it("says that nothing differs", async () => {
    expect(await against("g1", {})).toMatchObject({
      code: 0,
      stdout: "rows: 4 alike, 0 differ, 0 only in g1-a.yaml, 0 only in g1-b.yaml\n",
    });
  });

  it("shows what differs, and what only one has", async () => {
    const { code, stdout } = await against("g2", { hot: 35, mean: "max(temp)" });
    expect({ code, lines: stdout.trim().split("\n") }).toEqual({
      code: 1,
      lines: [
        '- means {"window_start":0,"window_end":60000,"device":"a","mean":30}',
        '+ means {"window_start":0,"window_end":60000,"device":"a","mean":40}',
        '- hot {"device":"a","ts":61000,"temp":31}',
        "rows: 2 alike, 1 differ, 1 only in g2-a.yaml, 0 only in g2-b.yaml",
      ],
    });
  });

  it("takes numbers for alike that differ by a share of them, and tells machines", async () => {
    const shape = { mean: "mean(temp + 0.0000001)" };
    expect(await against("g3", shape, "--tolerance", "1e-6")).toMatchObject({ code: 0 });
    const { code, stdout } = await against("g4", shape, "--step", "means/1", "--json");
    const lines = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as unknown);
    expect({ code, lines }).toMatchObject({
      code: 1,
      lines: [
        { step: "means/1 window", minus: { mean: 30 }, plus: { window_start: 0 } },
        { step: "means/1 window", minus: { mean: 31 } },
        {
          summary: {
            rows: { alike: 0, differ: 2, only_minus: 0, only_plus: 0 },
            pipelines: [{ records: 5 }, { records: 5 }],
          },
        },
      ],
    });
  });
});

describe("a server", () => {
  /** All that is sent to where the sinks and the dead letter would send. */
  function watched(): { readonly subjects: string[]; end(): void } {
    const subjects: string[] = [];
    const subscription = link.nats.subscribe("out.>", {
      callback: (_fault, { subject }) => void subjects.push(subject),
    });
    return { subjects, end: () => subscription.unsubscribe() };
  }

  it("sends a subject's records to whoever listened before as well, and gets nothing", async () => {
    const sent = watched();
    let heard = 0;
    const group = link.nats.subscribe("in.*", { queue: "workers", callback: () => void heard++ });
    const { child, says, ended } = processes.start(["try", pipeline("n1"), ...nats()]);
    await says("Ctrl-C ends it");
    for (const reading of readings) link.nats.publish("in.a", reading);
    await link.nats.flush();
    await sleep(wallClock, 300);
    child.kill("SIGINT");
    const { code, stdout, stderr } = await ended;
    expect(code).toBe(0);
    expect(stdout).toContain('hot out.hot {"device":"a","ts":1000,"temp":40}');
    expect(stderr).toContain("reading nats in.* on default (core NATS); Ctrl-C ends it");
    expect(stderr).toContain("in 5 = out 2 (in 1 row) + held 1 + left out 2");
    expect(stderr).toContain(
      "means/1 window holds 1 record; its next rows are due at 1970-01-01T00:02:00.000Z",
    );
    expect({ heard, sent: sent.subjects }).toEqual({ heard: 5, sent: [] });
    await expect(manager.streams.info("OUT")).rejects.toThrow(/not found/);
    group.unsubscribe();
    sent.end();
  });

  it("gives two pipelines the same records, whatever source the other names", async () => {
    const other = pipeline("n5-b", { source: "subject: 'elsewhere.{device}'", hot: 35 });
    const { child, says, ended } = processes.start(["try", pipeline("n5-a"), "--against", other, ...nats()]);
    await says("Ctrl-C ends it");
    for (const reading of readings) link.nats.publish("in.a", reading);
    await link.nats.flush();
    await sleep(wallClock, 300);
    child.kill("SIGHUP");
    const { code, stdout, stderr } = await ended;
    expect({ code, stdout }).toEqual({
      code: 1,
      stdout: [
        '- hot {"device":"a","ts":61000,"temp":31}',
        "rows: 2 alike, 0 differ, 1 only in n5-a.yaml, 0 only in n5-b.yaml",
        "",
      ].join("\n"),
    });
    expect(stderr).toContain("n5-b.yaml names other sources: it is given the records of n5-a.yaml's");
  });

  it("has tables of a bucket looked up, and asked for where there is none", async () => {
    const body = (bucket: string): string =>
      file(
        `${bucket}.yaml`,
        `name: ${bucket}`,
        "source: { nats: { subject: 'in.{device}' }, format: json, schema: { ts: time, temp: float64 } }",
        "steps:",
        `  - lookup: { table: { kv: { bucket: ${bucket} } }, on: device, add: { limit: float64 } }`,
        "  - select: [temp, limit]",
        "  - sink: { nothing: {} }",
      );
    const limitsBucket = await new Kvm(link.nats).create("known");
    await limitsBucket.put("a", '{"limit":7}');
    const from = file("n6.ndjson", record(0, 20));
    expect(await weir(body("known"), "--from", from, ...nats())).toMatchObject({
      code: 0,
      stdout: '{"temp":20,"limit":7}\n',
    });
    expect(await weir(body("unknown"), "--from", from, ...nats())).toMatchObject({
      code: 78,
      stderr: expect.stringContaining("there is no bucket unknown"),
    });
    expect((await manager.streams.info("KV_known")).state.consumer_count).toBe(0);
  });

  it("keeps a stream, its consumers and what they are to get as they are", async () => {
    const sent = watched();
    await manager.streams.add({ name: "IN", subjects: ["stored.>"] });
    await manager.consumers.add("IN", { durable_name: "n2", ack_policy: AckPolicy.All });
    for (const reading of readings) await link.nats.request("stored.a", reading);
    const name = pipeline("n2", { source: "subject: 'stored.{device}', stream: IN" });
    const last = await weir(name, ...nats(), "--last", "2", "--step", "1");
    expect(last).toMatchObject({ code: 0, stdout: '{"ts":61000,"temp":31,"device":"a"}\n' });
    const since = await weir(name, ...nats(), "--since", "10m");
    expect(since.stdout.trim().split("\n")).toHaveLength(3);
    expect(since.stderr).toMatch(
      /reading nats stored\.\* on default \(stream IN\), from 2.*Z on\nn2: 5 records\n/,
    );
    const { child, says, ended } = processes.start(["try", name, ...nats()]);
    await says("Ctrl-C ends it");
    expect((await manager.streams.info("IN")).state.consumer_count).toBe(2);
    await link.nats.request("stored.b", record(0, 50, "b"));
    await sleep(wallClock, 300);
    child.kill("SIGTERM");
    expect(await ended).toMatchObject({ code: 0, stdout: expect.stringContaining('"temp":50') });
    const consumers = await manager.consumers.list("IN").next();
    expect(consumers.map(({ name: each, num_pending }) => [each, num_pending])).toEqual([["n2", 6]]);
    expect(sent.subjects).toEqual([]);
    sent.end();
  });

  it("has its work queue left alone", async () => {
    await manager.streams.add({ name: "Q", subjects: ["q.>"], retention: RetentionPolicy.Workqueue });
    await link.nats.request("q.a", readings[0]!);
    const name = pipeline("n3", { source: "subject: 'q.{device}', stream: Q" });
    expect(await weir(name, ...nats(), "--last", "1")).toMatchObject({
      code: 64,
      stderr: expect.stringMatching(/^error: stream Q is a work queue.*\n.*--from/),
    });
    expect((await manager.streams.info("Q")).state).toMatchObject({ messages: 1, consumer_count: 0 });
  });

  it("has no consumer left where the reader of the rows has gone", async () => {
    await manager.streams.add({ name: "MANY", subjects: ["many.>"] });
    for (let n = 0; n < 5_000; n++) link.nats.publish("many.a", record(n, 40, "a".repeat(200)));
    await link.nats.flush();
    const name = pipeline("n4", { source: "subject: 'many.{device}', stream: MANY" });
    const script = `"${process.execPath}" "${program}" try ${name} --nats ${server.url} --since 1h | head -n 1; echo "\${PIPESTATUS[@]}"`;
    const { stdout, stderr } = await promisify(execFile)("bash", ["-c", script], { cwd: folder });
    expect(stdout.trim().split("\n").at(-1)).toBe("141 0");
    expect(stderr).not.toContain("error");
    expect((await manager.streams.info("MANY")).state.consumer_count).toBe(0);
  });
});

describe.concurrent("mistakes", () => {
  it.each<readonly [string, () => readonly string[], number, RegExp]>([
    ["a file that is not there", () => ["none.yaml"], 66, /there is no file none\.yaml/],
    [
      "another that is not there",
      () => [pipeline("m1"), "--against", "none.yaml"],
      66,
      /there is no file none\.yaml/,
    ],
    [
      "a pipeline that is wrong",
      () => [pipeline("m2", { mean: "maen(temp)" })],
      78,
      /m2\.yaml:7:\d+: error: .*maen/,
    ],
    [
      "a step that there is not",
      () => [pipeline("m3"), "--step", "windw"],
      64,
      /m3 has no step windw\n.*window/,
    ],
    [
      "records that are not there",
      () => [pipeline("m4"), "--from", "no.ndjson"],
      66,
      /cannot read no\.ndjson/,
    ],
    [
      "a file without records",
      () => [pipeline("m5"), "--from", file("m5.ndjson")],
      64,
      /no record came from m5\.ndjson/,
    ],
    [
      "a subject that is silent",
      () => [pipeline("m6"), ...nats(), "--for", "50ms"],
      64,
      /no record came on in\.\* within 50ms\n.*--for 1m/,
    ],
    [
      "stored messages of core NATS",
      () => [pipeline("m7"), "--since", "1h"],
      64,
      /--since: no source here is a stream\n.*keeps nothing/,
    ],
    [
      "a stream that is not there",
      () => [pipeline("m8", { source: "subject: 'a.{device}', stream: NOT" }), ...nats()],
      69,
      /there is no stream NOT on default/,
    ],
    [
      "a limit of nothing",
      () => [pipeline("m9"), "--limit", "many"],
      64,
      /--limit: expected how many, got many\n.*20rows/,
    ],
    [
      "two beginnings",
      () => [pipeline("m10"), "--last", "3", "--since", "1h"],
      64,
      /two different beginnings/,
    ],
    [
      "a tolerance for nothing",
      () => [pipeline("m13"), "--tolerance", "1"],
      64,
      /nothing that rows are compared/,
    ],
    ["a part of a message", () => [pipeline("m11"), "--last", "1.5"], 64, /expected a whole number/],
  ])("%s", async (_name, args, expected, text) => {
    const { code, stdout, stderr } = await weir(...args());
    expect({ code, stdout, stderr }).toEqual({
      code: expected,
      stdout: "",
      stderr: expect.stringMatching(text),
    });
  });

  it("a server that is not there is given up", async () => {
    const began = wallClock.elapsed();
    const port = await freePort();
    const { code, stderr } = await weir(pipeline("m12"), "--nats", `nats://127.0.0.1:${port}`);
    expect({ code, stderr }).toEqual({ code: 69, stderr: expect.stringContaining("no connection to") });
    expect(wallClock.elapsed() - began).toBeLessThan(limits.nats_command_wait_ms_max * 3);
  });
});
