// Faults of the disk below the state: a power cut, no room, errors, slowness, damage between two runs.

import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { injecting } from "./injected.ts";
import { refused } from "./process-faults.ts";
import { insist, type Scenario } from "./scenario.ts";
import { copyImage, makeImage, mountImage, tryUnmount, unmount } from "./tools.ts";
import { lasting, until } from "./waiting.ts";
import type { World } from "./world.ts";

const image_mebibytes = 96;

/** Puts the state onto a disk of its own, with room for so many files where that is said. */
export function onImage(world: World, files: number | null = null): string {
  const image = join(world.folder, "disk.img");
  makeImage(image, image_mebibytes, files);
  mountImage(image, world.state);
  world.later(() => unmount(world.state));
  return image;
}

/** F22, with so many cuts. */
export function powerCuts(cuts: { readonly short: number; readonly long: number }): Scenario {
  return {
    name: "F22",
    about: "power cut: the state is as its disk was at a random moment, without what was not synchronised",
    needs: ["loop_mount"],
    // Many cuts say more than many records between two of them.
    world: { ahead: 2_000 },
    async run(world, isShort) {
      const image = onImage(world);
      world.begin();
      for (let cut = 0; cut < (isShort ? cuts.short : cuts.long); cut++) {
        await world.flows(world.random.between(100, isShort ? 1_000 : 4_000));
        // It stands still while its disk is copied, so that the copy is of one moment.
        world.worker.signal("SIGSTOP");
        copyImage(image, `${image}.cut`);
        await world.killWorker();
        await until("a disk that nobody uses", () => tryUnmount(world.state));
        renameSync(`${image}.cut`, image);
        mountImage(image, world.state);
        world.startWorker();
      }
      await world.flows();
    },
  };
}

export const diskFaults: readonly Scenario[] = [
  powerCuts({ short: 6, long: 200 }),
  {
    name: "F24",
    about: "the newest segment of the log is cut short at random places",
    run: (world, isShort) => damaged(world, isShort ? 2 : 10, cutShort),
  },
  {
    name: "F25",
    about: "random bits of log, snapshots and outbox are flipped",
    run: (world, isShort) => damaged(world, isShort ? 2 : 15, flipped),
  },
  {
    name: "F26",
    about: "files of the state are missing, empty, or folders",
    run: (world, isShort) => damaged(world, isShort ? 2 : 10, replaced),
  },
  {
    name: "F28",
    about: "the disk of the state is full, and has room again",
    needs: ["loop_mount"],
    async run(world, isShort) {
      onImage(world);
      world.begin();
      for (let full = 0; full < (isShort ? 1 : 3); full++) {
        await world.flows();
        const filler = join(world.state, "filler");
        fill(filler);
        await world.alive("a worker that waits for room", () => world.worker.hasSaid("nothing new is taken"));
        await lasting(1_000);
        rmSync(filler);
        await world.flows();
      }
    },
  },
  {
    name: "F30",
    about: "an fdatasync of the log fails with EIO: that log is given up, and what is durable goes on",
    needs: ["strace"],
    async run(world, isShort) {
      world.publisher.start();
      for (let fault = 0; fault < (isShort ? 1 : 6); fault++) {
        world.startWorker({ under: injecting("fdatasync", `error=EIO:when=${world.random.between(3, 40)}`) });
        const { worker } = world;
        await until("the end of a worker whose disk fails", () => worker.hasEnded);
        world.crashes++;
        const { code, signal } = await worker.ended;
        insist(code !== null && code > 0, `EIO ended the worker with ${signal ?? code}:\n${worker.said()}`);
        world.startWorker();
        await world.flows();
        await world.killWorker();
      }
      world.startWorker();
      await world.flows();
    },
  },
  {
    name: "F32",
    about: "every fdatasync takes 300 ms more, then 5 s more",
    needs: ["strace"],
    async run(world, isShort) {
      world.publisher.start();
      for (const more_ms of isShort ? [300] : [300, 5_000]) {
        world.startWorker({ under: injecting("fdatasync", `delay_exit=${more_ms * 1_000}`) });
        await world.flows(6_000);
        await world.killWorker();
      }
      world.startWorker();
      await world.flows();
    },
  },
];

function fill(file: string): void {
  const piece = Buffer.alloc(65_536, 1);
  try {
    for (;;) writeFileSync(file, piece, { flag: "a" });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
  }
}

/** The files of the state that hold data. */
function filesOf(state: string): string[] {
  return readdirSync(state, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !/lock|reserve|pipelines/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => statSync(file).size > 0)
    .sort((a, b) => statSync(a).mtimeMs - statSync(b).mtimeMs);
}

function cutShort({ state, random }: World): string {
  const segment = filesOf(state).at(-1)!;
  const { size } = statSync(segment);
  const left = Math.max(1, size - random.between(1, Math.min(size - 1, 4_096)));
  truncateSync(segment, left);
  return `${segment} cut to ${left} of ${size} bytes`;
}

function flipped({ state, random }: World): string {
  const file = random.pick(filesOf(state));
  const bytes = readFileSync(file);
  const place = random.between(0, bytes.length - 1);
  bytes[place]! ^= 1 << random.between(0, 7);
  writeFileSync(file, bytes);
  return `${file}: byte ${place} of ${bytes.length} flipped`;
}

function replaced({ state, random }: World): string {
  const file = random.pick(filesOf(state));
  const how = random.pick(["missing", "empty", "a folder"] as const);
  rmSync(file);
  if (how === "empty") writeFileSync(file, "");
  if (how === "a folder") mkdirSync(file);
  return `${file} is ${how}`;
}

/**
 * Damages the state between two runs. A worker then either goes on as if nothing were, or refuses; then the state comes back
 * as it was.
 */
async function damaged(world: World, times: number, damage: (world: World) => string): Promise<void> {
  const whole = join(world.folder, "whole");
  world.begin();
  for (let time = 0; time < times; time++) {
    await world.flows();
    await world.killWorker();
    rmSync(whole, { recursive: true, force: true });
    cpSync(world.state, whole, { recursive: true });
    const what = damage(world);
    const worker = world.startWorker();
    await until(
      `a worker with damage to run or to refuse: ${what}`,
      () => worker.hasEnded || worker.isRunning,
    );
    // Rows of the one before may have been on their way until then.
    const from = world.cloud.arrived;
    await until(
      `a worker with damage to go on or to refuse: ${what}`,
      () => worker.hasEnded || world.cloud.arrived > from,
    );
    if (!worker.hasEnded) continue;
    const { code, signal } = await worker.ended;
    insist(
      code !== null && refused.includes(code),
      `${what}: ended with ${signal ?? code}\n${worker.said()}`,
    );
    rmSync(world.state, { recursive: true });
    renameSync(whole, world.state);
    world.startWorker();
  }
  await world.flows();
}
