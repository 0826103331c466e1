// A host whose turn of a pipeline begins while the place of its rows cannot be reached: it reads nothing before that place is
// its own, whatever it keeps on its disk, and can be told to stop while it waits.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { sleep, wallClock } from "../clock.ts";
import { silentLog } from "../connect/connector-log.ts";
import { startNatsServer, type RunningNatsServer } from "../connect/nats-server.ts";
import { loadInput, readInput } from "../engine/loader.ts";
import { defaultSettings, withConnections } from "./settings.ts";
import { Worker } from "./worker.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-turn-test-"));
let edge: RunningNatsServer;
let cloudPort: number;

beforeAll(async () => {
  edge = await startNatsServer({ name: "weir-turn-edge" }, process.env);
  const once = await startNatsServer({ name: "weir-turn-cloud" }, process.env);
  cloudPort = once.port;
  await once.stop();
});

afterAll(async () => {
  await edge?.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function workerWith(term: number | undefined): Promise<{ worker: Worker; opened: Promise<void> }> {
  const file = join(folder, "turn.yaml");
  writeFileSync(
    file,
    `name: turn
source: { nats: { subject: "turn.*" }, format: json, schema: { n: float64 } }
steps:
  - sink: { nats: { to: cloud, subject: turned, stream: TURNED }, format: json }
`,
  );
  const loaded = await loadInput(readInput(file, {}), file);
  expect(loaded.diagnostics).toEqual([]);
  const cloud = `cloud=nats://127.0.0.1:${cloudPort}`;
  const settings = withConnections(defaultSettings({}), [edge.url, cloud]);
  const worker = new Worker({
    settings: { ...settings, threads: 0, state: join(folder, `state-${term}`) },
    clock: wallClock,
    log: { ...silentLog, error: () => undefined },
    identity: "test",
    term,
  });
  return { worker, opened: worker.open([loaded]) };
}

it.each([
  [undefined, true],
  [2, false],
])("turn %s: opened while the cloud is away: %s", async (term, isOpened) => {
  const { worker, opened } = await workerWith(term);
  const first = await Promise.race([opened.then(() => true), sleep(wallClock, 1_500).then(() => false)]);
  expect(first).toBe(isOpened);
  expect(worker.status()).toHaveLength(isOpened ? 1 : 0);
  const running = isOpened ? worker.run() : Promise.resolve();
  worker.stop().catch(() => undefined);
  await Promise.all([opened, running]);
  await worker.close();
});
