// An outbox with everything around it, small enough to be obviously right: a log that keeps frames, receivers that store
// what comes in order, and processes that are killed. Says at each step what must hold.

import { setImmediate } from "node:timers/promises";
import { expect } from "vitest";
import { VirtualClock } from "../../clock.ts";
import type { Plain } from "../plain.ts";
import type { Condenser } from "./condensing.ts";
import type { Entry, KeptRow } from "./entry.ts";
import { LossyDisk } from "./lossy-disk.fixture.ts";
import { Outbox, type OutboxCut, type OutboxOptions } from "./outbox.ts";

/** Those that rows are added to, and those that are sent. */
export const added = ["live", "alarm"] as const;
export const chains: readonly ["live", "alarm", "live.backlog"] = [...added, "live.backlog"];
export type AddedName = (typeof added)[number];
export type ChainName = (typeof chains)[number];

/** What a receiver has of one chain. */
interface Receiver {
  /** By number, as it came. */
  readonly rows: Map<number, KeptRow>;
  last: number;
  /** Numbers that it was told never come. */
  readonly skipped: Set<number>;
  /** By number, when the outbox was told that it is stored. */
  readonly confirmed: Map<number, number>;
}

interface Snapshot {
  readonly manifest: Plain | null;
  /** How many frames it holds. */
  readonly frames: number;
}

export class Model {
  readonly clock: VirtualClock = new VirtualClock(1_000_000);
  readonly disk: LossyDisk = new LossyDisk();
  outbox!: Outbox;
  readonly #options: Omit<OutboxOptions, "clock">;
  readonly #random: () => number;
  /** All that ever became durable. */
  readonly #frames: Plain[] = [];
  readonly committed: Record<AddedName, KeptRow[]> = { live: [], alarm: [] };
  #uncut: [AddedName, KeptRow][] = [];
  #snapshot: Snapshot = { manifest: null, frames: 0 };
  readonly receivers: Record<ChainName, Receiver> = {
    live: receiver(),
    alarm: receiver(),
    "live.backlog": receiver(),
  };
  /** Sent and not stored yet. */
  readonly flying: Record<ChainName, Entry[]> = { live: [], alarm: [], "live.backlog": [] };
  #rows = 0;
  #life = 0;

  constructor(options: Omit<OutboxOptions, "clock">, random: () => number) {
    this.#options = options;
    this.#random = random;
  }

