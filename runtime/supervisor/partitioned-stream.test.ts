// A partitioned stream under a real supervisor, with real workers and a real nats-server: a burst that one worker cannot
// take is shared by two, and one has it all again afterwards. Every row comes once, and those of a key in their order.

import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type JetStreamManager, jetstream, jetstreamManager } from "@nats-io/jetstream";
import { afterAll, beforeAll, expect, test } from "vitest";
import { sleep, wallClock } from "../clock.ts";
import { silentLog } from "../connect/connector-log.ts";
import { connectNats, type NatsLink } from "../connect/nats-connection.ts";
import { type RunningNatsServer, startNatsServer } from "../connect/nats-server.ts";
import { startedPart } from "../testing/started.ts";
import { ProcessDriver } from "./drivers/process-driver.ts";
import { scaleTiming } from "./scale.ts";
import type { SupervisorStatus } from "./status.ts";
import { Supervisor } from "./supervisor.ts";
import { SupervisorFiles } from "./supervisor-files.ts";
import { wantedPipeline } from "./wanted.ts";
import { startRevision, type WorkerStart, workerSocket, workerSpec } from "./worker-start.ts";

const partitions = 4;
const motes = 8;

const folder = mkdtempSync(join(tmpdir(), "weir-part-"));
const run = join(folder, "r");
let server: RunningNatsServer;
let link: NatsLink;
let supervisor: Supervisor | null = null;

beforeAll(async () => {
  const mapping = `"s.*": "p.{{partition(${partitions},1)}}.s.{{wildcard(1)}}"`;
  server = await startNatsServer(
    { name: "weir-partitions-test", extra: `mappings { ${mapping} }` },
    process.env,
  );
  link = await connectNats({ name: "test", servers: server.url }, silentLog);
});

