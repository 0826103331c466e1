// What a bucket holds, told by a real server: as a whole or not at all, and nothing of the scan stays there.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { jetstreamManager } from "@nats-io/jetstream";
import { afterAll, beforeAll, expect, test } from "vitest";
import { sleep, wallClock } from "../clock.ts";
import { silentLog } from "../connect/connector-log.ts";
import { bucketsOf } from "../connect/key-value.ts";
import { connectNats, type NatsLink } from "../connect/nats-connection.ts";
import { type RunningNatsServer, startNatsServer } from "../connect/nats-server.ts";
import { Cable } from "../testing/cable.ts";
import { entriesOf, jsonOf } from "./bucket-scan.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-scan-test-"));
let server: RunningNatsServer;
let link: NatsLink;

beforeAll(async () => {
  server = await startNatsServer({ name: "weir-scan-test", storeDir: join(folder, "js") }, process.env);
  link = await connectNats({ name: "test", servers: server.url }, silentLog);
});

afterAll(async () => {
  await link?.close();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

test("keys that were deleted are not there, others as they were written last, and only those asked for", async () => {
  const store = await bucketsOf(link).create("some", { history: 4 });
  expect(await entriesOf(link, "some")).toEqual(new Map());
  for (const [key, value] of Object.entries({ "a.x": "1", "a.y": "2", "b.x": "3", "b.y": "4", "b.z": "{" }))
    await store.put(key, value);
  const last = await store.put("a.x", "5");
  await store.delete("a.y");
  await store.purge("b.y");
  const all = await entriesOf(link, "some");
  expect([...all].map(([key, entry]) => [key, jsonOf(entry)])).toEqual([
    ["b.x", 3],
    ["b.z", undefined],
    ["a.x", 5],
  ]);
  expect(all.get("a.x")!.revision).toBe(last);
  const age = all.get("a.x")!.age_ms;
  expect([age >= 0, age < 60_000]).toEqual([true, true]);
  expect([...(await entriesOf(link, "some", "a.*")).keys()]).toEqual(["a.x"]);
  await store.delete("a.x");
  expect(await entriesOf(link, "some", "a.*")).toEqual(new Map());
});

test("a scan leaves no consumer behind", async () => {
  const store = await bucketsOf(link).create("tidy");
  for (let key = 0; key < 20; key++) await store.put(`k${key}`, "1");
  for (let time = 0; time < 10; time++) expect((await entriesOf(link, "tidy")).size).toBe(20);
  const manager = await jetstreamManager(link.nats, { checkAPI: false });
  while ((await manager.streams.info("KV_tidy")).state.consumer_count > 0) await sleep(wallClock, 20);
});

test("an entry that is written anew while the others are told is there all the same", async () => {
  const store = await bucketsOf(link).create("busy", { history: 1 });
  const keys = Array.from({ length: 10 }, (_, key) => `k${key}`);
  for (const key of keys) await store.put(key, "0");
  const other = await connectNats({ name: "writer", servers: server.url }, silentLog);
  const writer = await bucketsOf(other).create("busy", { history: 1 });
  const over = new AbortController();
  const writing = (async () => {
    for (let turn = 0; !over.signal.aborted; turn++)
      await writer.put(keys[turn % keys.length]!, String(turn));
  })();
  for (let time = 0; time < 100; time++)
    expect([...(await entriesOf(link, "busy")).keys()].sort()).toEqual(keys);
  over.abort();
  await writing;
  await other.close();
});

test("what comes only in part is nothing", { timeout: 60_000 }, async () => {
  const store = await bucketsOf(link).create("large");
  for (let key = 0; key < 40; key++) await store.put(`k${key}`, JSON.stringify("x".repeat(50_000)));
  const cable = await Cable.to(server.port);
  const far = await connectNats({ name: "far", servers: `nats://127.0.0.1:${cable.port}` }, silentLog);
  const manager = await jetstreamManager(link.nats, { checkAPI: false });
  /** What becomes of a scan whose server falls silent once its consumer is there; it may have been faster. */
  const interrupted = async (): Promise<unknown> => {
    const over = new AbortController();
    const scan = entriesOf(far, "large").then(
      () => null,
      (error: unknown) => error,
    );
    void scan.finally(() => over.abort());
    while ((await manager.streams.info("KV_large")).state.consumer_count === 0 && !over.signal.aborted)
      await sleep(wallClock, 0);
    cable.hold("to_client");
    const fault = await scan;
    cable.release();
    return fault;
  };
  let fault: unknown = null;
  while (fault === null) fault = await interrupted();
  expect(fault).toBeInstanceOf(Error);
  await far.close();
  await cable.close();
});
