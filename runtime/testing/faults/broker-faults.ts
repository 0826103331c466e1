// Faults of the servers: ended, stopped, and back with an older copy of what they had stored.

import type { Broker } from "./broker.ts";
import { insisting } from "./cloud.ts";
import { noticed } from "./link-faults.ts";
import { sourceStream } from "./publisher.ts";
import { insist, type Scenario } from "./scenario.ts";
import { onSource } from "./source-stream.ts";
import { lasting } from "./waiting.ts";
import type { World } from "./world.ts";

/** What whoever does not say who they are may not do. */
const denied = `authorization { users: [{ user: any, password: any, permissions: { publish: { deny: ["raw.>"] } } }] }
no_auth_user: any`;

export const brokerFaults: readonly Scenario[] = [
  {
    name: "F16",
    about: "kill -9 of the edge's server",
    run: (world, isShort) => killed(world, world.edge, isShort ? 2 : 6, [100, 3_000]),
  },
  {
    name: "F17",
    about: "kill -9 of the cloud's server, several times in a row",
    run: (world, isShort) => killed(world, world.cloudServer, isShort ? 3 : 10, [50, 700]),
  },
  {
    name: "F18",
    about: "the cloud's server sends its clients away and ends, as for an upgrade, and comes back",
    async run(world, isShort) {
      world.begin();
      for (let end = 0; end < (isShort ? 1 : 2); end++) {
        await world.flows();
        // The least that it takes.
        await world.cloudServer.restart('lame_duck_duration: "30s", lame_duck_grace_period: "1s"');
        world.crashes++;
        await world.flows();
        await world.cloudServer.retire(isShort ? 5_000 : 40_000);
        await world.cloudServer.restart();
      }
      await world.flows();
    },
  },
  {
    name: "F50",
    about: "the cloud does not let rows be written for a while: a right is missing",
    async run(world, isShort) {
      world.begin();
      for (let time = 0; time < (isShort ? 1 : 3); time++) {
        await world.flows();
        await world.cloudServer.restart(denied);
        world.crashes++;
        await world.alive("a worker that says so", () => world.worker.hasSaid("ermission"));
        const { arrived } = world.cloud;
        await lasting(1_000);
        insist(world.cloud.arrived === arrived, "rows came though the right was missing");
        await world.cloudServer.restart("");
        world.crashes++;
      }
      await world.flows();
    },
  },
  {
    name: "F19",
    about: "SIGSTOP of the cloud's server, then of the edge's",
    async run(world, isShort) {
      world.begin();
      for (const [broker, connection] of [
        [world.cloudServer, "cloud"],
        [world.edge, "default"],
      ] as const) {
        await world.flows();
        await broker.pause();
        if (!isShort) await noticed(world, connection);
        await lasting(isShort ? 2_000 : 5_000);
        await broker.proceed();
      }
      await world.flows();
    },
  },
  {
    name: "F20",
    about: "power cut of the edge: its stream comes back without its end",
    async run(world, isShort) {
      world.begin();
      for (let cut = 0; cut < (isShort ? 1 : 3); cut++) {
        await world.flows();
        await world.edge.remember();
        await world.flows();
        await world.publisher.stop();
        const published = world.publisher.published;
        await world.alive("all that was published", () => world.cloud.arrived === published - 1);
        await world.edge.losePower();
        world.crashes++;
        await world.edge.restart();
        const last = await insisting(() => lastOfSource(world));
        for (const seq of world.publisher.forget(last)) world.mayLack.add(seq);
        world.publisher.start();
      }
      await world.flows();
    },
  },
  {
    name: "F21",
    about: "power cut of the cloud: its streams come back without their end, and are sent it again",
    async run(world, isShort) {
      world.begin();
      for (let cut = 0; cut < (isShort ? 1 : 3); cut++) {
        await world.flows();
        await world.cloudServer.remember();
        await world.flows();
        await world.cloudServer.losePower();
        world.crashes++;
        await world.cloudServer.restart();
      }
      await world.flows();
    },
  },
];

async function killed(
  world: World,
  broker: Broker,
  kills: number,
  [least, most]: readonly [number, number],
): Promise<void> {
  world.begin();
  for (let kill = 0; kill < kills; kill++) {
    await world.flows(world.random.between(500, 4_000));
    await broker.kill();
    world.crashes++;
    await lasting(world.random.between(least, most));
    await broker.restart();
  }
  await world.flows();
}

/** The number of the last message that the source's stream holds. */
async function lastOfSource(world: World): Promise<number> {
  return onSource(world, async (manager) => (await manager.streams.info(sourceStream)).state.last_seq);
}
