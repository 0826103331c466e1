// A host whose turn of a pipeline begins while the place of its rows cannot be reached: it reads nothing before that place is
// its own, whatever it keeps on its disk, and can be told to stop while it waits. From when it is, all that comes is its own.

import { jetstreamManager } from "@nats-io/jetstream";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { sleep, wallClock } from "../clock.ts";
import { silentLog } from "../connect/connector-log.ts";
import { connectNats } from "../connect/nats-connection.ts";
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

interface Opening {
  readonly worker: Worker;
  readonly opened: Promise<void>;
}

async function workerWith(
  term: number | undefined,
  { from = "", cloud: to = `nats://127.0.0.1:${cloudPort}` } = {},
): Promise<Opening> {
  const file = join(folder, "turn.yaml");
  writeFileSync(
    file,
    `name: turn
source: { nats: { subject: "turn.*"${from} }, format: json, schema: { n: float64 } }
steps:
  - sink: { nats: { to: cloud, subject: turned, stream: TURNED }, format: json }
`,
  );
  const loaded = await loadInput(readInput(file, {}), file);
  expect(loaded.diagnostics).toEqual([]);
  const settings = withConnections(defaultSettings({}), [edge.url, `cloud=${to}`]);
  const worker = new Worker({
    settings: {
      ...settings,
      threads: 0,
      state: join(folder, `state-${term}${from === "" ? "" : "-stream"}`),
    },
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

it("a turn that was begun goes on from there, whatever came while its host was away for a moment", async () => {
  const link = await connectNats({ name: "test", servers: edge.url }, silentLog);
  const manager = await jetstreamManager(link.nats);
  await manager.streams.add({ name: "TURN", subjects: ["turn.*"] });
  const publish = (n: number): Promise<unknown> => link.nats.request("turn.a", JSON.stringify({ n }));
  const begin = async (): Promise<{ worker: Worker; running: Promise<unknown> }> => {
    const { worker, opened } = await workerWith(2, { from: ", stream: TURN", cloud: edge.url });
    await opened;
    return { worker, running: worker.run() };
  };
  const end = async ({ worker, running }: Awaited<ReturnType<typeof begin>>): Promise<void> => {
    worker.stop().catch(() => undefined);
    await running;
    await worker.close();
  };
  const rows = async (): Promise<number> => (await manager.streams.info("TURNED")).state.last_seq;
  await publish(1);
  await end(await begin());
  const claimed = await rows();
  await publish(2);
  const again = await begin();
  while ((await rows()) === claimed) await sleep(wallClock, 20);
  await end(again);
  // Not what was there before: that may have been another host's.
  const first = await manager.streams.getMessage("TURNED", { seq: claimed + 1 });
  expect([await rows(), first?.json()]).toEqual([claimed + 1, { n: 2 }]);
  await link.close();
});
