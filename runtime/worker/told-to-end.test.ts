// A worker that is told to end before all of it is open: it ends at once, whatever it waits for.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { wallClock } from "../clock.ts";
import { silentLog as quiet } from "../connect/connector-log.ts";
import { connectNats, type NatsLink } from "../connect/nats-connection.ts";
import { type RunningNatsServer, startNatsServer } from "../connect/nats-server.ts";
import { type LoadedPipeline, loadInput, readInput } from "../engine/loader.ts";
import type { Log } from "../log.ts";
import { defaultSettings, withConnections } from "./settings.ts";
import { Worker, type WorkerOptions } from "./worker.ts";

const silentLog: Log = { ...quiet, error: () => {} };
const folder = mkdtempSync(join(tmpdir(), "weir-told-to-end-test-"));
let server: RunningNatsServer;
let link: NatsLink;

beforeAll(async () => {
  server = await startNatsServer({ name: "weir-told-to-end-test" }, process.env);
  link = await connectNats({ name: "test", servers: server.url }, quiet);
});

afterAll(async () => {
  await link?.close();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

function loaded(name: string, source: string, sink: string): Promise<LoadedPipeline> {
  const file = join(folder, `${name}.yaml`);
  writeFileSync(
    file,
    `name: ${name}\nsource: { nats: ${source}, format: json }\nsteps: [{ sink: { ${sink}, format: json } }]\n`,
  );
  return loadInput(readInput(file, {}), file);
}

function workerAt(url: string, identity: string, options: Partial<WorkerOptions> = {}): Worker {
  const settings = { ...withConnections(defaultSettings({}), [url]), threads: 0 };
  return new Worker({ settings, clock: wallClock, log: silentLog, identity, ...options });
}

it("while its server is away", async () => {
  const away = await startNatsServer({ name: "weir-told-to-end-away" }, process.env);
  await away.stop();
  const worker = workerAt(away.url, "nobody");
  const opening = worker.open([await loaded("nobody", '{ subject: "a.>" }', "stdout: {}")]);
  worker.stop().catch(() => undefined);
  await opening;
  expect(worker.status()).toEqual([]);
  await worker.close();
});

it("while its stream is not made", async () => {
  const waits = Promise.withResolvers<void>();
  const worker = workerAt(server.url, "unmade", { log: { ...silentLog, warn: () => waits.resolve() } });
  const source = '{ subject: "unmade.>", stream: UNMADE }';
  const opening = worker.open([await loaded("unmade", source, "stdout: {}")]);
  await waits.promise;
  worker.stop().catch(() => undefined);
  await opening;
  expect(worker.status()).toEqual([]);
  await worker.close();
});

it("while a sink is opened, it opens that, reads nothing, and ends", async () => {
  const asked = Promise.withResolvers<void>();
  const arrives = Promise.withResolvers<NatsLink>();
  const connections = {
    link: (name: string): Promise<NatsLink> => {
      if (name !== "cloud") return Promise.resolve(link);
      asked.resolve();
      return arrives.promise;
    },
    areConnected: true,
    missing: null,
    giveUp: () => undefined,
    close: () => Promise.resolve(),
  };
  const worker = workerAt(server.url, "opening", { connections });
  const sink = "nats: { to: cloud, subject: opened }";
  const opening = worker.open([await loaded("opening", '{ subject: "opening.>" }', sink)]);
  await asked.promise;
  const stopped = worker.stop();
  arrives.resolve(link);
  await opening;
  await Promise.race([worker.run(), stopped]);
  expect(worker.status().map(({ name }) => name)).toEqual(["opening"]);
  await worker.close();
});
