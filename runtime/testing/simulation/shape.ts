// What a schedule runs, apart from its pipelines: how rows are delivered, from where records come, what the outbox is told.
// Chosen by the seed, together with what each of these cannot promise, so that no fault is asked of it. Pure.

import type { Tier } from "../../state/outbox/tiers.ts";
import type { OutboxLimits } from "../../state/outbox/keep-within.ts";
import type { UplinkBudget } from "../../state/outbox/uplink.ts";
import type { FaultPlan } from "./nemesis.ts";
import type { Random } from "./random.ts";
import type { BranchKind, Workload } from "./workload.ts";

export type DeliveryKind = "exclusive" | "subject" | "bucket" | "lane" | "message_id";

/** Where records are until they are read: a stream, one that forgets what is done, or a journal of what core NATS sent. */
export type InputKind = "stream" | "workqueue" | "journal";

export interface OutboxShape {
  readonly limits: OutboxLimits;
  readonly backlogAfter: number | null;
  readonly tiers: readonly Tier[];
  readonly uplink: UplinkBudget | null;
  /** Sinks whose rows go before all others. */
  readonly alarms: readonly BranchKind[];
}

export interface Shape {
  readonly delivery: DeliveryKind;
  readonly input: InputKind;
  /** One letter each, with which the names of their devices begin. */
  readonly hosts: readonly string[];
  readonly outbox: OutboxShape;
}

/** More than all rows of a schedule take. */
const plenty = 10_000_000;

export const plainOutbox: OutboxShape = {
  limits: { bytes: plenty, age: null, whenFull: "wait" },
  backlogAfter: null,
  tiers: [],
  uplink: null,
  alarms: [],
};

/** Rows may come in another order than they were made in: only there some of them become backlog. */
export function mayOvertake({ delivery }: Shape): boolean {
  return delivery === "lane" || delivery === "message_id";
}

/** Streams that several hosts may write. */
const shared: ReadonlySet<DeliveryKind> = new Set(["lane", "message_id"]);

const deliveries: readonly DeliveryKind[] = [
  "exclusive",
  "exclusive",
  "exclusive",
  "exclusive",
  "subject",
  "bucket",
  "lane",
  "message_id",
];

/** `given`: what of it is not by chance. */
export function drawShape(random: Random, { sources }: Workload, given: Partial<Shape> = {}): Shape {
  const shape = { ...drawAny(random), ...given };
  // A host of the simulation has one journal.
  return sources.length > 1 && shape.input === "journal" ? { ...shape, input: "stream" } : shape;
}

function drawAny(random: Random): Shape {
  const delivery = random.pick(deliveries);
  const input = random.pick<InputKind>(["stream", "stream", "stream", "workqueue", "journal"]);
  const hosts = shared.has(delivery) && random.chance(0.4) ? ["d", "e"] : ["d"];
  return { delivery, input, hosts, outbox: drawOutbox(random, delivery) };
}

/** The more often one stands here, the more schedules have it; those with tiers take long. */
const outboxKinds = [
  "plain",
  "plain",
  "plain",
  "plain",
  "plain",
  "small",
  "age",
  "age",
  "drop",
  "drop",
  "turns",
  "turns",
  "turns",
  "uplink",
  "uplink",
  "tiers",
] as const;

function drawOutbox(random: Random, delivery: DeliveryKind): OutboxShape {
  const small = { ...plainOutbox, limits: { ...plainOutbox.limits, bytes: random.pick([4_000, 100_000]) } };
  switch (random.pick(outboxKinds)) {
    case "small":
      return small;
    case "age":
      return {
        ...plainOutbox,
        limits: { bytes: plenty, age: random.between(2_000, 20_000), whenFull: "wait" },
      };
    case "drop":
      return {
        ...small,
        limits: { ...small.limits, bytes: random.between(1_000, 4_000), whenFull: "drop_oldest" },
      };
    case "turns":
      return turns(random, delivery);
    case "uplink":
      return { ...turns(random, delivery), uplink: { bytes: random.between(2_000, 8_000), every: 20_000 } };
    case "tiers":
      return { ...plainOutbox, tiers: drawTiers(random) };
    default:
      return plainOutbox;
  }
}

