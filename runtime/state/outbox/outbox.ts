// What waits to be sent, and what was sent not long ago: chains of numbered entries that outlive the process. Entries live
// in commits first, in memory meanwhile, and on the disk where memory or the log has no room. Never sends anything, and
// never writes a commit: whoever owns it does both.
//
// An entry goes through `add`, `cut` (its bytes are in a commit's frame), `release` (that commit is durable), `take`,
// `confirm`; then it is kept for a while, so that a receiver that lost its tail can be healed. Which entries are certainly
// unsent is known after a restart too: a commit says how far may be handed out before the next one. Only those are ever
// dropped, moved or condensed, by edits that are part of a commit.

import type { Clock } from "../../clock.ts";
import { WeirError } from "../../errors.ts";
import { limits } from "../../limits.ts";
import type { Disk } from "../log/disk.ts";
import type { Plain } from "../plain.ts";
import { Ahead } from "./ahead.ts";
import { type ChainCut, changedBy, frameIn, packedFrame, type Released } from "./cut-frame.ts";
import { diskAsked } from "./disk-asked.ts";
import type { Edit } from "./edit.ts";
import type { Entry, KeptRow } from "./entry.ts";
import { entryIn } from "./entry-in.ts";
import type { OutboxLimits } from "./keep-within.ts";
import { liveOf } from "./lanes.ts";
import { manifestOf, neededFiles, packedManifest } from "./manifest.ts";
import { OutboxChain } from "./outbox-chain.ts";
import { OutboxFiles } from "./outbox-files.ts";
import { defaultOutboxLimits, type OutboxOptions } from "./outbox-options.ts";
import { OutboxStore } from "./outbox-store.ts";
import { type ChainRows, chainRows, outboxStats, type OutboxStats, waitingBytes } from "./outbox-stats.ts";
import { endOf, placeOf, rowsIn } from "./piece.ts";
import { PieceReader } from "./piece-reader.ts";
import { entriesFrom, faultsOf, type Lost, type OutboxFault } from "./reading.ts";
import { chainsByPassing, chainsByWall, frameByPassing, frameByWall } from "./times.ts";
import { Turns } from "./turns.ts";
import { Uplinks } from "./uplinks.ts";
import { Upkeep } from "./upkeep.ts";

export type { OutboxOptions } from "./outbox-options.ts";

/** What a commit is to hold; handed back to `release` once that is durable. */
export interface OutboxCut {
  readonly frame: Plain;
}

/** How far a chain is. */
export interface ChainNumbers {
  readonly last: number;
  readonly released: number;
  readonly confirmed: number;
  /** The last of these that was not left out. */
  readonly reached: number;
  readonly oldest: number;
}

interface Chain {
  readonly entries: OutboxChain;
  readonly reader: PieceReader;
  readonly tasks: (() => void)[];
}

export class Outbox {
  readonly #disk: Disk;
  readonly #clock: Clock;
  readonly #limits: OutboxLimits;
  readonly #retention: number;
  readonly #upkeep: Upkeep;
  readonly uplinks: Uplinks;
  readonly turns: Turns;
  readonly #ahead: Ahead;
  readonly #store: OutboxStore;
  readonly #chains: Map<string, Chain> = new Map();
  #outstanding: { readonly cut: OutboxCut; readonly frame: Released } | null = null;
  #waiting: (() => void)[] = [];

