// That a worker runs is seen as soon as it does, and not when it is looked next: here nothing is looked at again by itself.
// A real supervisor, a real worker.

import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it, onTestFinished } from "vitest";
import { type Clock, sleep, wallClock } from "../clock.ts";
import { silentLog } from "../connect/connector-log.ts";
import { startedPart } from "../testing/started.ts";
import { ProcessDriver } from "./drivers/process-driver.ts";
import { Supervisor } from "./supervisor.ts";
import { SupervisorFiles } from "./supervisor-files.ts";
import { wantedPipeline } from "./wanted.ts";
import { startRevision, type WorkerStart, workerSocket, workerSpec } from "./worker-start.ts";

const pipeline = `name: pulse
source: { host: { every: 1s } }
steps:
  - sink: { nothing: {}, format: json }
`;

const withoutLooks: Clock = { ...wallClock, every: () => () => undefined };

async function supervisorIn(folder: string): Promise<Supervisor> {
  const [own, run] = [join(folder, "supervisor"), join(folder, "r")];
  mkdirSync(own);
  const files = new SupervisorFiles(own);
  files.open();
  const supervisor = files.identity();
  const driver = new ProcessDriver({
    folder: join(own, "processes"),
    supervisor,
    program: [process.execPath, fileURLToPath(startedPart("weir.js"))],
    clock: wallClock,
  });
  await driver.open();
  const set = Object.entries(process.env).filter((each): each is [string, string] => each[1] !== undefined);
  const start: WorkerStart = {
    supervisor,
    host: "gateway",
    assignmentOf: (worker) => files.assignmentPath(worker),
    state: join(folder, "data"),
    settings: [],
    further: [],
    environment: { ...Object.fromEntries(set), WEIR_RUN_FOLDER: run },
    program: [],
    folders: [],
  };
  return new Supervisor({
    driver,
    files,
    host: "gateway",
    capacity: { processors: 8, memory_bytes: 2 ** 40, count: 100 },
    spec: (worker) => workerSpec(start, worker),
    revision: startRevision(start),
    limits: {},
    socketOf: (worker) => workerSocket(run, supervisor, worker),
    clock: withoutLooks,
    log: { ...silentLog, error: () => undefined },
    random: Math.random,
    memoryFree: () => 2 ** 40,
  });
}

it("a worker that starts is asked until its pipelines run", { timeout: 30_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "weir-starting-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  const supervisor = await supervisorIn(folder);
  supervisor.want([wantedPipeline(join(folder, "pulse.yaml"), pipeline)]);
  supervisor.start();
  onTestFinished(async () => {
    await supervisor.drain();
    await supervisor.close();
  });
  const phase = (): string | undefined => supervisor.status().pipelines[0]?.beat?.phase;
  while (phase() !== "running") await sleep(wallClock, 50);
  expect(phase()).toBe("running");
});
