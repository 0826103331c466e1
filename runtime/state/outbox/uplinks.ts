// The budgets of all connections and what was used of them, kept with the commits. Decides nothing: see uplink.ts.

import { limits } from "../../limits.ts";
import { isMap, listOf, type Plain, wholeOf } from "../plain.ts";
import type { Lane } from "./lanes.ts";
import { type UplinkBudget, type UplinkUse, uplinkRetry, uplinkRoom, useAt } from "./uplink.ts";

export interface UplinkStats extends UplinkBudget {
  readonly connection: string;
  readonly used: number;
  /** Of the budget; 0 where alarms took more. */
  readonly left: number;
  /** When the next period begins. */
  readonly until: number;
}

export class Uplinks {
  readonly #budgets: ReadonlyMap<string, UplinkBudget>;
  readonly #uses: Map<string, UplinkUse> = new Map();
  #unwritten = 0;

  constructor(budgets: ReadonlyMap<string, UplinkBudget>) {
    this.#budgets = budgets;
  }

  /** Bytes that may be sent now, and when to ask again where there are none. */
  room(connection: string, lane: Lane, now: number): { readonly bytes: number; readonly retry: number } {
    const budget = this.#budgets.get(connection);
    if (budget === undefined) return { bytes: Number.POSITIVE_INFINITY, retry: now };
    const known = this.#uses.get(connection) ?? null;
    const use = useAt(budget, known, now);
    // Of a clock that was set back, the period counts from now on.
    if (known !== null) this.#uses.set(connection, use);
    return { bytes: uplinkRoom(lane, budget, use, now), retry: uplinkRetry(lane, budget, use, now) };
  }

  spend(connection: string, bytes: number, now: number): void {
    const budget = this.#budgets.get(connection);
    if (budget === undefined) return;
    const { from, used } = useAt(budget, this.#uses.get(connection) ?? null, now);
    this.#uses.set(connection, { from, used: used + bytes });
    this.#unwritten += bytes;
  }

  /** Whether so much was used since it was last written down that a commit is wanted for it. */
  get wantsCommit(): boolean {
    return this.#unwritten >= limits.uplink_unwritten_bytes;
  }

  /** What was used, to be written down; null where nothing was. */
  written(): Plain {
    this.#unwritten = 0;
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
      const { from, used } = useAt(budget, this.#uses.get(connection) ?? null, now);
      const left = Math.max(0, budget.bytes - used);
      return { connection, ...budget, used, left, until: from + budget.every };
    });
  }
}
