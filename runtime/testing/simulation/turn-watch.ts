// Whether rows are handed out in their turn: none of a chain while a more urgent one of its connection has some that nobody had
// to wait for, and none beyond the budget of the connection but alarms. Looks at what is asked of the outbox and what it gives,
// and knows the rules from what is promised, not from how they are kept.

import type { ChainOutbox } from "../../connect/chain/chain-sender.ts";
import type { Clock } from "../../clock.ts";
import { limits } from "../../limits.ts";
import { frameIn } from "../../state/outbox/cut-frame.ts";
import type { Part } from "../../state/outbox/edit.ts";
import type { Entry } from "../../state/outbox/entry.ts";
import type { Lane } from "../../state/outbox/lanes.ts";
import type { OutboxCut } from "../../state/outbox/outbox.ts";
import type { UplinkBudget } from "../../state/outbox/uplink.ts";
import type { RowStore } from "../../worker/durable-task.ts";

interface Watched {
  readonly lane: Lane;
  /** The last number that was taken, and that may be. */
  taken: number;
  released: number;
  /** When something was taken last, or came. */
  since: number;
  /** Somebody is being given rows. */
  isTaking: boolean;
  /** Numbers that were dropped or went to another chain. */
  readonly gone: Part[];
}

const order: readonly Lane[] = ["alarm", "live", "backlog"];
/** What a row takes beside its own bytes. */
const rowBytes = limits.uplink_row_bytes;

export interface TurnWatchOptions {
  readonly clock: Clock;
  readonly outbox: ChainOutbox;
  readonly lanes: ReadonlyMap<string, Lane>;
  readonly uplink: UplinkBudget | null;
  /** By chain, what lives before this one dropped or gave to another chain; this one adds to it. */
  readonly gone: Map<string, Part[]>;
  readonly wrong: (what: string) => void;
}

export class TurnWatch {
  readonly #options: TurnWatchOptions;
  readonly #chains: Map<string, Watched>;
  /** Rows may be on their way to another chain: nobody can say which may be taken. */
  #isCut = false;
  #period = 0;
  #used = 0;

  constructor(options: TurnWatchOptions) {
    this.#options = options;
    const { lanes, outbox, gone } = options;
    for (const chain of lanes.keys()) if (!gone.has(chain)) gone.set(chain, []);
    this.#chains = new Map(
      [...lanes].map(([chain, lane]): [string, Watched] => {
        const { released, confirmed } = outbox.chain(chain);
        const since = Number.NEGATIVE_INFINITY;
        return [
          chain,
          { lane, taken: confirmed, released, since, isTaking: false, gone: gone.get(chain) ?? [] },
        ];
      }),
    );
  }

  store(store: RowStore<OutboxCut>): RowStore<OutboxCut> {
    return {
      get uncutBytes() {
        return store.uncutBytes;
      },
      cut: (isLast) => {
        this.#isCut = true;
        const cut = store.cut(isLast);
        // A commit may stand although nobody lived to see it, and then what is in it has happened.
        this.#noteGone(cut);
        return cut;
      },
      release: (cut) => {
        this.#isCut = false;
        this.#noteReleased(() => store.release(cut));
      },
      manifest: () => store.manifest(),
      snapshotted: () => store.snapshotted(),
      makeRoom: (early) => store.makeRoom(early),
      close: () => store.close(),
    };
  }

  outbox(outbox: ChainOutbox): ChainOutbox {
    return {
      take: (chain, rows, bytes) => this.#take(outbox, chain, rows, bytes),
      rewind: (chain, number) => {
        outbox.rewind(chain, number);
        const watched = this.#chains.get(chain);
        if (watched !== undefined) watched.taken = number - 1;
      },
      confirm: (chain, number) => {
        outbox.confirm(chain, number);
        const watched = this.#chains.get(chain);
        if (watched !== undefined) watched.taken = Math.max(watched.taken, number);
      },
      unconfirmed: (chain) => outbox.unconfirmed(chain),
      chain: (name) => outbox.chain(name),
      waiting: (chain, task) => outbox.waiting(chain, task),
    };
  }

  async #take(outbox: ChainOutbox, chain: string, rows: number, bytes: number): Promise<readonly Entry[]> {
    const watched = this.#chains.get(chain);
    if (watched === undefined) return outbox.take(chain, rows, bytes);
    const fault = this.#turnFault(chain, watched) ?? this.#budgetFault(watched);
    const { taken: before } = watched;
    watched.isTaking = true;
    const entries = await outbox.take(chain, rows, bytes);
    watched.isTaking = false;
    const last = entries.at(-1);
    if (last === undefined) return entries;
    if (fault !== null)
      this.#options.wrong(`chain ${chain} was handed entry ${entries[0]?.number}: ${fault}`);
    watched.since = this.#options.clock.now();
    if (watched.taken === before) watched.taken = last.number;
    this.#spend(entries);
    return entries;
  }

  /** Why the chain has to let others go first. */
  #turnFault(chain: string, { lane }: Watched): string | null {
    if (this.#isCut) return null;
    const now = this.#options.clock.now();
    for (const [name, other] of this.#chains) {
      const isBefore = order.indexOf(other.lane) < order.indexOf(lane);
      const isLively = now - other.since < limits.outbox_turn_ms && now >= other.since;
      if (name !== chain && isBefore && isLively && !other.isTaking && waits(other))
        return `${name} is ${other.lane} and waits from ${other.taken + 1} to ${other.released}`;
    }
    return null;
  }

  #budgetFault({ lane }: Watched): string | null {
    const { uplink, clock } = this.#options;
    if (uplink === null || lane === "alarm") return null;
    const now = clock.now();
    this.#look(uplink, now);
    const passed = lane === "live" ? 1 : Math.min(1, Math.max(0, now - this.#period) / uplink.every);
    const budget = uplink.bytes * passed;
    return this.#used < budget ? null : `${this.#used} bytes of ${budget} are used`;
  }

  #spend(entries: readonly Entry[]): void {
    const { uplink, clock } = this.#options;
    if (uplink === null) return;
    this.#look(uplink, clock.now());
    for (const { row } of entries) this.#used += rowBytes + row.subject.length + row.payload.length;
  }

  /** The period that is now begins with nothing used, though nothing may be sent in it. */
  #look({ every }: UplinkBudget, now: number): void {
    const period = Math.floor(now / every) * every;
    if (period > this.#period) this.#used = 0;
    // A clock that was set back far shows a period of its own, with what was used.
    if (period > this.#period || this.#period - period > every) this.#period = period;
  }

  #noteGone({ frame }: OutboxCut): void {
    if (frame === null) return;
    for (const { kind, chain, first, last } of frameIn(frame).edits)
      if (kind !== "condense") this.#chains.get(chain)?.gone.push({ chain, first, last });
  }

  /** What comes is waited for from now on. */
  #noteReleased(release: () => void): void {
    const { outbox, clock } = this.#options;
    // Whoever is called by it asks at once.
    for (const [chain, watched] of this.#chains) watched.released = outbox.chain(chain).released;
    release();
    for (const [chain, watched] of this.#chains) {
      const { released } = outbox.chain(chain);
      if (released > watched.released) watched.since = clock.now();
      watched.released = released;
    }
  }
}

function waits({ taken, released, gone }: Watched): boolean {
  for (let number = taken + 1; number <= released; number++)
    if (!gone.some(({ first, last }) => number >= first && number <= last)) return true;
  return false;
}
