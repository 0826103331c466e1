// The budgets of all connections and what was used of them, kept with the commits. Decides nothing: see uplink.ts.

import { limits } from "../../limits.ts";
import { isMap, listOf, type Plain, wholeOf } from "../plain.ts";
import type { Lane } from "./lanes.ts";
import { holdsBacklog, type UplinkBudget, type UplinkUse, uplinkRetry, uplinkRoom, useAt } from "./uplink.ts";

export interface UplinkStats extends UplinkBudget {
  readonly connection: string;
  readonly used: number;
  /** By the other state folders of the device, as far as they have told. */
  readonly others: number;
  /** Of the budget; 0 where alarms took more. */
  readonly left: number;
  /** Backlog waits until more of the period has passed. */
  readonly holdsBacklog: boolean;
  /** When the next period begins. */
  readonly until: number;
}

/** What a state folder of the device tells the others of a connection: what it has used, and what it may use until it looks again. */
export interface ToldUse extends UplinkUse {
  readonly granted: number;
}

/** What another one has told. */
export interface OtherUse extends ToldUse {
  /** For how long it has told nothing, ms. */
  readonly silent: number;
}

/** How state folders with budgets of the same connections hear of each other. */
export interface UplinkShares {
  tell(uses: ReadonlyMap<string, ToldUse>, now: number): void;
  /** By connection, what each of the others has told. */
  look(now: number): ReadonlyMap<string, readonly OtherUse[]>;
}

const alone: UplinkShares = { tell: () => undefined, look: () => new Map() };

/** What this folder may use of a connection until it looks again, what is left of that, and what the others have or may use. */
interface Grant {
  readonly from: number;
  left: number;
  readonly others: number;
}

/**
 * Each folder is granted its part of what none has used or may use, for as long as until it looks again: so that all of them
 * together keep to the budget, and none waits for another.
 */
export class Uplinks {
  readonly #budgets: ReadonlyMap<string, UplinkBudget>;
  readonly #shares: UplinkShares;
  readonly #uses: Map<string, UplinkUse> = new Map();
  #unwritten = 0;
  readonly #grants = new Map<string, Grant>();
  #looked = Number.NEGATIVE_INFINITY;
  #isUntold = false;
  readonly #asked = new Set<string>();

  constructor(budgets: ReadonlyMap<string, UplinkBudget>, shares: UplinkShares = alone) {
    this.#budgets = budgets;
    this.#shares = shares;
  }

  /** Whether there is a budget for the connection. */
  counts(connection: string): boolean {
    return this.#budgets.has(connection);
  }

  /** Bytes that may be sent now, and when to ask again where there are none. */
  room(connection: string, lane: Lane, now: number): { readonly bytes: number; readonly retry: number } {
    const budget = this.#budgets.get(connection);
    if (budget === undefined) return { bytes: Number.POSITIVE_INFINITY, retry: now };
    const known = this.#uses.get(connection) ?? null;
    const use = useAt(budget, known, now);
    // Of a clock that was set back, the period counts from now on.
    if (known !== null) this.#uses.set(connection, use);
    if (!this.#asked.has(connection)) {
      this.#asked.add(connection);
      this.#looked = Number.NEGATIVE_INFINITY;
    }
    const { others, left } = this.#grant(connection, use, now);
    const all = { from: use.from, used: use.used + others };
    const room = uplinkRoom(lane, budget, all, now);
    if (lane === "alarm" || room <= left) return { bytes: room, retry: uplinkRetry(lane, budget, all, now) };
    return { bytes: left, retry: this.#looked + limits.uplink_look_ms };
  }

  #grant(connection: string, { from }: UplinkUse, now: number): Grant {
    const isOver = Math.abs(now - this.#looked) >= limits.uplink_look_ms;
    if (isOver || this.#grants.get(connection)?.from !== from) this.#look(now);
    return this.#grants.get(connection)!;
  }

  #look(now: number): void {
    const heard = this.#shares.look(now);
    this.#looked = now;
    for (const [connection, budget] of this.#budgets) {
      const { from, used } = useAt(budget, this.#uses.get(connection) ?? null, now);
      const heardOf = heard.get(connection) ?? [];
      const present = heardOf.filter((each) => each.from === from);
      const others = present.reduce((sum, each) => sum + each.used + grantedStill(each), 0);
      // Those that waited for this period as well: else all of it would be whose clock strikes first.
      const active = heardOf.filter((each) => each.from >= from - budget.every).length;
      const left = Math.max(0, Math.floor((budget.bytes - used - others) / (active + 1)));
      this.#grants.set(connection, { from, left, others });
    }
    this.#tell(now);
  }

  #tell(now: number): void {
    const told = new Map<string, ToldUse>();
    // Whoever has nothing to send over a connection needs no part of it.
    for (const connection of this.#asked) {
      const { used } = useAt(this.#budgets.get(connection)!, this.#uses.get(connection) ?? null, now);
      const { from, left } = this.#grants.get(connection)!;
      told.set(connection, { from, used, granted: Math.max(0, left) });
    }
    this.#shares.tell(told, now);
    this.#isUntold = false;
  }

  /** `bytes`: less than 0 where less was sent than was thought. */
  spend(connection: string, bytes: number, now: number): void {
    const budget = this.#budgets.get(connection);
    if (budget === undefined) return;
    const { from, used } = useAt(budget, this.#uses.get(connection) ?? null, now);
    this.#uses.set(connection, { from, used: Math.max(0, used + bytes) });
    this.#unwritten += bytes;
    this.#isUntold = true;
    const grant = this.#grants.get(connection);
    if (grant !== undefined) grant.left -= bytes;
  }

  /** Whether so much was used since it was last written down that a commit is wanted for it. */
  get wantsCommit(): boolean {
    return this.#unwritten >= limits.uplink_unwritten_bytes;
  }

  /** What was used, to be written down; null where nothing was. Others are told of it. */
  written(now: number): Plain {
    this.#unwritten = 0;
    if (this.#isUntold && this.#asked.size > 0) this.#tell(now);
    return this.plain();
  }

  plain(): Plain {
    if (this.#uses.size === 0) return null;
    return Object.fromEntries(
      [...this.#uses].map(([connection, { from, used }]) => [connection, [from, used]]),
    );
  }

  restore(data: Plain): void {
    if (!isMap(data)) return;
    for (const [connection, use] of Object.entries(data)) {
      const [from, used] = listOf(use, 2) as [Plain, Plain];
      this.#uses.set(connection, { from: wholeOf(from), used: wholeOf(used) });
    }
  }

  stats(now: number): readonly UplinkStats[] {
    return [...this.#budgets].map(([connection, budget]) => {
      const use = useAt(budget, this.#uses.get(connection) ?? null, now);
      const others = this.#grants.get(connection)?.others ?? 0;
      const left = Math.max(0, budget.bytes - use.used - others);
      const held = holdsBacklog(budget, { from: use.from, used: use.used + others }, now);
      const until = use.from + budget.every;
      return { connection, ...budget, used: use.used, others, left, holdsBacklog: held, until };
    });
  }
}

/** What it may use beyond what it has told, as long as it has not looked again. */
function grantedStill({ granted, silent }: OtherUse): number {
  return silent < limits.uplink_look_ms ? granted : 0;
}