  async open(): Promise<void> {
    const { manifest, frames } = this.#snapshot;
    this.outbox = await Outbox.open(this.disk.process(), manifest, { ...this.#options, clock: this.clock });
    for (const frame of this.#frames.slice(frames)) this.outbox.replay(frame);
    for (const chain of added) expect(this.outbox.chain(chain).last).toBe(this.committed[chain].length);
    for (const chain of chains) await this.attach(chain);
  }

  add(chain: AddedName, count: number): void {
    for (let row = 0; row < count; row++) {
      const filling = ".".repeat(Math.floor(this.#random() * 200));
      const text = JSON.stringify({ at: this.clock.now(), ids: [this.#rows++], filling });
      const kept = {
        subject: `to.${this.#rows % 3}`,
        payload: new TextEncoder().encode(text),
        caused: this.clock.now(),
        rows: 1 + (this.#rows % 2),
        headers: this.#rows % 5 === 0 ? { row: String(this.#rows) } : null,
        // Some rows are of no form, and stay as they are.
        ...(chain === "live" && this.#rows % 4 > 0 ? { form: "model" } : {}),
      };
      const number = this.outbox.add(chain, kept);
      this.#uncut.push([chain, kept]);
      const before = this.#uncut.filter(([name]) => name === chain).length;
      expect(number).toBe(this.committed[chain].length + before);
    }
  }

  /** `dies`: the process is killed before the frame is durable, or right behind. */
  async commit(dies: "before" | "behind" | null = null): Promise<void> {
    if (this.outbox.uncutBytes === 0) return;
    const cut = this.outbox.cut();
    // What the commit decides is not done yet, and others go on.
    for (const chain of chains) if (this.#random() < 0.1) await this.send(chain, 3, 1_000);
    if (dies !== "before") this.#append(cut);
    if (dies === null) this.outbox.release(cut);
    else await this.crash();
  }

  #append(cut: OutboxCut): void {
    this.#frames.push(structuredClone(cut.frame));
    for (const [chain, row] of this.#uncut) this.committed[chain].push(row);
    this.#uncut = [];
  }

  /** Takes what is there and lets it fly. */
  async send(chain: ChainName, rows: number, bytes: number): Promise<number> {
    const entries = await this.outbox.take(chain, rows, bytes);
    expect(entries.length).toBeLessThanOrEqual(rows);
    for (const entry of entries) this.#check(chain, entry);
    this.flying[chain].push(...entries);
    return entries.length;
  }

  /** An entry is what was committed, whatever it is marked with. */
  #check(chain: ChainName, { number, row, skipped = 0 }: Entry): void {
    if (row.headers?.["Weir-Resolution"] !== undefined) return;
    const { "Weir-Lane": lane, "Weir-Skipped": left = "0", ...headers } = row.headers ?? {};
    expect([lane ?? null, Number(left)]).toStrictEqual([
      chain === "live.backlog" ? "backlog" : null,
      skipped,
    ]);
    const original = { ...row, headers: Object.keys(headers).length === 0 ? null : headers };
    // Rows that could not be condensed have other numbers then.
    const isMoved = chain === "live.backlog" || (chain === "live" && this.#options.tiers !== undefined);
    if (isMoved) expect(this.committed.live).toContainEqual(original);
    else expect(original).toStrictEqual(this.committed[chain][number - 1]);
  }

  /** The receiver gets the first `count` of those on their way: it stores only what comes next, as a stream with a chain does. */
  land(chain: ChainName, count: number): void {
    const { rows, skipped } = this.receivers[chain];
    for (const { number, row, skipped: left = 0 } of this.flying[chain].splice(0, count)) {
      const receiver = this.receivers[chain];
      if (number - left - 1 !== receiver.last) continue;
      expect(rows.get(number) ?? row).toStrictEqual(row);
      for (let lost = number - left; lost < number; lost++) {
        expect(rows.has(lost)).toBe(false);
        skipped.add(lost);
      }
      expect(skipped.has(number)).toBe(false);
      rows.set(number, row);
      receiver.last = number;
    }
  }

  confirm(chain: ChainName): void {
    const { last, confirmed } = this.receivers[chain];
    if (last === 0) return;
    this.outbox.confirm(chain, last);
    for (let number = last; number > 0 && !confirmed.has(number); number--)
      confirmed.set(number, this.clock.now());
  }

  /** The receiver forgets its newest rows: none that it confirmed a retention ago. */
  lose(chain: ChainName, count: number): void {
    const receiver = this.receivers[chain];
    const retention = this.#options.retention ?? 0;
    for (let left = count; left > 0 && receiver.last > 0; left--) {
      const at = receiver.confirmed.get(receiver.last);
      if (at !== undefined && this.clock.now() - at >= retention) return;
      receiver.confirmed.delete(receiver.last);
      receiver.last--;
      // Those that never come are nothing that it can have.
      while (receiver.skipped.has(receiver.last)) receiver.last--;
    }
  }

  /** Asks the receiver how far it is and goes on there. What is on its way may still come. */
  async attach(chain: ChainName): Promise<void> {
    const { last } = this.receivers[chain];
    const { oldest } = this.outbox.chain(chain);
    expect(oldest).toBeLessThanOrEqual(last + 1);
    const unconfirmed = await this.outbox.unconfirmed(chain);
    const known = new Set(unconfirmed.map(({ number }) => number));
    // Whatever is on its way and not stored for certain is among them.
    const { confirmed } = this.outbox.chain(chain);
    for (const { number } of this.flying[chain]) if (number > confirmed) expect(known).toContain(number);
    this.outbox.rewind(chain, last + 1);
    this.confirm(chain);
  }

  /** Writes a snapshot; the function that is returned makes it the one in use, where the process still lives. */
  snapshot(): () => Promise<void> {
    const life = this.#life;
    const frames = this.#frames.length;
    const written = this.outbox.manifest();
    // Where the process is killed, nobody waits for it.
    written.catch(() => {});
    return async () => {
      if (life !== this.#life) return;
      const manifest = await written;
      this.#snapshot = { manifest: structuredClone(manifest), frames };
      if (this.#random() < 0.9) await this.outbox.snapshotted();
    };
  }

  async crash(): Promise<void> {
    this.#life++;
    this.disk.crash(this.#random);
    this.#uncut = [];
    await this.open();
  }

  /** Until all that is committed is stored. */
  async drain(): Promise<void> {
    for (const chain of chains) {
      this.flying[chain].length = 0;
      await this.attach(chain);
    }
    // What has to let others go first may be taken a little later.
    for (let idle = 0; idle < 3; idle++) {
      while (this.outbox.uncutBytes > 0) await this.commit();
      for (const chain of chains) {
        const count = await this.send(chain, 100, 10_000);
        this.land(chain, Number.POSITIVE_INFINITY);
        this.confirm(chain);
        if (count > 0) idle = -1;
      }
      this.clock.advanceTo(this.clock.now() + 1_000);
      // Whatever that began is done.
      await setImmediate();
    }
  }
}

/** Condenses rows of the model: what becomes of them knows which they were. */
export const modelCondenser: Condenser = {
  begin: (every) => {
    const groups = new Map<string, KeptRow & { readonly ids: number[] }>();
    return {
      add: (row) => {
        if (row.form !== "model") return false;
        const { at, ids } = JSON.parse(new TextDecoder().decode(row.payload)) as {
          at: number;
          ids: number[];
        };
        const key = `${Math.floor(at / every) * every} ${row.subject}`;
        const group = groups.get(key);
        if (group === undefined) groups.set(key, { ...row, ids: [...ids] });
        else group.ids.push(...ids);
        return true;
      },
      rows: () =>
        [...groups].map(([key, { ids, ...row }]) => {
          const text = JSON.stringify({ at: Number(key.split(" ")[0]), ids, filling: "" });
          return {
            ...row,
            rows: 1,
            payload: new TextEncoder().encode(text),
            headers: { "Weir-Resolution": `${every}ms` },
          };
        }),
    };
  },
};

/** Which of the model's rows a row is, or was made of. */
export function idsOf({ payload }: KeptRow): readonly number[] {
  return (JSON.parse(new TextDecoder().decode(payload)) as { ids: number[] }).ids;
}

function receiver(): Receiver {
  return { rows: new Map(), last: 0, skipped: new Set(), confirmed: new Map() };
}