function turns(random: Random, delivery: DeliveryKind): OutboxShape {
  const overtakes = delivery === "lane" || delivery === "message_id";
  return {
    ...plainOutbox,
    backlogAfter: overtakes ? random.between(1_000, 10_000) : null,
    alarms: random.pick<readonly BranchKind[]>([[], ["forwarded"], ["condensed"], ["late", "forwarded"]]),
  };
}

/** The first is of the rows as they are made, in windows of ten seconds. */
function drawTiers(random: Random): readonly Tier[] {
  const tiers: Tier[] = [{ every: 0, keep: random.between(5_000, 20_000) }];
  const every = random.pick([20_000, 30_000]);
  const last = { every: every * 2, keep: 86_400_000 };
  if (random.chance(0.5)) return [...tiers, { ...last, every }];
  return [...tiers, { every, keep: random.between(10_000, 60_000) }, last];
}

/** What of a plan can be asked of a shape with so many sources. Whatever is left out here is no promise of the product's, and says why. */
export function askable(plan: FaultPlan, shape: Shape, sources: number): FaultPlan {
  const { delivery, input, outbox } = shape;
  const tells = delivery === "exclusive" || delivery === "message_id";
  const reads = input === "journal" ? { sourceKeeps: 0 } : {};
  const loses = plan.blows.some(({ kind }) => kind === "power of cloud" || kind === "recreate sink");
  const isPlain =
    outbox.limits.whenFull === "wait" && outbox.limits.age === null && outbox.tiers.length === 0;
  const blows = plan.blows.filter(({ kind }) => {
    switch (kind) {
      // Two that drop or condense would do it each in its own way, two readers would trim one journal, and two that read several
      // sources meet their records in two orders, where each of a pipeline's streams may be the other's. An id tells nobody who sent the row.
      case "copy": {
        const isAlike = isPlain && outbox.backlogAfter === null && sources === 1;
        return isAlike && input === "stream" && delivery !== "message_id";
      }
      // Core NATS keeps nothing that could be lost.
      case "recreate source":
      case "power of edge":
        return input !== "journal";
      // Confirmed rows make room for those that wait.
      case "power of cloud":
        return outbox.limits.bytes > 4_000;
      default:
        return true;
    }
  });
  return {
    ...plan,
    ...reads,
    blows,
    // The last message of a subject tells how far that is; limits of the stream would remove it.
    sinkKeeps: tells ? plan.sinkKeeps : 0,
    // A copy that another server held back may find its sequence given anew.
    heldBack: delivery === "exclusive" || !loses,
  };
}

/** How long the cloud is out of reach for certain, so that what the outbox is told has something to decide. */
export function outage_ms({ outbox }: Shape, length_ms: number): number {
  if (outbox.tiers.length > 0) return length_ms * 0.9;
  const decides =
    outbox.backlogAfter !== null || outbox.limits.age !== null || outbox.limits.whenFull !== "wait";
  return decides ? length_ms * 0.6 : 0;
}

/** The names under which shapes are counted. */
export const shapeNames: readonly string[] = [
  "exclusive",
  "subject",
  "bucket",
  "lane",
  "message_id",
  "two hosts",
  "workqueue",
  "journal",
  "small outbox",
  "age",
  "drop_oldest",
  "backlog",
  "alarms",
  "uplink",
  "tiers",
];

export function shapeNamesOf({ delivery, input, hosts, outbox }: Shape): readonly string[] {
  const { limits, backlogAfter, tiers, uplink, alarms } = outbox;
  const has: Readonly<Record<string, boolean>> = {
    [delivery]: true,
    [input]: input !== "stream",
    "two hosts": hosts.length > 1,
    "small outbox": limits.bytes < plenty,
    age: limits.age !== null,
    [limits.whenFull]: limits.whenFull !== "wait",
    backlog: backlogAfter !== null,
    alarms: alarms.length > 0,
    uplink: uplink !== null,
    tiers: tiers.length > 0,
  };
  return Object.keys(has).filter((name) => has[name]);
}
