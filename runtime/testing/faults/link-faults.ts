// Faults of the network between worker and cloud.

import { limits } from "../../limits.ts";
import type { LinkState } from "./proxy.ts";
import type { Scenario } from "./scenario.ts";
import { losing, notLosing } from "./tools.ts";
import { lasting, until } from "./waiting.ts";
import type { World } from "./world.ts";

/** So long that the cloud's streams have forgotten the ids of all that was sent before. */
const outage_ms = limits.faults_duplicate_window_ms * 3;

/** 256 kbit/s. */
const narrow_bytes_per_s = 32_000;

/** It is noticed by the fourth time that it is asked whether the server is there. */
const noticed_ms_max = limits.nats_ping_interval_ms * 4;

export const linkFaults: readonly Scenario[] = [
  {
    name: "F37",
    about: "no link for longer than the duplicate window, three times",
    world: { ahead: 60_000 },
    async run(world, isShort) {
      world.begin();
      for (let outage = 0; outage < (isShort ? 1 : 3); outage++) {
        await world.flows();
        await during(world, { kind: "cut" }, isShort ? outage_ms : 10_000);
      }
      await world.flows();
    },
  },
  {
    name: "F37+F1",
    about: "the worker is killed while there is no link, longer than the duplicate window",
    world: { ahead: 60_000 },
    async run(world, isShort) {
      world.begin();
      for (let outage = 0; outage < (isShort ? 1 : 3); outage++) {
        await world.flows();
        world.link.set({ kind: "cut" });
        await lasting(outage_ms / 2);
        await world.killWorker();
        world.startWorker();
        await lasting(outage_ms);
        world.link.set({ kind: "fine" });
      }
      await world.flows();
    },
  },
  {
    name: "F38",
    about: "a black hole: connections stay, and nothing passes",
    async run(world, isShort) {
      world.begin();
      await world.flows();
      if (isShort) {
        await during(world, { kind: "black_hole", way: "both" }, outage_ms);
        // What was swallowed never comes; a connection with a hole in it is none.
        world.link.drop();
      } else {
        world.link.set({ kind: "black_hole", way: "both" });
        await noticed(world, "cloud");
        // The next connections get no answer either.
        await lasting(2 * outage_ms);
        world.link.set({ kind: "fine" });
      }
      await world.flows();
    },
  },
  {
    name: "F39",
    about: "only the cloud's answers are swallowed",
    async run(world, isShort) {
      world.begin();
      for (let hole = 0; hole < (isShort ? 1 : 4); hole++) {
        await world.flows();
        await during(world, { kind: "black_hole", way: "to_client" }, isShort ? 1_500 : 7_000);
        world.link.drop();
      }
      await world.flows();
    },
  },
  {
    name: "F40",
    about: "packets on their way to the cloud are lost, ever more of them",
    needs: ["iptables"],
    async run(world, isShort) {
      const { port } = world.link;
      world.begin();
      await world.flows();
      for (const share of isShort ? [0.1] : [0.01, 0.1, 0.3, 0.5]) {
        losing(share, port);
        world.later(() => settleLoss(share, port));
        // At a half of them lost, a connection stands still for seconds at a time.
        await world.flows(isShort || share >= 0.5 ? 1_000 : 5_000);
        settleLoss(share, port);
      }
      await world.flows();
    },
  },
  {
    name: "F41",
    about: "a slow link with jitter, then a narrow one of 256 kbit/s",
    async run(world, isShort) {
      world.begin();
      await world.flows();
      world.link.set({ kind: "slow", ms: 200, more_ms: 400 });
      await world.flows(isShort ? 2_000 : 20_000);
      world.link.set({ kind: "narrow", bytes_per_s: narrow_bytes_per_s });
      await world.flows(isShort ? 1_000 : 5_000);
      world.link.set({ kind: "fine" });
      await world.flows();
    },
  },
  {
    name: "F42",
    about: "resets, ends in the middle of a message, single bytes",
    async run(world, isShort) {
      world.begin();
      for (let round = 0; round < (isShort ? 2 : 10); round++) {
        await world.flows(world.random.between(500, 2_000));
        world.link.set({ kind: "halved" });
        await until("a connection that ended", () => world.link.connections === 0);
        world.link.set({ kind: "sliced" });
        await world.flows(100);
        world.link.set({ kind: "fine" });
        world.link.drop();
      }
      await world.flows();
    },
  },
  {
    name: "F43",
    about: "answers come so late that they were given up, and the connection ends with them under way",
    async run(world, isShort) {
      world.begin();
      for (let round = 0; round < (isShort ? 1 : 4); round++) {
        await world.flows();
        await during(world, { kind: "slow", ms: 6_000, more_ms: 3_000 }, isShort ? 1_000 : 10_000);
        world.link.drop();
      }
      await world.flows();
    },
  },
  {
    name: "F43+order",
    about: "single messages and answers pass late, behind others, or twice",
    async run(world, isShort) {
      world.begin();
      for (const share of isShort ? [0.1] : [0.01, 0.1, 0.3]) {
        await world.flows();
        world.link.set({ kind: "shuffled", share, ms: isShort ? 200 : world.random.between(20, 2_000) });
        world.link.drop();
        await world.flows(isShort ? 1_000 : 5_000);
        world.link.set({ kind: "fine" });
        world.link.drop();
      }
      await world.flows();
    },
  },
  {
    name: "F44",
    about: "a link that goes and comes every half second",
    async run(world, isShort) {
      world.begin();
      await world.flows();
      for (let flap = 0; flap < (isShort ? 6 : 40); flap++) {
        world.link.set({ kind: flap % 2 === 0 ? "cut" : "fine" });
        await lasting(500);
      }
      world.link.set({ kind: "fine" });
      await world.flows();
    },
  },
];

/** Resolves once the worker itself gave a connection up over which nothing comes: it asks again and again whether it is there. */
export async function noticed({ worker }: World, connection: string): Promise<void> {
  const lost = `nats "${connection}": lost`;
  await until("a worker that notices that nothing comes", () => worker.hasSaid(lost), noticed_ms_max);
}

/** Takes the rule back, where it is still there. */
function settleLoss(share: number, port: number): void {
  try {
    notLosing(share, port);
  } catch {
    // It was taken back before.
  }
}

async function during(world: World, state: LinkState, ms: number): Promise<void> {
  world.link.set(state);
  await lasting(ms);
  world.link.set({ kind: "fine" });
}
