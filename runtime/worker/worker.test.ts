// A whole worker against a real nats-server: what goes in comes out, counted to the last record, through
// core NATS and JetStream, failing operators and a server that dies in the middle.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import type { Msg } from "@nats-io/transport-node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sleep, wallClock } from "../clock.ts";
import { silentLog as quiet } from "../connect/connector-log.ts";
import { connectNats, type NatsLink } from "../connect/nats-connection.ts";
import { startNatsServer, type RunningNatsServer } from "../connect/nats-server.ts";
import { loadInput, readInput } from "../engine/loader.ts";
import { WeirError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Log } from "../log.ts";
import type { PipelinePlan } from "../pipeline/pipeline.ts";
import { consumerName } from "./open.ts";
import { defaultSettings, withConnections } from "./settings.ts";
import { Worker, type WorkerStatus } from "./worker.ts";

const silentLog: Log = { ...quiet, error: () => {} };
const folder = mkdtempSync(join(tmpdir(), "weir-worker-test-"));
const workers: Worker[] = [];
let server: RunningNatsServer;
let link: NatsLink;
let monitoring: number;
let runs = 0;

beforeAll(async () => {
  monitoring = await freePort();
  const extra = `http: "127.0.0.1:${monitoring}"`;
  server = await startNatsServer({ name: "weir-worker-test", extra }, process.env);
  link = await connectNats({ name: "test", servers: server.url }, quiet);
});

