// Headers that somebody put on a record are not on what weir makes of it: neither on rows nor on dead letters, with state kept
// and without.

import { jetstreamManager } from "@nats-io/jetstream";
import { headers as messageHeaders } from "@nats-io/transport-node";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { wallClock } from "../clock.ts";
import { silentLog } from "../connect/connector-log.ts";
import { connectNats, type NatsLink } from "../connect/nats-connection.ts";
import { type RunningNatsServer, startNatsServer } from "../connect/nats-server.ts";
import { loadInput, readInput } from "../engine/loader.ts";
import { defaultSettings, withConnections } from "./settings.ts";
import { Worker } from "./worker.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-forged-"));
let server: RunningNatsServer;
let link: NatsLink;

beforeAll(async () => {
  server = await startNatsServer({ name: "weir-forged" }, process.env);
  link = await connectNats({ name: "test", servers: server.url }, silentLog);
});

afterAll(async () => {
  await link?.close();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const forgeries = {
  "Nats-Msg-Id": "forged-1",
  "Nats-Expected-Last-Sequence": "4711",
  "Nats-Expected-Stream": "ELSEWHERE",
  "Nats-Stream-Source": "forged-2",
  "Nats-Rollup": "all",
  "Weir-Chain": "forged-3",
  "Weir-Out-Seq": "9007199254740991",
  "Weir-Epoch": "4712",
  "Weir-Caused-At": "4713",
  "Weir-Reason": "forged-4",
  "X-Other": "forged-5",
};

it.each([
  ["without state", null],
  ["with state", "state"],
])("none is passed on, %s", async (name, state) => {
  const id = name.replaceAll(" ", "-");
  const file = join(folder, `${id}.yaml`);
  writeFileSync(
    file,
    `name: ${id}
source:
  nats: { subject: ${id}.in.> }
  schema: { n: float64 }
steps:
  - filter: n > 0
  - sink: { nats: { subject: ${id}.out, stream: ${id}-out }, format: json }
dead_letter: { nats: { subject: ${id}.dead, stream: ${id}-dead } }
`,
  );
  const loaded = await loadInput(readInput(file, {}), file);
  expect(loaded.diagnostics).toEqual([]);
  const settings = withConnections(defaultSettings({}), [server.url]);
  const said: string[] = [];
  const say = (line: string): void => void said.push(line);
  const worker = new Worker({
    settings: { ...settings, threads: 0, state: state === null ? null : join(folder, state) },
    clock: wallClock,
    log: { info: () => {}, warn: say, error: say },
    identity: "test",
  });
  await worker.open([loaded]);
  const running = worker.run();
  const headers = messageHeaders();
  for (const [key, value] of Object.entries(forgeries)) headers.set(key, value);
  // The same id on all of them, so that a stream which believed it would keep one.
  for (const payload of ['{"n":1}', '{"n":2}', '{"n":"no number"}'])
    link.nats.publish(`${id}.in.a`, payload, { headers });
  const manager = await jetstreamManager(link.nats);
  const stored = async (stream: string, count: number): Promise<{ payload: string; text: string }[]> => {
    await vi.waitFor(async () => expect((await manager.streams.info(stream)).state.messages).toBe(count), {
      timeout: 10_000,
    });
    const all: { payload: string; text: string }[] = [];
    for (let seq = 1; seq <= count; seq++) {
      const message = (await manager.streams.getMessage(stream, { seq }))!;
      const text = [...message.header].map(([key, values]) => `${key}: ${values.join()}`).join("\n");
      all.push({ payload: message.string(), text });
    }
    return all;
  };
  const rows = await stored(`${id}-out`, 2);
  const letters = await stored(`${id}-dead`, 1);
  expect(rows.map(({ payload }) => payload)).toEqual(['{"n":1}', '{"n":2}']);
  expect(letters[0]!.payload).toBe('{"n":"no number"}');
  for (const { text } of [...rows, ...letters]) {
    expect(text).toMatch(/^Weir-Caused-At: \d{13}$/m);
    for (const value of Object.values(forgeries).filter((each) => each !== "all"))
      expect(text).not.toContain(value);
    expect(text).not.toMatch(
      /Nats-(?!Msg-Id|Expected-Last-Sequence|Expected-Last-Subject-Sequence|Expected-Last-Msg-Id)/,
    );
  }
  worker.stop().catch(() => undefined);
  await running;
  await worker.close();
  expect(said).toEqual([
    expect.stringContaining("a record is left out at source: type: n: expected float64, got string"),
  ]);
});
