// Records that are there already, of which each batch takes its time: timers, and with them sockets, have their turn between.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { stopwatch, wallClock } from "../clock.ts";
import type { ReadLimits } from "./connect.ts";
import { fileSource } from "./file-source.ts";
import { PayloadQueue } from "./payload-queue.ts";

const folder = mkdtempSync(join(tmpdir(), "weir-turn-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const batches = 40;
const reading: ReadLimits = { rows: 10, bytes: 1_000_000, wait_ms: 0, age_ms: 0 };

/** Reads all batches, being busy with each for a while; how often others had their turn meanwhile. */
async function turnsWhile(read: () => Promise<unknown>): Promise<number> {
  let turns = 0;
  const count = (): void => {
    turns++;
    next = setImmediate(count);
  };
  let next = setImmediate(count);
  for (let batch = 0; batch < batches; batch++) {
    expect(await read()).toMatchObject({});
    const until = stopwatch() + 5;
    while (stopwatch() < until);
  }
  clearImmediate(next);
  return turns;
}

it("a queue that is full keeps nobody else waiting", async () => {
  const bounds = {
    messagesMax: 1_000,
    bytesMax: 1_000_000,
    overflow: "drop_newest",
    clock: wallClock,
  } as const;
  const queue = new PayloadQueue(bounds);
  for (let n = 0; n < batches * reading.rows; n++) queue.add(Buffer.from("1"), "s", 0);
  expect(await turnsWhile(() => queue.read(reading))).toBeGreaterThan(3);
});

it("a file keeps nobody else waiting", async () => {
  const path = join(folder, "all.ndjson");
  writeFileSync(path, "1\n".repeat(batches * reading.rows));
  const source = fileSource({ path, format: "lines" });
  await source.open();
  expect(await turnsWhile(() => source.read(reading))).toBeGreaterThan(3);
  await source.close();
});