  private constructor(disk: Disk, files: OutboxFiles, named: ReadonlySet<number>, options: OutboxOptions) {
    this.#disk = disk;
    this.#clock = options.clock;
    this.#limits = options.limits ?? defaultOutboxLimits;
    this.#store = new OutboxStore(
      files,
      this.#clock,
      named,
      options.memoryBytes ?? limits.outbox_memory_bytes_max,
      () => this.#all(),
      () => this.#tell(),
    );
    this.uplinks = new Uplinks(options.uplinks ?? new Map(), options.shares);
    const laneOf = options.laneOf ?? (() => ({ connection: "", lane: "live" }));
    this.turns = new Turns(this.#clock, laneOf, this.uplinks, (chain) => this.#call(chain));
    this.#retention = options.retention ?? limits.outbox_retention_ms_default;
    this.#upkeep = new Upkeep({
      clock: this.#clock,
      limits: this.#limits,
      backlogAfter: options.backlogAfter ?? null,
      tiers: options.tiers ?? [],
      condenser: options.condenser ?? null,
      chains: () => this.#all(),
      waitingBytes: () => waitingBytes(this.#all()),
      turns: this.turns,
      store: this.#store,
    });
    this.#ahead = new Ahead(this.#limits.bytes, disk, this.#clock);
  }

  /** `manifest`: what `manifest()` gave for the snapshot in use, or null. */
  static async open(disk: Disk, manifest: Plain | null, options: OutboxOptions): Promise<Outbox> {
    return diskAsked(disk, "open the outbox", () => Outbox.#open(disk, manifest, options));
  }

  static async #open(disk: Disk, manifest: Plain | null, options: OutboxOptions): Promise<Outbox> {
    const kept = manifest === null ? { chains: [], uplinks: null } : manifestOf(manifest);
    const needed = neededFiles(kept.chains.flatMap(({ pieces }) => pieces));
    const files = await OutboxFiles.open(disk, options.clock, needed, options);
    const outbox = new Outbox(disk, files, new Set(needed.keys()), options);
    outbox.uplinks.restore(kept.uplinks);
    for (const { name, heads, pieces } of chainsByPassing(kept.chains, options.clock))
      outbox.#chain(name).entries.restore(heads, pieces, options.clock.elapsed());
    return outbox;
  }

  /** Entries of a frame behind the snapshot, in order, before anything else is asked of the outbox. */
  replay(frame: Plain): void {
    if (frame === null) return;
    const { at, chains, edits, uplinks } = frameByPassing(frameIn(frame), this.#clock);
    for (const { chain, first, count, rows, block } of chains) {
      if (block === null) continue;
      const numbers = { first, count, rows, bytes: block.length };
      const piece = { ...numbers, at, until: at, tier: 0, gap: 0, block, place: null };
      this.#chain(chain).entries.append(piece);
    }
    this.#apply({ chains, edits });
    this.uplinks.restore(uplinks);
    for (const { chain, allowed, confirmed } of chains)
      this.#chain(chain).entries.recover(allowed, confirmed, this.#clock.elapsed());
    this.#store.relieve();
  }

  add(chain: string, row: KeptRow): number {
    if (liveOf(chain) !== null)
      throw new WeirError("WEIR_INTERNAL", `${chain} takes only what waited too long elsewhere`);
    return this.#chain(chain).entries.add(row);
  }

  /** Added since the last cut; above 0 too where only a decision waits for a commit. */
  get uncutBytes(): number {
    let bytes = 0;
    let wants = this.uplinks.wantsCommit;
    for (const entries of this.#all()) {
      bytes += entries.uncutBytes;
      wants ||= entries.wantsAllowance;
    }
    return bytes === 0 && (wants || this.#upkeep.edits(this.#clock.elapsed()).length > 0) ? 1 : bytes;
  }

  /** All added since, and what becomes of entries that wait; the last, what was confirmed too. The next only after `release`. */
  cut(isLast = false): OutboxCut {
    if (this.#outstanding !== null)
      throw new WeirError("WEIR_INTERNAL", "the outbox was cut while its last cut was not released");
    const now = this.#clock.elapsed();
    this.#ahead.look();
    this.#trim();
    const edits = this.#upkeep.edits(now);
    const chains: ChainCut[] = [];
    for (const [chain, { entries }] of this.#chains) {
      const next = entries.last - entries.uncutCount + 1;
      const piece = entries.cut(now);
      if (piece === null && !entries.wantsAllowance && !(isLast && entries.isConfirmedSince)) continue;
      const { first, count, rows, block } = piece ?? { first: next, count: 0, rows: 0, block: null };
      const { confirmed } = entries;
      chains.push({ chain, first, count, rows, block, allowed: entries.allowance(), confirmed });
    }
    for (const { kind, chain, first, last } of edits)
      if (kind !== "condense") this.#chain(chain).entries.freeze(first, last);
    const isEmpty = chains.length === 0 && edits.length === 0 && !this.uplinks.wantsCommit;
    const uplinks = this.uplinks.written(now);
    const frame = isEmpty ? null : packedFrame(frameByWall({ at: now, chains, edits, uplinks }, this.#clock));
    const cut = { frame };
    this.#outstanding = { cut, frame: { chains, edits } };
    return cut;
  }

  /** Its commit is durable. */
  release(cut: OutboxCut): void {
    if (this.#outstanding?.cut !== cut)
      throw new WeirError("WEIR_INTERNAL", "a cut of the outbox was released that is not the last one");
    const { frame } = this.#outstanding;
    this.#outstanding = null;
    for (const { chain, first } of frame.edits) this.#chain(chain).entries.thaw(first);
    this.#apply(frame);
    this.#upkeep.committed(frame.edits);
    this.#store.relieve();
    this.#tell();
    for (const chain of changedBy(frame)) {
      this.turns.filled(chain);
      this.#call(chain);
    }
  }

  /**
   * The next released entries that were not taken since `rewind`, in order; `rows` of them at most, and no more once they
   * have `bytes`. Resolves with [] when there are none now, or where `rewind` came meanwhile.
   */
  take(chain: string, rows: number, bytes: number): Promise<readonly Entry[]> {
    return diskAsked(this.#disk, "read rows that wait", () => this.#take(chain, rows, bytes));
  }

  async #take(chain: string, rows: number, bytes: number): Promise<readonly Entry[]> {
    const { entries, reader } = this.#chain(chain);
    const { rewound } = entries;
    const lane = this.turns.laneOf(chain);
    const found: Entry[] = [];
    let [size, onWire] = [0, 0];
    const room = this.turns.room(chain, { rows, bytes });
    const isEnough = (): boolean => found.length >= rows || size >= bytes || onWire >= room;
    while (!isEnough()) {
      const piece = entries.reserve(rows - found.length);
      // Those that are there already do not wait for the disk.
      if (piece === null || (found.length > 0 && !reader.has(piece))) break;
      const kept = await reader.read(piece);
      if (entries.rewound !== rewound) return [];
      const end = Math.min(endOf(piece), entries.sent);
      while (entries.next <= end && !isEnough()) {
        const entry = entryIn(piece, entries.next, kept, lane);
        found.push(entry);
        size += entry.row.payload.length;
        onWire += this.turns.wireBytes(chain, entry.row);
        entries.took(entry.number);
      }
    }
    this.turns.took(chain, found);
    reader.prepare(entries.pieces[placeOf(entries.pieces, entries.next) + 1]);
    return found;
  }

  /** Take again from `number` on (after a target had to attach again). */
  rewind(chain: string, number: number): void {
    this.#chain(chain).entries.rewind(number);
    this.turns.rewound(chain);
  }

  /** All up to `number` are stored. */
  confirm(chain: string, number: number): void {
    this.#chain(chain).entries.confirm(number, this.#clock.elapsed());
    this.turns.confirmed(chain, number);
    this.#tell();
  }

  /** Released, not confirmed, and no more of them than may have been sent. */
  unconfirmed(chain: string): Promise<readonly Entry[]> {
    return diskAsked(this.#disk, "read rows that were sent", () => this.#unconfirmed(chain));
  }

  async #unconfirmed(chain: string): Promise<readonly Entry[]> {
    const { confirmed, sent } = this.#chain(chain).entries;
    const found: Entry[] = [];
    for await (const entry of this.read(chain, confirmed + 1)) {
      if (entry.number > sent) break;
      found.push(entry);
    }
    return found;
  }

  /** Released entries from `number` on, as `take` would give them, without taking them. */
  read(chain: string, number: number, lost?: Lost): AsyncGenerator<Entry, void, undefined> {
    const lane = this.turns.laneOf(chain);
    return entriesFrom(this.#chain(chain).entries, number, this.#store.files, lane, lost);
  }

  /** Entries that cannot be read. */
  faults(): Promise<readonly OutboxFault[]> {
    return faultsOf(this.#all(), this.#store.files);
  }

  /** The last number given, released, confirmed and not left out, and the oldest that is still kept. */
  chain(name: string): ChainNumbers {
    const { last, released, confirmed, reached, oldest } = this.#chain(name).entries;
    return { last, released, confirmed, reached, oldest };
  }

  /** Rows of the chain that are not confirmed, and those that will never be sent, by reason, since it began. */
  account(chain: string): ChainRows {
    return chainRows(this.#chain(chain).entries);
  }

  /** Calls `task` whenever there may be something to take. */
  waiting(chain: string, task: () => void): void {
    this.#chain(chain).tasks.push(task);
  }

  /**
   * For a snapshot of all that was released so far, as it is at this call: writes to the disk what is needed and lives only
   * in memory and the log. To be called between a `release` and the next `cut` that the snapshot is not to hold.
   */
  async manifest(): Promise<Plain> {
    this.#trim();
    const chains = this.#all().map((entries) => entries.kept());
    const uplinks = this.uplinks.plain();
    await diskAsked(this.#disk, "write rows that wait", () => this.#store.keep(chains));
    return packedManifest({ chains: chainsByWall(chains, this.#clock), uplinks });
  }

  /** The snapshot with the last manifest is durable: files that are not needed any more are removed. */
  snapshotted(): Promise<void> {
    return diskAsked(this.#disk, "remove files of the outbox", () => this.#store.kept());
  }

  /**
   * Where the disk is full: lets go of what has been kept long enough, and of files that nobody needs any more. `early`: of some that
   * is only kept for healing as well, as where a limit is met: what waits would never be sent otherwise.
   */
  makeRoom(early: boolean): Promise<void> {
    this.#trim();
    let wanted = early ? limits.outbox_file_bytes_max : 0;
    for (const entries of this.#all()) if (wanted > 0) wanted -= entries.trimEarly(wanted);
    return diskAsked(this.#disk, "remove files of the outbox", () => this.#store.letGo());
  }

  stats(): OutboxStats {
    const fault = this.#store.fault ?? this.#upkeep.fault;
    const uplinks = this.uplinks.stats(this.#clock.now());
    return outboxStats(this.#all(), this.#store.files.bytes, this.#clock.elapsed(), fault, uplinks);
  }

  /** Resolves when there is room for more. */
  ready(): Promise<void> {
    if (!this.isFull()) return Promise.resolve();
    this.#store.relieve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push(resolve);
    return promise;
  }

  async close(): Promise<void> {
    this.turns.close();
    this.#upkeep.close();
    await diskAsked(this.#disk, "close the outbox", () => this.#store.close());
  }

  #all(): readonly OutboxChain[] {
    return [...this.#chains.values()].map(({ entries }) => entries);
  }

  #chain(name: string): Chain {
    let chain = this.#chains.get(name);
    if (chain === undefined) {
      const entries = new OutboxChain(name, this.#ahead);
      chain = { entries, reader: new PieceReader(this.#store.files), tasks: [] };
      this.#chains.set(name, chain);
      this.turns.add(name, entries);
    }
    return chain;
  }

  #call(name: string): void {
    const { tasks } = this.#chain(name);
    for (const task of tasks) task();
  }

  #apply({ chains, edits }: Released): void {
    for (const { chain, first, count, allowed, confirmed } of chains) {
      const { entries } = this.#chain(chain);
      entries.release(first + count - 1);
      entries.wrote(allowed, confirmed);
    }
    for (const edit of edits) this.#edit(edit);
  }

  #edit(edit: Edit): void {
    const { entries } = this.#chain(edit.chain);
    const others = edit.kind === "condense" ? edit.pieces : [];
    const old = entries.replace(edit.first, edit.last, others);
    if (edit.kind === "drop") entries.drop(rowsIn(old), edit.reason);
    if (edit.kind === "condense") entries.drop(rowsIn(old) - rowsIn(others), "condensed");
    if (edit.kind === "move") this.#chain(edit.to).entries.adopt(old);
  }

  /** How long something has been confirmed is told by a clock that nobody sets. */
  #trim(): void {
    const elapsed = this.#clock.elapsed();
    for (const entries of this.#all()) entries.trim(elapsed, this.#retention);
    // What is kept for healing makes room for what waits.
    let surplus = this.stats().bytes - this.#limits.bytes;
    for (const entries of this.#all()) if (surplus > 0) surplus -= entries.trimEarly(surplus);
  }

  isFull(): boolean {
    // Those that drop do so at a commit: until then there is a little more.
    const most = this.#limits.whenFull === "drop_oldest" ? this.#limits.bytes * 1.5 : this.#limits.bytes;
    return waitingBytes(this.#all()) >= most || this.#store.isFull;
  }

  /** Lets those go on that wait for room. */
  #tell(): void {
    if (this.#waiting.length === 0 || this.isFull()) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
