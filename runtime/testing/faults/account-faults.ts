// What a server does not let a worker do for a while, and lets it do again: JetStream is taken from its account, the account has
// no more room or no more consumers, its user is gone, or a right is. The server itself goes on, or is started anew.

import { AckPolicy } from "@nats-io/jetstream";
import type { Broker } from "./broker.ts";
import { sourceStream } from "./publisher.ts";
import { insist, type Scenario } from "./scenario.ts";
import { onSource } from "./source-stream.ts";
import { lasting } from "./waiting.ts";
import type { Start, World } from "./world.ts";

interface Account {
  /** What it may do with JetStream, in the server's words; null: nothing. */
  readonly jetstream?: string | null;
  /** The worker may enter. */
  readonly isKnown?: boolean;
  /** What the worker may not do, in the server's words. */
  readonly denied?: string;
}

/** Whoever does not say who they are is not the worker, and may do all. */
function account({ jetstream = "enabled", isKnown = true, denied = "" }: Account = {}): string {
  const worker = `{ user: weir, password: faults, permissions: { ${denied} } }`;
  const users = [`{ user: any, password: any }`, ...(isKnown ? [worker] : [])];
  const stores = jetstream === null ? "" : `, jetstream: ${jetstream}`;
  return `accounts { FAULTS { users: [${users.join(", ")}]${stores} } }\nno_auth_user: any\n`;
}

interface Lack {
  readonly of: "edge" | "cloud";
  readonly is: Account;
  /** What the worker then says. */
  readonly says: string;
  /** The server is started anew with it, and once more without. */
  readonly restarts?: boolean;
  /** Rows may come meanwhile: those that nobody confirms, for one. */
  readonly passes?: boolean;
}

const room = (bytes: string): string => `{ max_file: ${bytes}, max_mem: 1GB }`;

function scenario(
  name: string,
  about: string,
  lacks: readonly Lack[],
  prepare?: (world: World) => Promise<void>,
): Scenario {
  return {
    name,
    about,
    world: { settings: account() },
    async run(world, isShort) {
      await prepare?.(world);
      world.begin(asWorker(world));
      const from = world.random.between(0, lacks.length - 1);
      // Two of them, another two with another seed.
      const some = [...lacks, ...lacks].slice(from, from + 2);
      for (const lack of isShort ? some : [...lacks, ...lacks, ...lacks]) {
        await world.flows();
        await lacking(world, lack, isShort ? 500 : world.random.between(200, 6_000));
      }
      await world.flows();
    },
  };
}

export const accountFaults: readonly Scenario[] = [
  scenario(
    "F50+JetStream",
    "JetStream is taken from the account, of the cloud and of the edge, and given back",
    [
      { of: "cloud", is: { jetstream: null }, says: "JetStream is away" },
      { of: "edge", is: { jetstream: null }, says: "not enabled" },
      { of: "cloud", is: { jetstream: null }, says: "not enabled", restarts: true },
      { of: "edge", is: { jetstream: null }, says: "not enabled", restarts: true },
    ],
  ),
  scenario(
    "F50+room",
    "the account of the cloud may store no more, that of the edge have no further consumer, and both may again",
    [
      { of: "cloud", is: { jetstream: room("1KB") }, says: "resource limits exceeded" },
      { of: "edge", is: { jetstream: "{ max_consumers: 1 }" }, says: "maximum consumers", restarts: true },
    ],
    otherConsumer,
  ),
  scenario("F50+credentials", "the worker's user is gone, at the cloud and at the edge, and back", [
    { of: "cloud", is: { isKnown: false }, says: "uthorization" },
    { of: "edge", is: { isKnown: false }, says: "uthorization" },
  ]),
  scenario("F50+rights", "the worker may not ask, then hear no answers, at the cloud and at the edge", [
    { of: "cloud", is: { denied: 'publish: { deny: ["raw.>", "$JS.API.>"] }' }, says: "ermission" },
    { of: "edge", is: { denied: 'publish: { deny: ["$JS.API.>"] }' }, says: "ermission" },
    { of: "cloud", is: { denied: 'subscribe: { deny: ["_INBOX.>"] }' }, says: "ermission", passes: true },
    { of: "edge", is: { denied: 'subscribe: { deny: ["_INBOX.>"] }' }, says: "ermission" },
  ]),
];

function asWorker({ edge, link }: World): Start {
  const at = (port: number): string => `nats://weir:faults@127.0.0.1:${port}`;
  return { connections: [at(edge.port), `cloud=${at(link.port)}`] };
}

/** The worker's own is one too many then. */
async function otherConsumer(world: World): Promise<void> {
  await onSource(world, (manager) =>
    manager.consumers.add(sourceStream, { durable_name: "other", ack_policy: AckPolicy.None }),
  );
}

/** The worker says what it lacks and goes on, and no rows come while they may not. */
async function lacking(
  world: World,
  { of, is, says, restarts = false, passes = of === "edge" }: Lack,
  ms: number,
): Promise<void> {
  const broker = of === "edge" ? world.edge : world.cloudServer;
  const { worker } = world;
  const { heard } = worker;
  await become(world, broker, account(is), restarts);
  await world.alive(`a worker that says "${says}"`, () => worker.hasSaid(says, heard));
  const { arrived } = world.cloud;
  await lasting(ms);
  insist(passes || world.cloud.arrived === arrived, `rows came though they may not: ${account(is)}`);
  await become(world, broker, account(), restarts);
}

async function become(world: World, broker: Broker, settings: string, restarts: boolean): Promise<void> {
  if (!restarts) return broker.reload(settings);
  await broker.restart(settings);
  world.crashes++;
}
