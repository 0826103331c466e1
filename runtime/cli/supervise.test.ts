// A supervisor and its workers as real processes, against a real nats-server: killed again and again while a numbered
// stream flows, started without any network, and asked what runs.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { afterAll, beforeAll, expect, test } from "vitest";
import { sleep, wallClock } from "../clock.ts";
import { silentLog } from "../connect/connector-log.ts";
import { connectNats, type NatsLink } from "../connect/nats-connection.ts";
import { type RunningNatsServer, startNatsServer } from "../connect/nats-server.ts";
import { ended, runs, Site } from "./site.fixture.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-sup-"));
const sites: Site[] = [];
let server: RunningNatsServer;
let link: NatsLink;

beforeAll(async () => {
  server = await startNatsServer({ name: "weir-supervise-test" }, process.env);
  link = await connectNats({ name: "test", servers: server.url }, silentLog);
});

afterAll(async () => {
  for (const site of sites) site.kill();
  await link?.close();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

function siteOf(name: string): Site {
  const site = new Site(folder, name);
  sites.push(site);
  return site;
}

const host = (name: string, more = ""): string => `name: ${name}
${more}source: { host: { every: 100ms } }
steps:
  - sink: { file: { path: ../${name}.ndjson }, format: json }
`;

async function messagesOf(stream: string): Promise<number[]> {
  const manager = await jetstreamManager(link.nats, { checkAPI: false });
  const { messages } = (await manager.streams.info(stream)).state;
  if (messages === 0) return [];
  const consumer = await jetstream(link.nats).consumers.get(stream);
  const numbers: number[] = [];
  const read = await consumer.fetch({ max_messages: messages, expires: 5_000 });
  for await (const message of read) numbers.push(message.json<{ n: number }>().n);
  return numbers;
}

test("a numbered stream comes through once and in order, whoever is killed", {
  timeout: 180_000,
}, async () => {
  const site = siteOf("kills");
  const manager = await jetstreamManager(link.nats, { checkAPI: false });
  await manager.streams.add({ name: "KILLS_IN", subjects: ["kills.in"] });
  site.write(
    "kills",
    `name: kills
source: { nats: { subject: kills.in, stream: KILLS_IN }, format: json, schema: { n: float64 } }
steps:
  - sink: { nats: { subject: kills.out, stream: KILLS_OUT }, format: json }
`,
  );
  site.write("beside", host("beside"));
  const nats = ["--nats", server.url];
  let supervisor = site.supervise(site.pipelines, ...nats);
  let sent = 0;
  const publishing = wallClock.every(2, () => link.nats.publish("kills.in", JSON.stringify({ n: sent++ })));
  /** The process of the worker, once rows come through one that is not `before`. */
  const flowing = async (before: number | null): Promise<number> => {
    const { workers } = await site.until(({ pipelines, workers: [worker] }) => {
      const beat = pipelines.find(({ name }) => name === "kills")?.beat;
      return beat?.phase === "running" && beat.rows > 0 && worker?.process !== before;
    });
    return workers[0]!.process!;
  };
  const first = await flowing(null);
  process.kill(first, "SIGKILL");
  const worker = await flowing(first);
  supervisor.kill("SIGKILL");
  await ended(supervisor);
  process.kill(worker, "SIGKILL");
  supervisor = site.supervise(site.pipelines, ...nats);
  await flowing(worker);
  publishing();
  await link.nats.flush();
  while ((await manager.streams.info("KILLS_OUT")).state.messages < sent) await sleep(wallClock, 50);
  await site.drain(supervisor);
  expect(sent).toBeGreaterThan(500);
  expect(await messagesOf("KILLS_OUT")).toEqual(Array.from({ length: sent }, (_, n) => n));
});

test("a host that starts without its network runs what it ran, and adopts what still runs", {
  timeout: 180_000,
}, async () => {
  const site = siteOf("offline");
  site.write("kept", host("kept"));
  const nowhere = ["--nats", "nats://127.0.0.1:1"];
  let supervisor = site.supervise(site.pipelines, ...nowhere);
  const before = await site.until(runs("kept"));
  // SIGTERM leaves the workers running.
  supervisor.kill("SIGTERM");
  await ended(supervisor);
  rmSync(site.pipelines, { recursive: true });
  supervisor = site.supervise(...nowhere);
  const adopted = await site.until(runs("kept"));
  expect(adopted.workers.map(({ process: number }) => number)).toEqual(
    before.workers.map(({ process: number }) => number),
  );
  // As after a start of the machine: nothing runs.
  supervisor.kill("SIGKILL");
  await ended(supervisor);
  process.kill(adopted.workers[0]!.process!, "SIGKILL");
  supervisor = site.supervise(...nowhere);
  const again = await site.until(runs("kept"));
  expect(again.workers[0]!.process).not.toBe(before.workers[0]!.process);
  const second = await site.weir("supervise", "--state", site.state);
  expect(second.code).toBe(65);
  expect(second.stderr).toContain("is in use by the supervisor with process number");
  await site.drain(supervisor);
  expect((await site.weir("status")).code).toBe(69);
});

test("what is in the folder is what runs; status and logs say how it fares", {
  timeout: 180_000,
}, async () => {
  const site = siteOf("folder");
  site.write("one", host("one"));
  site.write("apart", host("apart", "placement: { isolation: worker }\n"));
  const supervisor = site.supervise(site.pipelines);
  const first = await site.until((status) => runs("one")(status) && runs("apart")(status));
  expect(first.workers.map(({ name }) => name).sort()).toEqual(["own-apart", "shared-1"]);
  site.write("two", host("two"));
  writeFileSync(join(site.pipelines, "broken.yaml"), "name: [\n");
  site.write("wrong", host("wrong").replace("- sink", "- snik"));
  rmSync(join(site.pipelines, "apart.yaml"));
  const second = await site.until(
    (status) =>
      runs("two")(status) && status.pipelines.some(({ name, reason }) => name === "wrong" && reason !== null),
  );
  expect(second.pipelines.find(({ name }) => name === "one")!.beat!.since).toBe(
    first.pipelines.find(({ name }) => name === "one")!.beat!.since,
  );
  expect(second.pipelines.find(({ name }) => name === "wrong")!.reason).toContain("did you mean sink?");
  await site.until(({ workers }) => workers.every(({ name }) => name === "shared-1"));
  expect(JSON.parse((await site.weir("status", "--json")).stdout)).toMatchObject([{ driver: "process" }]);
  const shown = (await site.weir("status")).stdout;
  expect(shown).toMatch(/^PIPELINE +STATE +REVISION/m);
  expect(shown).toMatch(/^two +running +[0-9a-f]{12} +shared-1/m);
  expect((await site.weir("logs", "two")).stdout).toContain("two: running revision");
  const unknown = await site.weir("logs", "twoo");
  expect([unknown.code, unknown.stderr]).toEqual([64, expect.stringContaining("did you mean two?")]);
  expect((await site.weir("release", "twoo")).code).toBe(64);
  expect((await site.weir("release", "two")).stdout).toBe("two is started again\n");
  expect((await site.weir("why", "two")).stdout).toMatch(/^two$/m);
  await site.drain(supervisor);
  expect(readFileSync(join(site.folder, "one.ndjson"), "utf8").length).toBeGreaterThan(0);
});
