// A worker whose pipelines read several sources at once, against a real nats-server: two subjects in two
// formats, a source that is silent, files that end, and streams that each go on where they were.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import type { Msg } from "@nats-io/transport-node";
import { afterAll, beforeAll, expect, it } from "vitest";
import { sleep, wallClock } from "../clock.ts";
import { silentLog as quiet } from "../connect/connector-log.ts";
import { connectNats, type NatsLink } from "../connect/nats-connection.ts";
import { type RunningNatsServer, startNatsServer } from "../connect/nats-server.ts";
import { heldBack } from "../engine/held-back.ts";
import { loadInput, readInput } from "../engine/loader.ts";
import type { Log } from "../log.ts";
import { lawFaults } from "../testing/harness.ts";
import { toPayload } from "../testing/payload.ts";
import { defaultSettings, withConnections } from "./settings.ts";
import { Worker, type WorkerStatus } from "./worker.ts";

const silentLog: Log = { ...quiet, error: () => {} };
const folder = mkdtempSync(join(tmpdir(), "weir-sources-test-"));
const workers: Worker[] = [];
let server: RunningNatsServer;
let link: NatsLink;

beforeAll(async () => {
  server = await startNatsServer({ name: "weir-sources-test" }, process.env);
  link = await connectNats({ name: "test", servers: server.url }, quiet);
});

