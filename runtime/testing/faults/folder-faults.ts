// Faults of the folder that holds the state: a disk that has no room for another file, one that may only be read any more, one
// that is taken away; and a worker that may open no more files.

import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { onImage } from "./disk-faults.ts";
import { insist, type Scenario } from "./scenario.ts";
import { filesMax, filesOpen, limitFiles, mountImage, runTool, tryUnmount } from "./tools.ts";
import { lasting, until } from "./waiting.ts";
import type { WorkerProcess } from "./worker-process.ts";
import type { World } from "./world.ts";

export const folderFaults: readonly Scenario[] = [
  {
    name: "F29",
    about: "the disk of the state has no room for another file, and has it again",
    needs: ["loop_mount"],
    async run(world, isShort) {
      onImage(world, 64);
      world.begin();
      for (let full = 0; full < (isShort ? 1 : 3); full++) {
        await world.flows();
        const filler = join(world.state, "filler");
        fillNames(filler);
        await world.killWorker();
        // A start makes files: it cannot, or it waits.
        const worker = world.startWorker();
        await lasting(2_000);
        rmSync(filler, { recursive: true });
        if (worker.hasEnded) world.startWorker();
        await world.flows();
      }
    },
  },
  {
    name: "F29+EMFILE",
    about: "the worker may open no more files and connections, just when its link was cut, and may again",
    needs: ["open_files"],
    async run(world, isShort) {
      world.begin();
      for (let fault = 0; fault < (isShort ? 2 : 10); fault++) {
        await world.flows(world.random.between(500, 5_000));
        const { worker } = world;
        const pid = worker.pid!;
        limitFiles(pid, filesOpen(pid) + world.random.between(0, 2));
        // What it opens now: a connection in place of this one, and the next segment of its log.
        world.link.drop();
        await lasting(world.random.between(500, isShort ? 2_000 : 8_000));
        await goesOnOrEnded(world, () => limitFiles(pid, filesMax));
      }
      await world.flows();
    },
  },
  {
    name: "F29+F1",
    about: "a worker is started that may open few files, or hardly any, and is then started as usual",
    needs: ["open_files"],
    async run(world, isShort) {
      world.begin();
      for (let fault = 0; fault < (isShort ? 2 : 8); fault++) {
        await world.flows(world.random.between(500, 5_000));
        await world.killWorker();
        // Node takes all that it may take, so that there has to be no more.
        const most = world.random.between(24, 40);
        const worker = world.startWorker({ under: ["prlimit", `--nofile=${most}:${most}`] });
        await lasting(world.random.between(1_000, 5_000));
        await endsInOrder(worker);
        world.startWorker();
      }
      await world.flows();
    },
  },
  {
    name: "F33",
    about: "the disk of the state lets nobody write any more",
    needs: ["loop_mount"],
    async run(world, isShort) {
      const image = onImage(world);
      world.begin();
      for (let fault = 0; fault < (isShort ? 1 : 4); fault++) {
        await world.flows(world.random.between(500, 5_000));
        // As the kernel does when it finds such a disk damaged.
        runTool("mount", "-o", "remount,abort", world.state);
        await failedClosed(world);
        // As long as it is mounted anywhere, what is mounted is the one that was given up.
        await until("a disk that nobody uses", () => tryUnmount(world.state));
        mountImage(image, world.state);
        world.startWorker();
      }
      await world.flows();
    },
  },
  {
    name: "F34",
    about: "the disk of the state is taken away while it is written to",
    needs: ["loop_mount"],
    async run(world, isShort) {
      const image = onImage(world);
      world.begin();
      for (let fault = 0; fault < (isShort ? 1 : 4); fault++) {
        await world.flows(world.random.between(500, 5_000));
        runTool("umount", "-l", world.state);
        await failedClosed(world);
        mountImage(image, world.state);
        world.startWorker();
      }
      await world.flows();
    },
  },
];

/** A worker that has not ended of the fault goes on once it is over; one that has is started again. */
async function goesOnOrEnded(world: World, over: () => void): Promise<void> {
  const { worker } = world;
  if (!worker.hasEnded) over();
  const from = world.cloud.arrived;
  await until("a worker that goes on, or has ended", () => worker.hasEnded || world.cloud.arrived > from);
  if (!worker.hasEnded) return;
  world.crashes++;
  await endsInOrder(worker);
  world.startWorker();
}

/** One that has ended by itself said why; one that has not is killed. */
export async function endsInOrder(worker: WorkerProcess): Promise<void> {
  const byItself = worker.hasEnded;
  const { code, signal } = await worker.kill();
  insist(!byItself || (code !== null && code > 0), `it ended with ${signal ?? code}:\n${worker.said()}`);
}

/** The worker ends by itself, and says why. */
async function failedClosed(world: World): Promise<void> {
  const { worker } = world;
  await until("the end of a worker whose disk is gone", () => worker.hasEnded);
  world.crashes++;
  const { code, signal } = await worker.ended;
  insist(code !== null && code > 0, `it ended with ${signal ?? code}:\n${worker.said()}`);
}

/** Files until there is room for no other. */
function fillNames(folder: string): void {
  mkdirSync(folder);
  try {
    for (let number = 0; ; number++) writeFileSync(join(folder, String(number)), "");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
  }
}