afterAll(async () => {
  await supervisor?.close();
  // What a test that failed has left behind.
  for (const file of globSync(join(folder, "supervisor", "processes", "*", "process"))) {
    try {
      process.kill(Number(readFileSync(file, "utf8").split("\n", 1)[0]), "SIGKILL");
    } catch {
      // It has ended.
    }
  }
  await link?.close();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

async function startSupervisor(): Promise<Supervisor> {
  const own = join(folder, "supervisor");
  mkdirSync(own, { recursive: true });
  const files = new SupervisorFiles(own);
  files.open();
  const identity = files.identity();
  const driver = new ProcessDriver({
    folder: join(own, "processes"),
    supervisor: identity,
    program: [process.execPath, fileURLToPath(startedPart("weir.js"))],
    clock: wallClock,
  });
  await driver.open();
  const set = Object.entries(process.env).filter((each): each is [string, string] => each[1] !== undefined);
  const start: WorkerStart = {
    supervisor: identity,
    host: "gateway",
    assignmentOf: (worker) => files.assignmentPath(worker),
    state: join(folder, "data"),
    settings: ["--nats", server.url],
    further: [],
    environment: { ...Object.fromEntries(set), WEIR_RUN_FOLDER: run },
    program: [],
    folders: [],
  };
  return new Supervisor({
    driver,
    files,
    host: "gateway",
    capacity: { processors: 8, memory_bytes: 2 ** 40, count: 100 },
    spec: (worker) => workerSpec(start, worker),
    revision: startRevision(start),
    limits: {},
    socketOf: (worker) => workerSocket(run, identity, worker),
    clock: wallClock,
    log: { ...silentLog, error: () => undefined },
    random: Math.random,
    memoryFree: () => 2 ** 40,
    scaling: { ...scaleTiming, every_ms: 1_000, catchUp_ms: 500, trialSamples: 1, down_ms: 3_000 },
  });
}

/** Asks until it is so. */
async function until(condition: (status: SupervisorStatus) => boolean): Promise<void> {
  for (;;) {
    if (supervisor !== null && condition(supervisor.status())) return;
    await sleep(wallClock, 50);
  }
}

/** Which workers run partitions, once all run. */
function sharers({ pipelines }: SupervisorStatus): number {
  const running = pipelines.every(({ beat }) => beat?.phase === "running");
  return running ? new Set(pipelines.map(({ worker }) => worker)).size : 0;
}

function isScaledBack({ happenings }: SupervisorStatus): boolean {
  return happenings.some(({ what, reason }) => what === "scaled" && reason.startsWith("from 2 to 1"));
}

async function rowsOf(manager: JetStreamManager): Promise<ReadonlyMap<string, readonly number[]>> {
  const rows = new Map<string, number[]>();
  const { messages } = (await manager.streams.info("OUT")).state;
  const consumer = await jetstream(link.nats).consumers.get("OUT");
  const read = await consumer.fetch({ max_messages: messages, expires: 20_000 });
  for await (const message of read) {
    const numbers = rows.get(message.subject) ?? [];
    numbers.push(message.json<{ n: number }>().n);
    rows.set(message.subject, numbers);
  }
  return rows;
}

// The pattern is looked for from every letter on to the end, which keeps the worker's thread busy for long.
const pipeline = `name: burst
placement: { partitions: ${partitions}, workers: { max: 2 } }
source: { nats: { subject: "p.{partition}.s.{mote}", stream: IN }, format: json, schema: { n: float64, text: string } }
steps:
  - filter: '!text.matches("[a-z]+[0-9]")'
  - select: [mote, n]
  - sink: { nats: { subject: "out.{mote}", stream: OUT, delivery: subject }, format: json }
`;

test("a burst is shared by two workers and then by one again: each row once, in order by key", {
  timeout: 300_000,
}, async () => {
  const manager = await jetstreamManager(link.nats, { checkAPI: false });
  await manager.streams.add({ name: "IN", subjects: ["p.>"] });
  await manager.streams.add({ name: "OUT", subjects: ["out.>"] });
  const file = join(folder, "burst.yaml");
  writeFileSync(file, pipeline);
  supervisor = await startSupervisor();
  supervisor.want([wantedPipeline(file, pipeline)]);
  supervisor.start();
  await until((status) => sharers(status) === 1);

  const sent: number[] = Array.from({ length: motes }, () => 0);
  // A record takes some milliseconds, so that those that wait are too many for one worker on a fast machine as well.
  const letters = "abcdefghij".repeat(200);
  let waiting = 0;
  let isBurst = true;
  const publishing = wallClock.every(20, () => {
    // Ahead of the workers, but not by more than they can work off soon; a little while partitions move.
    const most = isBurst ? motes * 5 : 2;
    for (let mote = 0; waiting < 800 && mote < most; mote++) {
      const n = sent[mote % motes]!++;
      link.nats.publish(`s.m${mote % motes}`, JSON.stringify({ n, text: `${n}${letters}` }));
      waiting++;
    }
  });
  const total = (): number => sent.reduce((sum, each) => sum + each, 0);
  const counting = wallClock.every(100, () => {
    void manager.streams.info("OUT").then(
      ({ state }) => (waiting = total() - state.messages),
      () => undefined,
    );
  });
  await until(({ scales }) => scales["burst"]?.workers === 2);
  isBurst = false;
  // Where others use the processors a second worker may gain nothing, and is taken away again.
  await until((status) => sharers(status) === 2 || isScaledBack(status));
  publishing();
  counting();
  await link.nats.flush();
  await until((status) => sharers(status) === 1 && status.workers.length === 1);
  while ((await manager.streams.info("OUT")).state.messages < total()) await sleep(wallClock, 50);

  const { happenings, scales } = supervisor.status();
  const scaled = happenings.filter(({ what }) => what === "scaled").map(({ reason }) => reason);
  expect(scaled[0]).toMatch(/^from 1 to 2 workers: \d+ records wait/);
  expect(scaled.at(-1)).toMatch(/^from 2 to 1 workers: /);
  expect(scales["burst"]).toMatchObject({ workers: 1 });
  const rows = await rowsOf(manager);
  await supervisor.drain();
  expect(rows.size).toBe(motes);
  for (const [mote, count] of sent.entries())
    expect(rows.get(`out.m${mote}`)).toEqual(Array.from({ length: count }, (_, n) => n));
});
