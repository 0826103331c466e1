// Faults of single calls of the system: a worker that is ended at the very call that would change its disk, and calls that find no
// room, fail, or are interrupted, once or again and again.

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import {
  copies,
  logFiles,
  positionName,
  reserveName,
  segmentName,
  snapshotName,
  unfinished,
} from "../../state/log/file-names.ts";
import { endsInOrder } from "./folder-faults.ts";
import { injecting } from "./injected.ts";
import { insist, type Scenario } from "./scenario.ts";
import { shortCalls } from "./short-calls.ts";
import { until } from "./waiting.ts";
import type { World } from "./world.ts";

/** The calls with which a state folder is changed. */
const changing = ["pwrite64", "fdatasync", "fsync", "rename", "unlink", "ftruncate"] as const;

/** Those, and the one that makes files; with about how many of each there are up to a few thousand records. */
const failing = [
  ["pwrite64", 24],
  ["fdatasync", 12],
  ["fsync", 4],
  ["rename", 3],
  ["unlink", 2],
  ["ftruncate", 2],
  ["openat", 16],
] as const;

/** How many files of a kind a start and what follows may make. */
const filesAhead = 24;

export const callFaults: readonly Scenario[] = [
  {
    name: "F2",
    about: "ended by SIGKILL at the N-th call that changes the disk, for many N and kinds of calls",
    needs: ["strace"],
    async run(world, isShort) {
      world.publisher.start();
      let reached = 0;
      for (let end = 0; end < (isShort ? 3 : 30); end++) {
        const call = changing[end % changing.length]!;
        // Of the rarer ones the first are reached.
        const when = world.random.between(1, end < changing.length ? 3 : 60);
        world.startWorker({ under: injecting(call, `signal=KILL:when=${when}`) });
        await flowsOrEnds(world, 6_000);
        if (world.worker.hasEnded) reached++;
        else await world.worker.kill();
        world.crashes++;
      }
      insist(reached > 0, "no worker came to the call at which it was to end");
      world.startWorker();
      await world.flows();
    },
  },
  {
    name: "F30+F28",
    about: "the N-th call that writes finds no room, and the next one does",
    needs: ["strace"],
    async run(world, isShort) {
      world.publisher.start();
      for (let fault = 0; fault < (isShort ? 2 : 20); fault++) {
        const call = world.random.pick(["pwrite64", "fdatasync", "rename", "ftruncate"] as const);
        const when = world.random.between(1, call === "pwrite64" ? 60 : 20);
        world.startWorker({ under: injecting(call, `error=ENOSPC:when=${when}`) });
        await flowsOrEnds(world, 4_000);
        // A synchronisation that failed may have lost what it was about: that log is given up.
        if (!world.worker.hasEnded) await world.worker.kill();
        world.crashes++;
      }
      world.startWorker();
      await world.flows();
    },
  },
  {
    name: "F30+EIO",
    about: "the N-th call that changes the disk fails with EIO, for many N and kinds of calls",
    needs: ["strace"],
    async run(world, isShort) {
      world.publisher.start();
      let noticed = 0;
      for (let round = 0; round < (isShort ? 1 : 8); round++)
        for (const [call, calls] of failing) {
          const when = world.random.between(1, calls);
          const paths = call === "openat" ? stateFiles(world) : [];
          world.startWorker({
            under: injecting(call, `error=EIO:when=${when}`, paths),
            // Calls are counted by thread.
            environment: { UV_THREADPOOL_SIZE: "1" },
          });
          await flowsOrEnds(world, 4_000);
          const { worker } = world;
          if (worker.hasEnded || worker.hasSaid("EIO")) noticed++;
          await endsInOrder(worker);
          world.crashes++;
        }
      insist(noticed > 0, "no worker noticed a call that failed");
      world.startWorker();
      await world.flows();
    },
  },
  {
    name: "F31",
    about: "calls that write are interrupted, every third of them",
    needs: ["strace"],
    async run(world, isShort) {
      world.publisher.start();
      for (const call of isShort ? ["pwrite64"] : ["pwrite64", "fdatasync", "ftruncate"]) {
        world.startWorker({ under: injecting(call, "error=EINTR:when=3+3") });
        await world.flows(isShort ? 2_000 : 8_000);
        await world.killWorker();
      }
      world.startWorker();
      await world.flows();
    },
  },
  {
    name: "F31+short",
    about: "calls that read or write the state do half of it, every third of them, also while it recovers",
    needs: ["compiler"],
    async run(world, isShort) {
      const { environment, hasStruck } = shortCalls(world.folder, world.state);
      world.publisher.start();
      for (let start = 0; start < (isShort ? 3 : 12); start++) {
        world.startWorker({ environment });
        await world.flows(world.random.between(500, isShort ? 2_000 : 8_000));
        await world.killWorker();
      }
      insist(hasStruck(), "no call was shortened");
      world.startWorker({ environment });
      await world.flows();
    },
  },
];

/** Resolves once so many more records have arrived, or the worker has ended. */
function flowsOrEnds(world: World, records: number): Promise<void> {
  const from = world.cloud.arrived;
  const { worker } = world;
  return until(
    `${records} more records behind ${from}, or the end of the worker`,
    () => worker.hasEnded || world.cloud.arrived >= from + records,
  );
}

/** The folder of the log and its files, also those that come next: others are opened by the thousand before the first of them. */
function stateFiles({ state }: World): readonly string[] {
  const folder = join(state, "faults");
  const begun = existsSync(folder) ? readdirSync(folder) : [];
  const { segments, snapshots } = logFiles(begun);
  const from = 1 + Math.max(0, ...segments, ...snapshots);
  const next = Array.from({ length: filesAhead }, (_, place) => from + place).flatMap((number) => [
    segmentName(number),
    ...copies.map((copy) => snapshotName(number, copy)),
  ]);
  const names = [...begun, ...next, positionName, reserveName];
  return [folder, ...names.flatMap((name) => [name, unfinished(name)]).map((name) => join(folder, name))];
}
