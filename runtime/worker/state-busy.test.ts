// A worker whose state another process has: it waits, says for what, and runs once that one has ended.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { sleep, wallClock } from "../clock.ts";
import { silentLog } from "../connect/connector-log.ts";
import { AssignedWorker } from "./assigned-worker.ts";
import { defaultSettings } from "./settings.ts";

const text = `name: pulse
source: { host: { every: 100ms } }
steps:
  - sink: { nothing: {}, format: json }
`;

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(wallClock, 10);
}

test("a state that another one has is tried again until it is free, and what it waits for is told", async () => {
  const folder = mkdtempSync(join(tmpdir(), "weir-busy-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "p");
  mkdirSync(path);
  writeFileSync(join(path, "pulse.yaml"), text);
  const started = (name: string): AssignedWorker => {
    const worker = new AssignedWorker({
      path,
      host: "here",
      worker: name,
      identity: () => name,
      settings: { ...defaultSettings({}), threads: 0, state: join(folder, "s") },
      environment: {},
      heartbeats: null,
      clock: wallClock,
      log: { ...silentLog, error: () => undefined },
    });
    worker.start();
    return worker;
  };
  const beat = (worker: AssignedWorker) => worker.heartbeat().pipelines[0];
  const first = started("first");
  await until(() => beat(first)?.phase === "running");
  const second = started("second");
  await until(() => beat(second)?.waits_for !== undefined);
  expect(beat(second)).toMatchObject({
    phase: "starting",
    fault: null,
    waits_for: expect.stringContaining("another weir works with this state folder"),
  });
  await first.stop();
  await until(() => beat(second)?.phase === "running");
  await second.stop();
});
