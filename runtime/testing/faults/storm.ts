// One long stream through everything at once: worker, edge and cloud are killed again and again while it flows, each once so
// many records have come through, and the link goes for longer than the cloud remembers. What a change is held against.

import { limits } from "../../limits.ts";
import type { Scenario } from "./scenario.ts";
import { lasting } from "./waiting.ts";
import type { World } from "./world.ts";

export interface StormSize {
  readonly workerKills: number;
  /** Divides what is killed in all; at least two. */
  readonly serverKills: number;
  readonly records: number;
}

export function stormOf({ workerKills, serverKills, records }: StormSize): Scenario {
  const steps = workerKills + serverKills;
  return {
    name: "F61",
    about: `${workerKills} SIGKILLs of the worker, ${serverKills} of servers, an outage, over ${records} records`,
    world: { ahead: 16_000, lines: 500, every_ms: 0 },
    async run(world) {
      world.begin();
      for (let step = 0; step < steps; step++) {
        // Where it is killed differs; how many records it takes in all does not.
        const behind = Math.floor((records * (step + world.random.next())) / steps);
        await world.alive(`record ${behind}`, () => world.cloud.arrived >= behind);
        await world.flows(1);
        if (step % (steps / serverKills) === 1) await killServer(world, step);
        else {
          await world.killWorker();
          world.startWorker();
        }
        if (step === steps / 2) await outage(world);
      }
      await world.alive(`record ${records}`, () => world.cloud.arrived >= records);
    },
  };
}

export const storm: Scenario = stormOf({ workerKills: 30, serverKills: 10, records: 500_000 });

async function killServer(world: World, step: number): Promise<void> {
  const broker = step % 8 === 1 ? world.cloudServer : world.edge;
  await broker.kill();
  world.crashes++;
  await broker.restart();
}

async function outage({ link }: World): Promise<void> {
  link.set({ kind: "cut" });
  await lasting(2 * limits.faults_duplicate_window_ms);
  link.set({ kind: "fine" });
}
