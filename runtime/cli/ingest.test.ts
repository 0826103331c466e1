// weir run with a journal, as a user starts it: killed in the middle of a numbered stream of core NATS, again and again, the
// stream in the cloud has every record once. And weir ingest by hand.

import type { ChildProcess } from "node:child_process";
import { jetstreamManager } from "@nats-io/jetstream";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { sleep, wallClock } from "../clock.ts";
import { silentLog } from "../connect/connector-log.ts";
import { connectNats, type NatsLink } from "../connect/nats-connection.ts";
import { type RunningNatsServer, startNatsServer } from "../connect/nats-server.ts";
import { ended } from "./site.fixture.ts";
import { WeirProcesses } from "./weir-process.fixture.ts";

let folder: string;
let server: RunningNatsServer;
let link: NatsLink;
let said: string;
let processes: WeirProcesses;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "weir-ingest-cli-"));
  said = "";
  processes = new WeirProcesses(folder);
  server = await startNatsServer({ name: "weir-ingest-cli" }, process.env);
  link = await connectNats({ name: "test", servers: server.url }, silentLog);
});

afterEach(async () => {
  const ingests = [...said.matchAll(/started as process (\d+)/g)].map(([, id]) => Number(id));
  processes.kill();
  for (const ingest of ingests) {
    try {
      process.kill(ingest, "SIGKILL");
    } catch {
      // It has ended.
    }
  }
  await link.close();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

function start(...args: string[]): ChildProcess {
  const { child } = processes.start(args);
  child.stderr?.on("data", (text: string) => (said += text));
  return child;
}

function pipeline(): string {
  writeFileSync(
    join(folder, "pass.yaml"),
    `name: pass
source:
  nats: { subject: in.>, journal: true }
  schema: { n: float64 }
steps:
  - filter: n >= 0
  - sink: { nats: { subject: out.pass, stream: OUT }, format: json }
`,
  );
  return "pass.yaml";
}

/** Resolves once an ingest says that it listens: in its own log, or where it was started by hand. */
async function subscribed(): Promise<void> {
  const file = join(folder, "state", "ingest", "pass", "ingest.log");
  const lines = (): string => said + (existsSync(file) ? readFileSync(file, "utf8") : "");
  await vi.waitFor(() => expect(lines()).toMatch(/ingest in\.>: journal/), { timeout: 15_000, interval: 20 });
}

async function stored(): Promise<number[]> {
  const manager = await jetstreamManager(link.nats);
  const { state } = await manager.streams.info("OUT");
  const numbers: number[] = [];
  for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
    const message = await manager.streams.getMessage("OUT", { seq });
    if (message !== null) numbers.push(message.json<{ n: number }>().n);
  }
  return numbers;
}

it("loses and repeats no record of core NATS, whenever the worker is killed", {
  timeout: 90_000,
}, async () => {
  const file = pipeline();
  const run = (): ChildProcess =>
    start("run", file, "--nats", server.url, "--state", "state", "--log", "text");
  let worker = run();
  await subscribed();
  let sent = 0;
  for (let life = 0; life < 3; life++) {
    for (let burst = 0; burst < 30; burst++) {
      for (let n = 0; n < 20; n++) link.nats.publish("in.a", JSON.stringify({ n: sent++ }));
      await link.flush();
      await sleep(wallClock, 10);
    }
    worker.kill("SIGKILL");
    await ended(worker);
    for (let n = 0; n < 50; n++) link.nats.publish("in.a", JSON.stringify({ n: sent++ }));
    await link.flush();
    worker = run();
  }
  const manager = await jetstreamManager(link.nats);
  await vi.waitFor(
    async () => expect((await manager.streams.info("OUT")).state.messages).toBeGreaterThanOrEqual(sent),
    { timeout: 20_000, interval: 50 },
  );
  worker.kill("SIGTERM");
  expect(await ended(worker)).toBe(0);
  expect(await stored()).toEqual(Array.from({ length: sent }, (_, n) => n));
  expect(said.match(/started as process/g)).toHaveLength(1);
});

it("asks for a state folder where there is none", async () => {
  const worker = start("run", pipeline(), "--nats", server.url, "--log", "text");
  expect(await ended(worker)).toBe(78);
  expect(said).toContain("a journal needs a state folder to be in");
});

it("runs by hand, one at a time, until it is told to end", { timeout: 60_000 }, async () => {
  const file = pipeline();
  const ingest = (): ChildProcess =>
    start("ingest", file, "--nats", server.url, "--state", "state", "--log", "text");
  const first = ingest();
  await subscribed();
  expect(await ended(ingest())).toBe(65);
  expect(said).toContain("another ingest has it");
  first.kill("SIGTERM");
  expect(await ended(first)).toBe(0);
  expect(await ended(start("ingest", file, "--nats", server.url, "--log", "text"))).toBe(78);
  expect(said).toContain("journals need a state folder to be in");
});
