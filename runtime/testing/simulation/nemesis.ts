// What goes wrong in one schedule: chosen by its seed, of each kind of fault some schedules have none, so that no fault
// hides what another would show. Decides what and when; doing it is the schedule's business.

import type { Random } from "./random.ts";

/** Something that happens at a time. */
export interface Blow {
  readonly at_ms: number;
  readonly kind:
    | "cut cloud"
    | "cut edge"
    | "kill cloud"
    | "kill edge"
    | "power of cloud"
    | "power of edge"
    | "recreate source"
    | "recreate sink"
    | "full disk"
    | "full sink"
    | "clock"
    | "copy";
  /** How long it lasts, 0 for what is done at once; of a clock, how far it is set, back where it is below 0. */
  readonly for_ms: number;
}

export interface FaultPlan {
  /** When the last fault has ended at the latest; all that is mended then stays so. */
  readonly until_ms: number;
  readonly blows: readonly Blow[];
  /** Chance of a crash at each call out, and while a life recovers. */
  readonly crash: number;
  readonly crashInRecovery: number;
  /** Where crashes come much more often than elsewhere; null for nowhere. */
  readonly favourite: string | null;
  /** Lives that may crash; the next one lives on. */
  readonly crashes_max: number;
  /** Share of crashes by which the machine loses its power as well. */
  readonly powerShare: number;
  readonly lostRequest: number;
  readonly lostAnswer: number;
  readonly delayed: number;
  readonly delay_ms: number;
  /** What a lost connection had not delivered arrives all the same, as where another server stands in between. */
  readonly heldBack: boolean;
  /** Chance that a call of the disk fails. */
  readonly diskError: number;
  /** Messages that the source keeps; 0 for all. */
  readonly sourceKeeps: number;
  /** Rows that streams of the cloud keep; 0 for all. */
  readonly sinkKeeps: number;
  /** Servers compare sequences before they look for duplicates, as from 2.12 on. */
  readonly laterServers: boolean;
}

/** The names under which faults are counted. */
export const faultKinds: readonly string[] = [
  "crash",
  "crash in recovery",
  "disk error",
  "full disk",
  "cut cloud",
  "cut edge",
  "kill cloud",
  "kill edge",
  "power of cloud",
  "power of edge",
  "recreate source",
  "recreate sink",
  "full sink",
  "clock",
  "copy",
];

/** Nothing goes wrong. */
export const noFaults: FaultPlan = {
  until_ms: 0,
  blows: [],
  crash: 0,
  crashInRecovery: 0,
  favourite: null,
  crashes_max: 0,
  powerShare: 0,
  lostRequest: 0,
  lostAnswer: 0,
  delayed: 0,
  delay_ms: 0,
  heldBack: true,
  diskError: 0,
  sourceKeeps: 0,
  sinkKeeps: 0,
  laterServers: false,
};

/** Longer than ids are remembered. */
const longCut_ms = 400_000;

/** Clocks are set by as much as a wrong time zone and more. */
const clockSet_ms = 7_200_000;

/** `outage_ms`: how long the cloud is out of reach for certain, soon after the beginning. */
export function faultPlan(random: Random, length_ms: number, outage_ms = 0): FaultPlan {
  const has = (share: number): boolean => random.chance(share);
  const some = (share: number, least: number, most: number): number =>
    has(share) ? least + random.next() * (most - least) : 0;
  const copies = has(0.06);
  const losesPower = !copies && has(0.35);
  const cutsLong = has(0.25);
  const cut_ms = cutsLong ? longCut_ms : 60_000;
  const until_ms = length_ms + (cutsLong ? longCut_ms : 30_000);
  const blows: Blow[] = [];
  if (outage_ms > 0) blows.push({ at_ms: 0.1 * length_ms, kind: "cut cloud", for_ms: outage_ms });
  const strike = (kind: Blow["kind"], share: number, most: number, longest_ms: number): void => {
    if (!has(share)) return;
    for (let count = random.between(1, most); count > 0; count--) {
      const at_ms = random.next() * length_ms;
      const for_ms = Math.min(random.next() * random.next() * longest_ms, until_ms - at_ms);
      blows.push({ at_ms, kind, for_ms });
    }
  };
  strike("cut cloud", 0.6, 4, cut_ms);
  strike("cut edge", 0.3, 3, 20_000);
  strike("kill cloud", 0.4, 3, 20_000);
  strike("kill edge", 0.3, 3, 20_000);
  if (losesPower) {
    strike("power of cloud", 0.8, 3, 10_000);
    strike("power of edge", 0.6, 2, 10_000);
  }
  if (!copies) {
    strike("recreate source", 0.12, 1, 0);
    strike("recreate sink", 0.1, 1, 0);
  }
  if (has(0.15)) {
    const for_ms = (random.next() - 0.5) * 2 * clockSet_ms;
    blows.push({ at_ms: random.next() * length_ms, kind: "clock", for_ms });
  }
  strike("full disk", 0.2, 2, 20_000);
  strike("full sink", 0.15, 1, 20_000);
  if (copies) blows.push({ at_ms: random.next() * length_ms, kind: "copy", for_ms: 0 });
  return {
    until_ms,
    blows,
    crash: some(0.8, 0.0005, 0.02),
    crashInRecovery: some(0.4, 0.005, 0.1),
    favourite: random.pick([null, "sync", "sync", "write", "publish", "answer"]),
    crashes_max: random.between(1, 10),
    powerShare: random.pick([0, 0.3, 1]),
    lostRequest: some(0.3, 0.001, 0.05),
    lostAnswer: some(0.4, 0.001, 0.1),
    delayed: some(0.4, 0.005, 0.1),
    delay_ms: random.pick([200, 2_000, 8_000]),
    heldBack: true,
    diskError: some(0.15, 0.0005, 0.005),
    sourceKeeps: has(0.1) ? random.between(10, 40) : 0,
    sinkKeeps: has(0.15) ? random.between(1, 40) : 0,
    laterServers: has(0.35),
  };
}
