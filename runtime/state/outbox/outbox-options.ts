// What an outbox is opened with.

import type { Clock } from "../../clock.ts";
import { limits } from "../../limits.ts";
import type { Condenser } from "./condensing.ts";
import type { OutboxLimits } from "./keep-within.ts";
import type { ChainLane } from "./lanes.ts";
import type { Tier } from "./tiers.ts";
import type { UplinkBudget } from "./uplink.ts";
import type { UplinkShares } from "./uplinks.ts";

export interface OutboxOptions {
  readonly clock: Clock;
  readonly limits?: OutboxLimits;
  /** Live rows that waited so long are backlog; null, as without it: never. */
  readonly backlogAfter?: number | null;
  /** By chain, what it is sent over and how urgently; without it, all are live and on one connection. */
  readonly laneOf?: (chain: string) => ChainLane;
  /** From fine to coarse; what waits is condensed step by step where there is a condenser as well. */
  readonly tiers?: readonly Tier[];
  readonly condenser?: Condenser;
  /** Budgets of connections, by name. */
  readonly uplinks?: ReadonlyMap<string, UplinkBudget>;
  /** How other state folders with the same budgets are told, and heard; without it there are none. */
  readonly shares?: UplinkShares | undefined;
  /** Of entries in memory; the rest is on the disk. */
  readonly memoryBytes?: number;
  /** How long entries are kept once they are confirmed. */
  readonly retention?: number;
  /** Bytes of one file. */
  readonly fileBytes?: number;
  /** Nothing is written and nothing is sent: files that are missing or cut off are told of where what they held is read. */
  readonly lookedAt?: boolean;
}

export const defaultOutboxLimits: OutboxLimits = {
  bytes: limits.outbox_bytes_default,
  age: null,
  whenFull: "wait",
};
