// What strangers send, through a worker with a state folder and real nats-servers: all of it is in the stream of dead letters byte
// by byte, in its order and once, and the records between are in the cloud as if there had been nothing else.

import { jetstreamManager } from "@nats-io/jetstream";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { silentLog } from "../../connect/connector-log.ts";
import { connectNats, type NatsLink } from "../../connect/nats-connection.ts";
import { type RunningNatsServer, startNatsServer } from "../../connect/nats-server.ts";
import { limits } from "../../limits.ts";
import { toPayload } from "../payload.ts";
import { msgpackInputs } from "./binary-inputs.fixture.ts";
import { type HostileFormat, type HostileInput, pipelineText } from "./hostile-input.fixture.ts";
import { jsonInputs } from "./json-inputs.fixture.ts";
import { runWorker } from "./running-worker.fixture.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-hostile-"));
let server: RunningNatsServer;
let link: NatsLink;

beforeAll(async () => {
  server = await startNatsServer({ name: "weir-hostile" }, process.env);
  link = await connectNats({ name: "test", servers: server.url }, silentLog);
});

afterAll(async () => {
  await link?.close();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

function textOf(format: HostileFormat): string {
  const sink = (what: string): string =>
    `{ nats: { subject: ${format}.${what}, stream: ${format}-${what} }, format: json }`;
  const source = `nats: { subject: ${format}.in, stream: ${format}-in }`;
  const text = pipelineText(format, { name: format, source, sinks: [sink("rows"), sink("windows")] });
  return `${text}dead_letter: { nats: { subject: ${format}.dead, stream: ${format}-dead } }\n`;
}

const inputs: readonly (readonly [HostileFormat, readonly HostileInput[]])[] = [
  ["json", jsonInputs],
  ["msgpack", msgpackInputs],
];

it.each(inputs)("%s", async (format, all) => {
  const manager = await jetstreamManager(link.nats);
  await manager.streams.add({ name: `${format}-in`, subjects: [`${format}.in`] });
  const worker = await runWorker(folder, server.url, { name: format, text: textOf(format) });
  const refused = all.filter(({ becomes }) => typeof becomes === "string");
  for (const [number, { payload }] of refused.entries()) {
    link.nats.publish(`${format}.in`, payload);
    const healthy = { device: "healthy", ts: 50_000 + number, temp: number };
    link.nats.publish(`${format}.in`, toPayload(format, healthy, []));
  }
  const stored = async (what: string): Promise<{ payload: Uint8Array; reason: string }[]> => {
    await vi.waitFor(
      async () =>
        expect((await manager.streams.info(`${format}-${what}`)).state.messages).toBe(refused.length),
      { timeout: 20_000, interval: 50 },
    );
    const numbers = Array.from(refused, (_, place) => place + 1);
    const messages = await Promise.all(
      numbers.map((seq) => manager.streams.getMessage(`${format}-${what}`, { seq })),
    );
    return messages.map((each) => ({ payload: each!.data, reason: each!.header.get("Weir-Reason") }));
  };
  const rows = await stored("rows");
  expect(
    rows.map(({ payload }) => (JSON.parse(Buffer.from(payload).toString()) as { temp: number }).temp),
  ).toEqual(refused.map((_, number) => number));
  const letters = await stored("dead");
  for (const [place, { becomes, payload }] of refused.entries()) {
    expect(letters[place]!.reason).toBe(becomes);
    const kept = payload.subarray(0, limits.dead_letter_payload_bytes_max);
    expect(Buffer.from(letters[place]!.payload).equals(kept)).toBe(true);
  }
  await worker.end();
});
