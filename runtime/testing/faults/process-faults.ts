// Faults of the worker's process: ended at any moment, also while it recovers; stopped; told to end; started twice; copied;
// given another time.

import { cpSync, rmdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { wallClock } from "../../clock.ts";
import { limits } from "../../limits.ts";
import { pipelineText } from "./pipeline.ts";
import { insist, type Scenario } from "./scenario.ts";
import { faketimeLibrary, makeCpuGroup } from "./tools.ts";
import { lasting, until } from "./waiting.ts";
import type { World } from "./world.ts";

/** The exit codes of a worker that refuses to go on: its state is held by another or cannot be used, or it is fenced. */
export const refused: readonly number[] = [65, 78];

const day_s = 86_400;

export const processFaults: readonly Scenario[] = [
  {
    name: "F1",
    about: "SIGKILL of the worker at random moments",
    async run(world, isShort) {
      world.begin();
      for (let kill = 0; kill < (isShort ? 3 : 12); kill++) {
        await world.flows(world.random.between(500, 8_000));
        await world.killWorker();
        world.startWorker();
      }
      await world.flows();
    },
  },
  {
    name: "F3",
    about: "SIGKILL while it recovers, again and again",
    async run(world, isShort) {
      world.begin();
      await world.flows();
      await world.killWorker();
      for (let kill = 0; kill < (isShort ? 3 : 10); kill++) {
        world.startWorker();
        await lasting(world.random.between(300, 1_500));
        await world.killWorker();
      }
      world.startWorker();
      await world.flows();
    },
  },
  {
    name: "F4",
    about: "SIGSTOP of the worker, longer than the broker keeps a connection that does not answer",
    async run(world, isShort) {
      world.begin();
      for (const ms of isShort ? [1_000] : [1_000, 5_000, 30_000]) {
        await world.flows();
        world.worker.signal("SIGSTOP");
        await lasting(ms);
        world.worker.signal("SIGCONT");
      }
      await world.flows();
    },
  },
  {
    name: "F5",
    about: "SIGTERM under load: ends with 0 within 10 s, and goes on where it was",
    async run(world, isShort) {
      world.begin();
      for (let end = 0; end < (isShort ? 1 : 3); end++) {
        await world.flows();
        const { worker } = world;
        worker.signal("SIGTERM");
        await until("the end of the worker", () => worker.hasEnded, limits.faults_drain_ms_max);
        const { code, signal } = await worker.ended;
        insist(code === 0, `SIGTERM ended the worker with ${signal ?? code}:\n${worker.said()}`);
        world.startWorker();
      }
      await world.flows();
    },
  },
  {
    name: "F7",
    about: "a second worker on the same state, and one on a copy of it",
    async run(world) {
      world.begin();
      await world.flows();
      await secondWorker(world);
      await copiedState(world);
    },
  },
  {
    name: "F35",
    about:
      "the clock is set an hour ahead, an hour back, ten years ahead, to 1970, and the link is cut each time",
    needs: ["faketime"],
    async run(world, isShort) {
      const file = join(world.folder, "time");
      const step = (offset: string): void => writeFileSync(file, `${offset}\n`);
      step("+0");
      world.begin({
        environment: {
          LD_PRELOAD: faketimeLibrary() ?? "",
          FAKETIME_TIMESTAMP_FILE: file,
          FAKETIME_NO_CACHE: "1",
          DONT_FAKE_MONOTONIC: "1",
        },
      });
      const to1970 = `-${Math.floor(wallClock.now() / 1_000) - day_s}`;
      for (const offset of isShort ? ["+1h", "-1h"] : ["+1h", "-1h", "+10y", to1970, "+0"]) {
        await world.flows();
        step(offset);
        // Whoever waits by the clock on the wall would not come back.
        world.link.drop();
      }
      await world.flows();
    },
  },
  {
    name: "F36",
    about: "the worker's clock is a day ahead of the servers', then a day behind",
    needs: ["faketime"],
    async run(world) {
      world.publisher.start();
      for (const offset of ["+24h", "-24h"]) {
        const LD_PRELOAD = faketimeLibrary()!;
        world.startWorker({ environment: { LD_PRELOAD, FAKETIME: offset, DONT_FAKE_MONOTONIC: "1" } });
        await world.flows();
        await world.killWorker();
      }
      world.startWorker();
      await world.flows();
    },
  },
  {
    name: "F15",
    about: "the worker has a tenth of a processor for a while",
    needs: ["cpu_group"],
    async run(world, isShort) {
      const group = makeCpuGroup(`weir-faults-${process.pid}`, 0.1);
      world.later(() => rmdirSync(group));
      world.begin();
      for (let time = 0; time < (isShort ? 1 : 3); time++) {
        await world.flows();
        writeFileSync(join(group, "cgroup.procs"), `${world.worker.pid}`);
        await world.flows(1_000);
        writeFileSync(join(dirname(group), "cgroup.procs"), `${world.worker.pid}`);
      }
      await world.flows();
    },
  },
  {
    name: "F56",
    about:
      "the pipeline's file is replaced while it runs, with what is right and what is wrong, and the worker killed",
    async run(world, isShort) {
      world.publisher.start();
      world.startWorker({ follows: dirname(world.file) });
      for (let change = 0; change < (isShort ? 3 : 12); change++) {
        await world.flows(world.random.between(500, 4_000));
        writeFileSync(world.file, changed(pipelineText, change));
        await lasting(world.random.between(0, 1_500));
        if (change % 3 !== 2) continue;
        await world.killWorker();
        writeFileSync(world.file, pipelineText);
        world.startWorker({ follows: dirname(world.file) });
      }
      writeFileSync(world.file, pipelineText);
      await world.flows();
    },
  },
];

/** Another revision of the same pipeline; every third is wrong, and changes nothing. */
function changed(text: string, change: number): string {
  return change % 3 === 1 ? text.replace("steps:", "stops:") : `${text}about: Change ${change}.\n`;
}

async function secondWorker(world: World): Promise<void> {
  const second = world.startAnother({});
  const { code } = await second.ended;
  insist(code !== null && refused.includes(code), `a second worker ended with ${code}:\n${second.said()}`);
  await world.flows();
}

/** The copy is of a moment before the worker went on, so that it knows less than the cloud. */
async function copiedState(world: World): Promise<void> {
  await world.killWorker();
  const copy = join(world.folder, "copy");
  cpSync(world.state, copy, { recursive: true });
  world.startWorker();
  await world.flows();
  const clone = world.startAnother({ state: copy });
  await until("the end of the copy", () => clone.hasEnded);
  const { code } = await clone.ended;
  insist(code === 78, `the worker on a copy ended with ${code}; expected 78, fenced:\n${clone.said()}`);
  // The copy may have taken over: then the first one is fenced, and goes on when it is started again.
  if (world.worker.hasEnded) world.startWorker();
  await world.flows();
}