afterAll(async () => {
  for (const worker of workers) await worker.close();
  await link?.close();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(wallClock, 10);
}

interface Running {
  /** Resolves once every source has ended or all was drained. */
  readonly ended: Promise<void>;
  status(): WorkerStatus;
  stop(): Promise<void>;
}

async function start(name: string, body: string): Promise<Running> {
  const path = join(folder, `${name}.yaml`);
  writeFileSync(path, `name: ${name}\n${body}`);
  const loaded = await loadInput(readInput(path, {}), path);
  expect(loaded.diagnostics).toEqual([]);
  const worker = new Worker({
    settings: { ...withConnections(defaultSettings({}), [server.url]), threads: 0 },
    clock: wallClock,
    log: silentLog,
    identity: `run${workers.length}`,
  });
  workers.push(worker);
  await worker.open([loaded]);
  const ended = worker.run();
  ended.catch(() => undefined);
  return {
    ended,
    status: () => worker.status()[0]!,
    stop: () => Promise.race([ended, worker.stop()]),
  };
}

function expectWhole({ pipeline, sinks }: WorkerStatus): void {
  expect(lawFaults(pipeline.branches)).toEqual([]);
  for (const sink of sinks) expect(sink).toMatchObject({ pending: 0, dropped: {} });
}

it("windows over two subjects fire though a third source is silent and a file has ended", async () => {
  writeFileSync(join(folder, "tariff.csv"), "from,price\n100,0.2\n200,0.3\n");
  const out: Msg[] = [];
  link.nats.subscribe("several.rows", { callback: (_error, message) => void out.push(message) });
  await link.nats.flush();
  const running = await start(
    "several",
    `sources:
  temp: { nats: { subject: "several.{device}.temp" }, schema: { ts: time, value: float64 }, time: { field: ts, lateness: 1s } }
  door: { nats: { subject: "several.{device}.door" }, format: msgpack, schema: { at: time, open: bool }, time: { field: at, unit: s } }
  smoke: { nats: { subject: "several.{device}.smoke" }, schema: { ts: time }, time: { field: ts, idle: 200ms } }
  tariff: { file: { path: tariff.csv }, schema: { from: time, price: float64 }, time: { field: from } }
steps:
  - window: { tumbling: 10s, by: [source, device], select: { n: count(), mean: mean(value), opened: count(open), price: max(price) } }
  - sink: { nats: { subject: several.rows }, format: json }
`,
  );
  for (let n = 0; n < 20; n++) {
    link.nats.publish("several.a.temp", JSON.stringify({ ts: n * 1_000, value: n }));
    link.nats.publish("several.b.door", toPayload("msgpack", { at: n, open: true }, []));
  }
  await link.nats.flush();
  await until(() => out.length === 3 && running.status().pipeline.watermark === 18_000);
  const rows = out.map((message) => message.json<Record<string, unknown>>());
  const start0 = { window_start: 0, window_end: 10_000 };
  const nothing = { mean: null, opened: 0, price: null };
  const bySource = Object.fromEntries(rows.map((row) => [row["source"], row]));
  expect(bySource).toEqual({
    temp: { ...start0, ...nothing, source: "temp", device: "a", n: 10, mean: 4.5 },
    door: { ...start0, ...nothing, source: "door", device: "b", n: 10, opened: 10 },
    tariff: { ...start0, ...nothing, source: "tariff", device: null, n: 2, price: 0.3 },
  });
  const { pipeline, sources } = running.status();
  expect(sources.map(({ name, records }) => [name, records])).toEqual([
    ["temp", 20],
    ["door", 20],
    ["smoke", 0],
    ["tariff", 2],
  ]);
  const { inputs, holder } = heldBack(pipeline.inputs, wallClock.now());
  expect(inputs.map(({ state }) => state)).toEqual(["holding", "ahead", "idle", "ended"]);
  expect(holder).toMatchObject({ name: "temp", by_ms: 1_000 });
  await running.stop();
  await until(() => out.length === 5);
  expectWhole(running.status());
});

it("a pipeline has finished when all of its sources have ended", async () => {
  writeFileSync(join(folder, "left.ndjson"), '{"ts":1,"n":1}\n{"ts":2,"n":2}\n');
  writeFileSync(join(folder, "right.csv"), "ts,m\n1,10\n30,20\n40,30\n");
  const running = await start(
    "files",
    `sources:
  left: { file: { path: left.ndjson }, schema: { ts: time, n: float64 }, time: { field: ts } }
  right: { file: { path: right.csv }, schema: { ts: time, m: float64 }, time: { field: ts } }
steps:
  - window: { tumbling: 10ms, select: { n: sum(n), m: sum(m) } }
  - sink: { file: { path: files.ndjson }, format: json }
`,
  );
  await running.ended;
  expect(running.status().pipeline.branches[0]).toMatchObject({ in: 5, out: 5, held: 0, rows: 3 });
  expectWhole(running.status());
});

it("streams are each acknowledged, and go on where they were when the worker is started again", async () => {
  const manager = await jetstreamManager(link.nats, { checkAPI: false });
  await manager.streams.add({ name: "TWO", subjects: ["two.>"] });
  const body = `sources:
  temp: { nats: { subject: two.temp, stream: TWO }, schema: { n: float64 } }
  door: { nats: { subject: two.door, stream: TWO }, format: msgpack, schema: { n: float64 } }
steps:
  - filter: n >= 0
  - sink: { nats: { subject: "rows.{source}", stream: ROWS }, format: json }
`;
  const publish = async (from: number, to: number): Promise<void> => {
    const client = jetstream(link.nats, { checkAPI: false } as object);
    for (let n = from; n < to; n++) {
      await client.publish("two.temp", JSON.stringify({ n }));
      await client.publish("two.door", toPayload("msgpack", { n }, []));
    }
  };
  await publish(0, 50);
  const first = await start("two", body);
  await until(() => first.status().pipeline.branches[0]!.in === 100);
  await first.stop();
  expectWhole(first.status());
  await workers.at(-1)!.close();
  const consumers = await manager.consumers.list("TWO").next();
  expect(consumers.map(({ name }) => name).sort()).toEqual(["door@two", "temp@two"]);
  await publish(50, 80);
  const second = await start("two", body);
  await until(() => second.status().pipeline.branches[0]!.in >= 60);
  await second.stop();
  expect(second.status().pipeline.branches[0]!.in).toBe(60);
  expectWhole(second.status());
  expect((await manager.streams.info("ROWS")).state.messages).toBe(160);
});
