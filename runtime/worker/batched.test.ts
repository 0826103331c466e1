// Batches are as large as the server takes them: as it said at the last connect, also where it says something else later.

import { expect, it } from "vitest";
import { VirtualClock } from "../clock.ts";
import type { OutputRow, Sink } from "../connect/connect.ts";
import type { NatsLink } from "../connect/nats-connection.ts";
import { limits } from "../limits.ts";
import { batched } from "./open.ts";

it("a server that takes less than it did gets smaller batches", async () => {
  const messages: OutputRow[] = [];
  const done = (): Promise<void> => Promise.resolve();
  const write = (row: OutputRow): void => void messages.push(row);
  const inner = { open: done, ready: done, flush: done, close: done, write } as unknown as Sink;
  const server = { max_payload: 1_048_576 };
  const nats: { info: { max_payload: number } | undefined } = { info: server };
  const link = Promise.resolve({ nats } as unknown as NatsLink);
  const batch = { rows: 1_000_000, bytes: 1_000_000, wait: 1_000 };
  const spec = { batch } as Parameters<typeof batched>[1];
  const sink = batched(inner, spec, "json", link, new VirtualClock());
  await link;
  const size = 1_000;
  const row = { subject: "rows", payload: Buffer.alloc(size, 48), caused: 0, id: null };
  const fill = async (): Promise<number> => {
    messages.length = 0;
    for (let n = 0; n < 500; n++) sink.write(row as OutputRow);
    await sink.flush();
    return Math.max(...messages.map(({ payload }) => payload.length));
  };
  expect(await fill()).toBeGreaterThan(400_000);
  server.max_payload = 16_384;
  expect(await fill()).toBeLessThanOrEqual(16_384 - limits.sink_batch_header_bytes);
  // While there is no connection it is what it was.
  nats.info = undefined;
  expect(await fill()).toBeLessThanOrEqual(16_384 - limits.sink_batch_header_bytes);
});
