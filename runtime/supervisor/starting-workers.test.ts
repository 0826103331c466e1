// That a worker runs is seen as soon as it does, and not when it is looked next: here nothing is looked at again by itself.
// And a clock that is set, forward or back, takes nothing from what is seen of it. A real supervisor, real workers.

import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it, onTestFinished } from "vitest";
import { type Clock, sleep, wallClock } from "../clock.ts";
import { silentLog } from "../connect/connector-log.ts";
import { limits } from "../limits.ts";
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

async function supervisorIn(folder: string, clock: Clock): Promise<Supervisor> {
  const [own, run] = [join(folder, "supervisor"), join(folder, "r")];
  mkdirSync(own);
  const files = new SupervisorFiles(own);
  files.open();
  const supervisor = files.identity();
  const driver = new ProcessDriver({
    folder: join(own, "processes"),
    supervisor,
    program: [process.execPath, fileURLToPath(startedPart("weir.js"))],
    clock,
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
    clock,
    log: { ...silentLog, error: () => undefined },
    random: Math.random,
    memoryFree: () => 2 ** 40,
  });
}

it("a worker that starts is asked until its pipelines run", { timeout: 30_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "weir-starting-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  let later = 0;
  const supervisor = await supervisorIn(folder, {
    ...withoutLooks,
    elapsed: () => wallClock.elapsed() + later,
  });
  supervisor.want([wantedPipeline(join(folder, "pulse.yaml"), pipeline)]);
  supervisor.start();
  onTestFinished(async () => {
    await supervisor.drain();
    await supervisor.close();
  });
  const phase = (): string | undefined => supervisor.status().pipelines[0]?.beat?.phase;
  while (phase() !== "running") await sleep(wallClock, 50);
  expect(phase()).toBe("running");
  // What it does while it cannot be heard nobody knows; that it lives is known.
  later = 2 * limits.worker_hang_ms;
  expect([supervisor.status().workers[0]?.pipelines, supervisor.running()]).toEqual([[], ["pulse"]]);
});

it.each([
  ["back", -20],
  ["forward", 20],
])(
  "a clock that is set %s keeps no worker from being started again",
  { timeout: 60_000 },
  async (_, days) => {
    let ahead = 0;
    const clock: Clock = { ...wallClock, now: () => wallClock.now() + ahead };
    const folder = mkdtempSync(join(tmpdir(), "weir-set-clock-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
    const supervisor = await supervisorIn(folder, clock);
    supervisor.want([wantedPipeline(join(folder, "pulse.yaml"), pipeline)]);
    supervisor.start();
    onTestFinished(async () => {
      await supervisor.drain();
      await supervisor.close();
    });
    const running = async (before: number | null): Promise<number> => {
      for (;;) {
        const { pipelines, workers } = supervisor.status();
        const own = workers[0]?.process ?? null;
        if (pipelines[0]?.beat?.phase === "running" && own !== null && own !== before) return own;
        await sleep(wallClock, 50);
      }
    };
    const first = await running(null);
    ahead = days * 86_400_000;
    const records = (): number => supervisor.status().pipelines[0]?.beat?.records ?? 0;
    const counted = records();
    while (records() <= counted + 2) await sleep(wallClock, 50);
    expect(supervisor.status().workers[0]).toMatchObject({ process: first, state: "running" });
    process.kill(first, "SIGKILL");
    expect(await running(first)).not.toBe(first);
  },
);