afterAll(async () => {
  for (const worker of workers) await worker.close();
  await link?.close();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await sleep(wallClock, 10);
}

/** Writes a pipeline's file. */
function pipeline(name: string, body: string): string {
  const path = join(folder, `${name}.yaml`);
  writeFileSync(path, `name: ${name}\n${body}`);
  return path;
}

interface Running {
  readonly worker: Worker;
  readonly ended: Promise<void>;
  of(name: string): WorkerStatus;
  /** Drains; resolves when everything has ended. */
  stop(): Promise<void>;
}

async function start(files: readonly string[], options: { url?: string; log?: Log } = {}): Promise<Running> {
  const pipelines = await Promise.all(files.map((file) => loadInput(readInput(file, {}), file)));
  expect(pipelines.flatMap(({ diagnostics }) => diagnostics)).toEqual([]);
  const worker = new Worker({
    settings: { ...withConnections(defaultSettings({}), [options.url ?? server.url]), threads: 0 },
    clock: wallClock,
    log: options.log ?? silentLog,
    identity: `run${runs++}`,
  });
  workers.push(worker);
  await worker.open(pipelines);
  const ended = worker.run();
  ended.catch(() => undefined);
  return {
    worker,
    ended,
    of: (name) => worker.status().find((status) => status.name === name)!,
    async stop() {
      await Promise.race([ended, worker.stop()]);
    },
  };
}

/** What is published to a subject from here on. */
async function collect(subject: string): Promise<Msg[]> {
  const messages: Msg[] = [];
  link.nats.subscribe(subject, { callback: (_error, message) => void messages.push(message) });
  await link.nats.flush();
  return messages;
}

async function addStream(name: string, subjects: readonly string[], on: NatsLink = link): Promise<void> {
  const manager = await jetstreamManager(on.nats, { checkAPI: false });
  await manager.streams.add({ name, subjects: [...subjects] });
}

async function messagesOf(stream: string, on: NatsLink = link): Promise<number> {
  const manager = await jetstreamManager(on.nats, { checkAPI: false });
  return (await manager.streams.info(stream)).state.messages;
}

/** The payloads of a stream, in order. */
async function payloadsOf(stream: string, on: NatsLink = link): Promise<Record<string, unknown>[]> {
  const count = await messagesOf(stream, on);
  if (count === 0) return [];
  const consumer = await jetstream(on.nats, { checkAPI: false } as object).consumers.get(stream);
  const payloads: Record<string, unknown>[] = [];
  for await (const message of await consumer.fetch({ max_messages: count, expires: 2_000 })) {
    payloads.push(message.json());
    if (payloads.length === count) break;
  }
  return payloads;
}

/** in = out + held + ledger, for each branch. */
function expectLaw({ pipeline: { branches } }: WorkerStatus): void {
  for (const branch of branches) {
    const ledger = branch.ledger.reduce((total, { records }) => total + records, 0);
    expect(branch.in).toBe(branch.out + branch.held + ledger);
  }
}

describe("messages of many records", () => {
  it("are cut, gathered and counted record by record, in every format", async () => {
    const first = pipeline(
      "many-first",
      `source:
  nats: { subject: many.in }
  format: json
  framing: array
  schema: { device: string, temp: float64 }
steps:
  - filter: temp < 10000
  - select: [device, temp]
  - sink: { nats: { subject: "many.packed.{device}", stream: MANY }, format: msgpack, batch: { rows: 7 } }
dead_letter: { nats: { subject: many.dead } }
`,
    );
    const second = pipeline(
      "many-second",
      `source:
  nats: { subject: "many.packed.*", stream: MANY }
  format: msgpack
  framing: values
  schema: { device: string, temp: float64 }
steps:
  - select: [device, temp]
  - sink: { nats: { subject: many.cells }, format: csv, batch: { bytes: 100B } }
`,
    );
    const third = pipeline(
      "many-third",
      `source:
  nats: { subject: many.cells }
  format: csv
  framing: lines
  schema: { device: string, temp: float64 }
steps:
  - select: [device, temp]
  - sink: { nats: { subject: many.out }, format: json, batch: { rows: 1000, wait: 10ms } }
`,
    );
    const [out, dead] = [await collect("many.out"), await collect("many.dead")];
    const running = await start([first, second, third]);
    const records = Array.from({ length: 300 }, (_, n) => ({ device: `d${n % 2}`, temp: n }));
    for (let n = 0; n < 300; n += 100)
      link.nats.publish(
        "many.in",
        JSON.stringify([...records.slice(n, n + 100), { temp: "hot" }, { temp: 1e6 }]),
      );
    const rows = (): { device: string; temp: number }[] =>
      out.flatMap((message) =>
        message
          .string()
          .split("\n")
          .map((line) => JSON.parse(line) as never),
      );
    await until(() => rows().length === 300 && dead.length === 3);
    expect(rows().sort((a, b) => a.temp - b.temp)).toEqual(records);
    for (const device of ["d0", "d1"]) {
      const own = rows().filter((row) => row.device === device);
      expect(own).toEqual(own.toSorted((a, b) => a.temp - b.temp));
    }
    expect(dead.map((message) => message.string())).toEqual(Array(3).fill('{"temp":"hot"}'));
    await running.stop();
    for (const name of ["many-first", "many-second", "many-third"]) {
      const status = running.of(name);
      expectLaw(status);
      expect(status.sinks[0]).toMatchObject({ rows: 300, pending: 0, dropped: {} });
    }
    expect(running.of("many-first").sources[0]!.records).toBe(306);
    const stored = await messagesOf("MANY");
    expect(stored).toBeGreaterThanOrEqual(Math.ceil(300 / 7));
    expect(stored).toBeLessThan(300);
    expect(out.length).toBeLessThan(300);
  });
});

describe("core NATS in", () => {
  it("goes out to core NATS and to JetStream, each record once", async () => {
    const file = pipeline(
      "core",
      `source:
  nats: { subject: "core.{device}.in" }
  format: json
  schema: { n: float64 }
steps:
  - branch:
      all:
        - sink: { nats: { subject: "coreout.{device}" }, format: json }
      even:
        - filter: n < 50
        - sink: { nats: { subject: "kept.{device}", stream: KEPT }, format: json }
`,
    );
    const out = await collect("coreout.*");
    const running = await start([file]);
    for (let n = 0; n < 100; n++) link.nats.publish(`core.d${n % 3}.in`, JSON.stringify({ n }));
    await link.nats.flush();
    await until(() => running.of("core").pipeline.branches[0]!.in === 100);
    await running.stop();
    await until(() => out.length === 100);
    expect(out.map((message) => message.json<{ n: number }>().n)).toEqual(
      Array.from({ length: 100 }, (_, n) => n),
    );
    expect(out[4]!.subject).toBe("coreout.d1");
    const kept = await payloadsOf("KEPT");
    expect(kept.map(({ n }) => n)).toEqual(Array.from({ length: 50 }, (_, n) => n));
    const status = running.of("core");
    expectLaw(status);
    expect(status.sinks).toMatchObject([
      { branch: "all", rows: 100, pending: 0 },
      { branch: "even", rows: 50, pending: 0 },
    ]);
    expect(status.sources[0]).toMatchObject({ records: 100, dropped: {} });
  });
});

describe("JetStream in", () => {
  const body = (from: string, to: string): string => `source:
  nats: { subject: "${from}.*", stream: ${from.toUpperCase()} }
  format: json
  schema: { n: float64 }
steps:
  - filter: n >= 0
  - sink: { nats: { subject: "${to}.rows", stream: ${to.toUpperCase()} }, format: json }
`;

  it("goes on behind what is done when the worker is started again", async () => {
    await addStream("JSIN", ["jsin.*"]);
    const file = pipeline("durable", body("jsin", "jsout"));
    const publish = async (from: number, to: number): Promise<void> => {
      const client = jetstream(link.nats);
      const answers: Promise<unknown>[] = [];
      for (let n = from; n < to; n++) answers.push(client.publish("jsin.x", JSON.stringify({ n })));
      await Promise.all(answers);
    };
    await publish(0, 500);
    const first = await start([file]);
    await until(() => first.of("durable").pipeline.branches[0]!.in === 500);
    await first.stop();
    await first.worker.close();
    await publish(500, 900);
    const second = await start([file]);
    await until(() => second.of("durable").pipeline.branches[0]!.in >= 400);
    await second.stop();
    expect(second.of("durable").pipeline.branches[0]!.in).toBe(400);
    const rows = await payloadsOf("JSOUT");
    expect(rows.map(({ n }) => n)).toEqual(Array.from({ length: 900 }, (_, n) => n));
  });

  it("loses and repeats nothing when the server dies in the middle", async () => {
    const storeDir = join(folder, "restart");
    const before = await startNatsServer({ name: "weir-restart", storeDir }, process.env);
    const client = await connectNats({ name: "restart", servers: before.url }, quiet);
    await addStream("LIVEIN", ["livein.*"], client);
    const file = pipeline("restart", body("livein", "liveout"));
    const running = await start([file], { url: before.url });
    const total = 3_000;
    const published = publishAll(client, total);
    await until(() => running.of("restart").sinks[0]!.rows > 200);
    await before.kill();
    await before.stop();
    const after = await startNatsServer({ name: "weir-restart", storeDir, port: before.port }, process.env);
    await published;
    await until(() => running.of("restart").pipeline.branches[0]!.in >= total);
    await running.stop();
    const rows = await payloadsOf("LIVEOUT", client);
    const distinct = new Set(rows.map(({ n }) => n));
    expect(distinct.size).toBe(total);
    expect(rows).toHaveLength(total);
    const status = running.of("restart");
    expect(status.sinks[0]).toMatchObject({ rows: total, pending: 0, dropped: {} });
    expectLaw(status);
    await running.worker.close();
    await client.close();
    await after.stop();
  });

  /** Publishes each record until the stream has it; the id makes a repeat harmless. */
  async function publishAll(client: NatsLink, total: number): Promise<void> {
    const stream = jetstream(client.nats);
    for (let n = 0; n < total; n++) {
      const payload = JSON.stringify({ n });
      const put = (): Promise<unknown> =>
        stream.publish("livein.x", payload, { msgID: `in${n}`, timeout: 500 });
      let isStored = false;
      while (!isStored) {
        isStored = await put().then(
          () => true,
          () => false,
        );
        if (!isStored) await sleep(wallClock, 50);
      }
    }
  }
});

it("refused records arrive as dead letters, with their reason and their original bytes", async () => {
  const file = pipeline(
    "strict",
    `source:
  nats: { subject: "strict.*" }
  format: json
  schema: { ts: time, temp: float64 }
  time: { field: ts, lateness: 1s, ahead: 1m }
steps:
  - filter: temp > 0
  - sink: { nats: { subject: "strictout" }, format: json }
dead_letter: { nats: { subject: dlq.strict, stream: DLQ } }
`,
  );
  const letters = await collect("dlq.strict");
  const running = await start([file]);
  const now = wallClock.now();
  const broken = Buffer.from([0x7b, 0x22, 0x74, 0xff, 0x00]);
  link.nats.publish("strict.a", broken);
  link.nats.publish("strict.b", '{"ts":1,"temp":"warm"}');
  link.nats.publish("strict.c", '{"temp":1}');
  link.nats.publish("strict.d", JSON.stringify({ ts: now + 3_600_000, temp: 1 }));
  link.nats.publish("strict.e", JSON.stringify({ ts: now, temp: 1 }));
  await link.nats.flush();
  await until(() => running.of("strict").pipeline.branches[0]!.in === 5);
  await running.stop();
  await until(() => letters.length === 4);
  const bySubject = new Map(letters.map((letter) => [letter.headers!.get("Weir-Subject"), letter]));
  const reasons = [...bySubject].map(([subject, letter]) => [subject, letter.headers!.get("Weir-Reason")]);
  expect(Object.fromEntries(reasons)).toEqual({
    "strict.a": "decode",
    "strict.b": "type",
    "strict.c": "time",
    "strict.d": "ahead",
  });
  expect(Buffer.from(bySubject.get("strict.a")!.data)).toEqual(broken);
  expect(bySubject.get("strict.b")!.string()).toBe('{"ts":1,"temp":"warm"}');
  expect(bySubject.get("strict.b")!.headers!.get("Weir-Pipeline")).toBe("strict");
  expect(bySubject.get("strict.b")!.headers!.get("Weir-Detail")).not.toBe("");
  expect(await messagesOf("DLQ")).toBe(4);
  const status = running.of("strict");
  expect(status.pipeline.branches[0]).toMatchObject({ in: 5, out: 1 });
  expect(status.deadLetter).toMatchObject({ rows: 4, pending: 0 });
  expectLaw(status);
});

it("pipelines on one subject share one subscription", async () => {
  const body = (to: string): string => `source:
  nats: { subject: "shared.*" }
  format: json
steps:
  - filter: n >= 0
  - sink: { nats: { subject: "${to}" }, format: json }
`;
  const running = await start([pipeline("one", body("shareout1")), pipeline("two", body("shareout2"))]);
  const answer = await fetch(`http://127.0.0.1:${monitoring}/connz?subs=1`);
  const { connections } = (await answer.json()) as { connections: { subscriptions_list?: string[] }[] };
  const subscriptions = connections.flatMap(({ subscriptions_list = [] }) => subscriptions_list);
  expect(subscriptions.filter((subject) => subject === "shared.*")).toHaveLength(1);
  const outs = [await collect("shareout1"), await collect("shareout2")];
  for (let n = 0; n < 20; n++) link.nats.publish("shared.x", JSON.stringify({ n }));
  await link.nats.flush();
  await until(() => outs.every((out) => out.length === 20));
  await running.stop();
  expect(running.of("one").sources).toEqual(running.of("two").sources);
  expect(running.of("one").sources[0]!.records).toBe(20);
});

it("rows for nothing are counted, and the others of the source get theirs", async () => {
  const body = (sink: string): string => `source:
  nats: { subject: "trial" }
  format: json
  schema: { n: float64 }
steps:
  - filter: n > 4
  - sink: { ${sink} }
`;
  const out = await collect("trialout");
  const files = [
    pipeline("counted", body("nothing: {}")),
    pipeline("taken", body("nats: { subject: trialout }")),
  ];
  const running = await start(files);
  for (let n = 0; n < 20; n++) link.nats.publish("trial", JSON.stringify({ n }));
  await until(() => out.length === 15);
  await running.stop();
  for (const name of ["counted", "taken"]) {
    const { pipeline: counts, sinks } = running.of(name);
    expect(counts.branches[0]).toMatchObject({ in: 20, out: 15, rows: 15 });
    expect(sinks).toMatchObject([{ branch: "main", rows: 15, pending: 0 }]);
  }
});

describe("an operator of the user's own", () => {
  writeFileSync(
    join(folder, "brittle.ts"),
    `import { defineOperator, z, type OperatorDefinition } from "weir/sdk";
export const brittle: OperatorDefinition = defineOperator({
  name: "brittle",
  summary: "Passes batches on, and fails at the second.",
  rule: "Fails when it was called before.",
  kind: "keyed",
  config: z.strictObject({}),
  examples: [],
  create: () => {
    let calls = 0;
    return {
      onBatch(batch, out) {
        if (calls++ > 0) throw new Error("broken on purpose");
        out.emit(batch);
      },
    };
  },
});
`,
  );

  it("that fails ends its own pipeline only, and says so", async () => {
    const told: string[] = [];
    const log: Log = { ...silentLog, error: (message) => void told.push(message) };
    const brittle = pipeline(
      "brittle-one",
      `use: [./brittle.ts]
source:
  nats: { subject: "brittle.*" }
  format: json
  schema: { n: float64 }
steps:
  - brittle: {}
  - sink: { nats: { subject: "brittleout" }, format: json }
`,
    );
    const sturdy = pipeline(
      "sturdy",
      `source:
  nats: { subject: "brittle.*" }
  format: json
  schema: { n: float64 }
steps:
  - sink: { nats: { subject: "sturdyout" }, format: json }
`,
    );
    const out = await collect("sturdyout");
    const running = await start([brittle, sturdy], { log });
    link.nats.publish("brittle.x", '{"n":0}');
    await until(() => out.length === 1);
    await until(() => running.of("brittle-one").pipeline.branches[0]!.in === 1);
    link.nats.publish("brittle.x", '{"n":1}');
    await until(() => told.length > 0);
    for (let n = 2; n < 12; n++) link.nats.publish("brittle.x", JSON.stringify({ n }));
    await until(() => out.length === 12);
    expect(told).toHaveLength(1);
    expect(told[0]).toContain("brittle-one");
    expect(told[0]).toContain("broken on purpose");
    const failure = running.stop();
    await expect(failure).rejects.toBeInstanceOf(WeirError);
    await expect(failure).rejects.toMatchObject({ code: "WEIR_OPERATOR" });
    expect(running.of("sturdy").pipeline.branches[0]).toMatchObject({ in: 12, out: 12 });
  });
});

it("a pipeline that waits for its stream holds up no other", async () => {
  const waits = pipeline(
    "waits-for-stream",
    `source:
  nats: { subject: "later.>", stream: LATER }
  format: json
  schema: { n: float64 }
steps:
  - sink: { nats: { subject: "waited.out" }, format: json }
`,
  );
  const runs = pipeline(
    "runs-beside",
    `source:
  nats: { subject: "beside.>" }
  format: json
  schema: { n: float64 }
steps:
  - sink: { nats: { subject: "beside-out" }, format: json }
`,
  );
  const [beside, waited] = [await collect("beside-out"), await collect("waited.out")];
  const opening = start([waits, runs]);
  let isOpen = false;
  void opening.then(() => (isOpen = true));
  while (beside.length === 0) {
    link.nats.publish("beside.x", '{"n":1}');
    await sleep(wallClock, 20);
  }
  expect(isOpen).toBe(false);
  await addStream("LATER", ["later.>"]);
  const running = await opening;
  await jetstream(link.nats).publish("later.x", '{"n":2}');
  await until(() => waited.length === 1);
  await running.stop();
});

it("a connection that is not configured is refused by name", async () => {
  const file = pipeline(
    "elsewhere",
    `source:
  nats: { subject: "a.>" }
  format: json
steps:
  - sink: { nats: { to: mars, subject: b }, format: json }
`,
  );
  await expect(start([file])).rejects.toThrow(/no NATS connection is called mars/);
});

describe("the consumer of pipelines that share a stream", () => {
  const named = (...names: readonly string[]): PipelinePlan[] =>
    names.map((name) => ({ name }) as PipelinePlan);

  it("is theirs in whatever order the files were given", () => {
    expect(consumerName(named("climate"))).toBe("climate");
    expect(consumerName(named("provoked", "climate"))).toBe("climate+provoked");
  });

  it("is no longer than the broker takes, and differs where they do", () => {
    const many = Array.from({ length: 9 }, (_, place) => `pipeline-${"x".repeat(50)}-${place}`);
    const long = consumerName(named(...many));
    expect(long.length).toBe(limits.consumer_name_length_max);
    expect(long).not.toBe(consumerName(named(...many.slice(0, 8), "zz")));
  });
});
