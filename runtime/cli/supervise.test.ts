// A supervisor and its workers as real processes, against a real nats-server: killed again and again while a numbered
// stream flows, started without any network, and asked what runs.

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { afterAll, beforeAll, expect, test } from "vitest";
import { sleep, wallClock } from "../clock.ts";
import { silentLog } from "../connect/connector-log.ts";
import { connectNats, type NatsLink } from "../connect/nats-connection.ts";
import { freePort, type RunningNatsServer, startNatsServer } from "../connect/nats-server.ts";
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

test("of a folder, what does not fit its changed steps begins anew where it is told to", {
  timeout: 180_000,
}, async () => {
  const site = siteOf("forget");
  const windows = (aggregate: string): string => `name: boiler
source: { host: { every: 100ms } }
steps:
  - window: { tumbling: 1h, select: { load: ${aggregate}(value) } }
  - sink: { nothing: {}, format: json }
`;
  const of = ({ pipelines: [line] }: Parameters<ReturnType<typeof runs>>[0]) => line;
  site.write("boiler", windows("mean"));
  const started = site.supervise(site.pipelines);
  await site.until(
    (status) => runs("boiler")(status) && status.happenings.some(({ what }) => what === "good"),
  );
  site.write("boiler", windows("max"));
  await site.until((status) => of(status)?.reason?.includes("--forget boiler") === true);
  started.kill("SIGTERM");
  await ended(started);
  expect(
    await site.weir("supervise", site.pipelines, "--state", site.state, "--forget", "boler"),
  ).toMatchObject({
    code: 64,
    stderr: expect.stringContaining("did you mean boiler?"),
  });
  const again = site.supervise(site.pipelines, "--forget", "boiler");
  await site.until((status) => runs("boiler")(status) && of(status)?.runs === of(status)?.wanted);
  await site.drain(again);
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
  const address = `127.0.0.1:${await freePort()}`;
  const supervisor = site.supervise(site.pipelines, "--admin", address);
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
  expect((await site.weir("release", "two")).stdout).toBe("two has not failed: it is left as it is\n");
  expect((await site.weir("why", "two")).stdout).toMatch(/^two$/m);
  expect(await fetched(`http://${address}/healthz`)).toEqual([200, "ok\n"]);
  const [unready, reasons] = await fetched(`http://${address}/readyz`);
  expect([unready, reasons]).toEqual([
    503,
    expect.stringMatching(
      /^not ok\nwrong(@\w+)? is (failed|starting|quarantined)\b.*\nbroken.yaml is refused: .*\n$/,
    ),
  ]);
  for (const file of ["wrong.yaml", "broken.yaml"]) rmSync(join(site.pipelines, file));
  await site.until(({ pipelines }) => pipelines.every(({ state }) => state === "running"));
  expect(await fetched(`http://${address}/readyz`)).toEqual([200, "ok\n"]);
  expect((await fetched(`http://${address}/supervisor`))[0]).toBe(404);
  const [code, metrics] = await fetched(`http://${address}/metrics`);
  expect(code).toBe(200);
  expect(metrics).toContain('weir_worker_running{worker="shared-1"} 1\n');
  expect(metrics).toContain('weir_source_records_total{worker="shared-1",pipeline="two",');
  await site.drain(supervisor);
  expect(readFileSync(join(site.folder, "one.ndjson"), "utf8").length).toBeGreaterThan(0);
});

test("what runs beside a supervisor is shown as well, and one that is put aside is told of by its name", {
  timeout: 180_000,
}, async () => {
  const site = siteOf("beside");
  site.write("kept", host("kept"));
  site.write("wrong", "name: wrong\nsource: { host: {} }\nsteps: [{ snik: {} }]\n");
  const supervisor = site.supervise(site.pipelines);
  writeFileSync(join(site.folder, "alone.yaml"), host("alone"));
  const alone = site.spawn("run", "alone.yaml");
  await site.until(
    (status) =>
      runs("kept")(status) &&
      status.pipelines.some(({ name, state }) => name === "wrong" && state === "quarantined"),
  );
  const aside = (command: string): string =>
    `error: no worker runs wrong: it is quarantined\n  ${command} says why\n`;
  for (const asked of ["logs", "why"]) {
    const { code, stderr } = await site.weir(asked, "wrong");
    expect([code, stderr]).toEqual([69, aside("weir status")]);
  }
  let shown = "";
  while (!/^alone /m.test(shown)) shown = (await site.weir("status")).stdout;
  expect(shown.match(/^(kept|alone|PIPELINE|WORKER) /gm)).toEqual([
    "PIPELINE ",
    "kept ",
    "WORKER ",
    "PIPELINE ",
    "alone ",
  ]);
  expect(JSON.parse((await site.weir("status", "--json")).stdout)).toMatchObject([
    { driver: "process" },
    { name: "alone" },
  ]);
  alone.kill("SIGTERM");
  await ended(alone);
  await site.drain(supervisor);
});

async function fetched(url: string): Promise<readonly [number, string]> {
  const answer = await fetch(url);
  return [answer.status, await answer.text()];
}

/** Ends its whole process as it is loaded, as native code that is not for this machine may, while there is a file beside it. */
const fatal = `import { existsSync } from "node:fs";
import { defineFilter, z } from "weir/sdk";
if (existsSync(new URL("broken", import.meta.url))) process.kill(process.pid, "SIGKILL");
export const fatal = defineFilter({
  name: "fatal",
  summary: "Ends the process while there is a file called broken.",
  config: z.strictObject({}),
  examples: [],
  keep: () => () => true,
});
`;

test("one that takes its worker down again and again is put aside alone, and runs again once it is released", {
  timeout: 600_000,
}, async () => {
  const site = siteOf("loops");
  writeFileSync(join(site.folder, "fatal.ts"), fatal);
  writeFileSync(join(site.folder, "broken"), "");
  site.write("well", host("well"));
  site.write(
    "ill",
    host("ill", "use: [../fatal.ts]\nplacement: { isolation: worker }\n").replace(
      "steps:",
      "steps:\n  - fatal: {}",
    ),
  );
  const supervisor = site.supervise(site.pipelines);
  const aside = await site.until((status) =>
    status.pipelines.some(({ name, state }) => name === "ill" && state === "quarantined"),
  );
  expect(aside.happenings.filter(({ what }) => what === "quarantined")).toEqual([
    expect.objectContaining({ name: "ill" }),
  ]);
  const well = await site.until(runs("well"));
  const ready = await site.weir("why", "--ready");
  expect([ready.code, ready.stderr]).toEqual([
    69,
    expect.stringMatching(/not ready: ill@\w+ is quarantined: /),
  ]);
  rmSync(join(site.folder, "broken"));
  expect((await site.weir("release", "ill")).stdout).toBe("ill is started again\n");
  const released = await site.until((status) => runs("ill")(status) && runs("well")(status));
  expect(released.happenings.some(({ what, name }) => what === "released" && name === "ill")).toBe(true);
  const processOf = (status: typeof well, pipeline: string): number | null | undefined =>
    status.workers.find(({ pipelines }) => pipelines.includes(pipeline))?.process;
  expect(processOf(released, "well")).toBe(processOf(well, "well"));
  while (linesOf(site, "ill") === 0) await sleep(wallClock, 50);
  expect((await site.weir("why", "--ready")).code).toBe(0);
  await site.drain(supervisor);
});

function linesOf(site: Site, name: string): number {
  const file = join(site.folder, `${name}.ndjson`);
  return existsSync(file) ? readFileSync(file, "utf8").length : 0;
}
