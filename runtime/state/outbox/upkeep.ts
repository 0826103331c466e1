// What becomes of rows that wait long or take too much: asks the decisions (keep-within.ts, lanes.ts, tiers.ts) what is due,
// and has rows condensed. Only what was certainly never sent is touched.

import type { Clock } from "../../clock.ts";
import { limits } from "../../limits.ts";
import { type Condenser, Condensing } from "./condensing.ts";
import type { Edit } from "./edit.ts";
import { dropsFor, type OutboxLimits, withoutParts } from "./keep-within.ts";
import { dropRank, movesFor } from "./lanes.ts";
import type { OutboxChain } from "./outbox-chain.ts";
import type { OutboxStore } from "./outbox-store.ts";
import { dueTier, isPastTiers, type Tier } from "./tiers.ts";
import type { Turns } from "./turns.ts";

export interface UpkeepOptions {
  readonly clock: Clock;
  readonly limits: OutboxLimits;
  readonly backlogAfter: number | null;
  readonly tiers: readonly Tier[];
  readonly condenser: Condenser | null;
  readonly chains: () => readonly OutboxChain[];
  /** Bytes of all that waits. */
  readonly waitingBytes: () => number;
  readonly turns: Turns;
  readonly store: OutboxStore;
}

export class Upkeep {
  readonly #options: UpkeepOptions;
  readonly #condensing: Condensing | null;
  readonly #stop: () => void;

  constructor(options: UpkeepOptions) {
    this.#options = options;
    const { tiers, condenser, clock, store } = options;
    const isWanted = tiers.length > 0 && condenser !== null;
    this.#condensing = isWanted ? new Condensing(condenser, store) : null;
    this.#stop = isWanted ? clock.every(limits.outbox_condense_check_ms, () => this.condense()) : () => {};
  }

  /** Why rows were not condensed lately; null when all is well. */
  get fault(): string | null {
    return this.#condensing?.fault ?? null;
  }

  /** What a commit is to hold now. */
  edits(now: number): readonly Edit[] {
    const { limits: within, backlogAfter, tiers, turns } = this.#options;
    const condensed = this.#condensing?.edits ?? [];
    if (
      within.age === null &&
      within.whenFull !== "drop_oldest" &&
      backlogAfter === null &&
      tiers.length === 0
    )
      return condensed;
    const chains = this.#options.chains().map((entries) => {
      const lane = turns.laneOf(entries.name);
      const ordered = turns.isOrdered(entries.name);
      return { chain: entries.name, lane, ordered, rank: dropRank(lane), pieces: entries.untouched() };
    });
    const isPast = (piece: Parameters<typeof isPastTiers>[1]): boolean => isPastTiers(tiers, piece, now);
    const drops = dropsFor(within, chains, this.#options.waitingBytes(), now, isPast);
    const left = chains.map((each) => ({ ...each, pieces: withoutParts(each.chain, each.pieces, drops) }));
    return [...condensed, ...drops, ...movesFor(left, backlogAfter, now)];
  }

  /** The edits that a commit took are durable. */
  committed(edits: readonly Edit[]): void {
    if (!edits.some(({ kind }) => kind === "condense")) return;
    this.#condensing?.committed();
    // What is due is rarely due alone.
    this.condense();
  }

  /** Has rows condensed, where some are due. */
  condense(): void {
    const { tiers, turns, clock } = this.#options;
    if (this.#condensing === null || this.#condensing.isBusy) return;
    const all = this.#options.chains().filter(({ name }) => turns.laneOf(name) !== "alarm");
    const chains = all.map((entries) => ({ chain: entries.name, pieces: entries.untouched() }));
    const due = dueTier(tiers, chains, clock.elapsed(), this.#isNearlyFull);
    const chain = all.find(({ name }) => name === due?.chain);
    if (due !== null && chain !== undefined) this.#condensing.begin(chain, due);
  }

  close(): void {
    this.#stop();
  }

  /** Rows are condensed before there is no room at all. */
  get #isNearlyFull(): boolean {
    const { limits: within } = this.#options;
    return (
      within.whenFull === "condense" &&
      this.#options.waitingBytes() >= within.bytes * limits.outbox_condense_part
    );
  }
}
