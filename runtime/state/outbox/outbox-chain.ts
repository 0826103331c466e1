// One chain of the outbox: which numbers were given, made durable, handed out and confirmed, and the pieces that hold
// their entries. Bookkeeping only: never reads a disk or a clock.

import { WeirError } from "../../errors.ts";
import { limits } from "../../limits.ts";
import { type Ahead, AheadWindow } from "./ahead.ts";
import { BlockWriter } from "./block.ts";
import type { KeptRow } from "./entry.ts";
import { endOf, joined, type Piece, placeOf, sizeOf } from "./piece.ts";

/** What a snapshot holds of a chain. */
export interface KeptChain {
  readonly name: string;
  readonly heads: Heads;
  readonly pieces: readonly Piece[];
}

/** What a chain knows beside its pieces. */
export interface Heads {
  /** The last number of a commit that is durable. */
  readonly released: number;
  readonly confirmed: number;
  /** Nothing behind it was handed out before the next commit. */
  readonly allowed: number;
  /** Numbers at the end that were dropped. */
  readonly tailGap: number;
  /** Rows that were dropped, by reason, since the chain began. */
  readonly dropped: Readonly<Record<string, number>>;
}

/** A part that is about to go or to be replaced: not handed out, and its pieces stay as they are. */
interface Frozen {
  readonly first: number;
  readonly last: number;
}

export class OutboxChain {
  readonly name: string;
  readonly #ahead: AheadWindow;
  readonly #writer: BlockWriter = new BlockWriter();
  #pieces: Piece[] = [];
  /** The last number given, and the last of a cut. */
  #last = 0;
  #cut = 0;
  #released = 0;
  #confirmed = 0;
  /** What the last commit says of that. */
  #writtenConfirmed = 0;
  #next = 1;
  #sent = 0;
  #allowed = 0;
  /** Where more than half of what was allowed is sent. */
  #renewAt = Number.POSITIVE_INFINITY;
  #tailGap = 0;
  #frozen: Frozen[] = [];
  /** Numbers with the time by which they were confirmed, and from when on confirmations are one with them. */
  #confirmations: { readonly number: number; readonly since: number; readonly at: number }[] = [];
  #dropped: Record<string, number> = {};
  /** When the other side was last heard of. */
  #heard = Number.NEGATIVE_INFINITY;
  /** Counts how often the place to take from was set. */
  #rewound = 0;

  constructor(name: string, ahead: Ahead) {
    this.name = name;
    this.#ahead = new AheadWindow(ahead);
  }

  /** As a manifest has it. All that was allowed may have been sent. */
  restore(heads: Heads, pieces: readonly Piece[], elapsed: number): void {
    this.#pieces = [...pieces];
    this.#last = heads.released;
    this.#cut = heads.released;
    this.#released = heads.released;
    this.#tailGap = heads.tailGap;
    this.#dropped = { ...heads.dropped };
    this.wrote(heads.allowed, heads.confirmed);
    this.#sent = heads.allowed;
    this.#ahead.restarted(this.#sent);
    this.#confirmed = heads.confirmed;
    this.#next = heads.confirmed + 1;
    this.#confirmations = [{ number: heads.confirmed, since: elapsed, at: elapsed }];
  }

  get pieces(): readonly Piece[] {
    return this.#pieces;
  }

  get last(): number {
    return this.#last;
  }

  get released(): number {
    return this.#released;
  }

  get confirmed(): number {
    return this.#confirmed;
  }

  /** The last that can be on the other side of what is confirmed: what was left out right before that is confirmed as well. */
  get reached(): number {
    const next = this.#pieces[placeOf(this.#pieces, this.#confirmed + 1)];
    const [end, gap] = next === undefined ? [this.#cut, this.#tailGap] : [next.first - 1, next.gap];
    return this.#confirmed > end ? this.#confirmed : Math.min(this.#confirmed, end - gap);
  }

  /** Nothing behind it can have been handed out. */
  get sent(): number {
    return this.#sent;
  }

  get next(): number {
    return this.#next;
  }

  get rewound(): number {
    return this.#rewound;
  }

  get uncutBytes(): number {
    return this.#writer.length;
  }

  /** Numbers before it are no longer kept. Dropped ones in front of a piece are kept: nobody waits for them. */
  get oldest(): number {
    const piece = this.#pieces[0];
    return piece === undefined ? this.#cut + 1 - this.#tailGap : piece.first - piece.gap;
  }

  get heads(): Heads {
    return {
      released: this.#released,
      confirmed: this.#confirmed,
      allowed: this.#allowed,
      tailGap: this.#tailGap,
      dropped: { ...this.#dropped },
    };
  }

  get uncutCount(): number {
    return this.#writer.count;
  }

  get uncutRows(): number {
    return this.#writer.rows;
  }

  /** What a snapshot holds of it: what is released, as it is now. */
  kept(): KeptChain {
    const pieces = this.#pieces.slice(0, placeOf(this.#pieces, this.#released + 1));
    const next = this.#pieces[pieces.length];
    return { name: this.name, heads: { ...this.heads, tailGap: next?.gap ?? this.#tailGap }, pieces };
  }

  add(row: KeptRow): number {
    this.#writer.add(row);
    return ++this.#last;
  }

  /** The piece of all that was added since the last cut; null when there is nothing. */
  cut(now: number): Piece | null {
    const { count, rows } = this.#writer;
    if (count === 0) return null;
    const block = this.#writer.take();
    const piece = { first: this.#cut + 1, count, rows, bytes: block.length, at: now, until: now, tier: 0 };
    return this.append({ ...piece, gap: 0, block, place: null });
  }

  /** Puts a piece behind all others. */
  append(piece: Piece): Piece {
    if (piece.first !== this.#cut + 1)
      throw new WeirError(
        "WEIR_STATE",
        `chain ${this.name}: expected number ${this.#cut + 1} next, found ${piece.first}`,
        {
          remedy: "the log and the outbox are not of one state: restore both from one copy",
        },
      );
    const placed = { ...piece, gap: piece.gap + this.#tailGap };
    this.#tailGap = 0;
    this.#pieces.push(placed);
    this.#cut = endOf(placed);
    this.#last = Math.max(this.#last, this.#cut);
    return placed;
  }

  /** How far may be handed out until the commit after the one that says so. For each commit once. */
  allowance(): number {
    this.#ahead.renew(this.#sent, this.#allowed, this.#released);
    return this.#reach();
  }

  #reach(): number {
    const from = placeOf(this.#pieces, this.#sent + 1);
    const end = this.#ahead.reach(this.#sent, this.#pieces, from, (piece) => this.isFrozen(piece));
    return end ?? Math.max(this.#sent, this.#cut);
  }

  /** A commit that allows so much, and says that so much is confirmed, is durable. */
  wrote(allowed: number, confirmed: number): void {
    this.#writtenConfirmed = confirmed;
    this.#allowed = Math.max(this.#allowed, allowed);
    this.#renewAt = this.#sent + Math.ceil((this.#allowed - this.#sent) / 2);
  }

  /** Whether a commit is wanted for nothing but to allow more. */
  get wantsAllowance(): boolean {
    if (this.#allowed >= this.#released) return false;
    const piece = this.#pieces[placeOf(this.#pieces, this.#sent + 1)];
    if (piece === undefined) return false;
    if (this.#sent >= this.#renewAt || piece.first > this.#allowed) return true;
    return this.#ahead.isScarce && this.#reach() > this.#allowed;
  }

  /** Whether more is confirmed than any commit says. */
  get isConfirmedSince(): boolean {
    return this.#confirmed > this.#writtenConfirmed;
  }

  release(number: number): void {
    this.#released = Math.max(this.#released, number);
    this.#passGap();
  }

  /** As a frame behind the snapshot has it. All that was allowed may have been sent. */
  recover(allowed: number, confirmed: number, elapsed: number): void {
    this.#sent = Math.max(this.#sent, allowed);
    this.#ahead.restarted(this.#sent);
    this.confirm(confirmed, elapsed);
  }

  /** The last number that may be handed out now. */
  get open(): number {
    return this.#frozen.reduce(
      (open, { first }) => Math.min(open, first - 1),
      Math.min(this.#released, this.#allowed),
    );
  }

  /** Whether there is something to hand out now. */
  get waits(): boolean {
    const piece = this.#pieces[placeOf(this.#pieces, this.#next)];
    return piece !== undefined && Math.max(piece.first, this.#next) <= this.open;
  }

  /** The piece to hand out from; null when there is nothing now. From then on its entries up to `rows` may have been sent. */
  reserve(rows: number): Piece | null {
    const { open } = this;
    const piece = this.#pieces[placeOf(this.#pieces, this.#next)];
    if (piece === undefined || piece.first > open) return null;
    this.#next = Math.max(this.#next, piece.first);
    if (this.#next > open) return null;
    this.#sent = Math.max(this.#sent, Math.min(open, endOf(piece), this.#next + rows - 1));
    return piece;
  }

  /** Those up to `number` were handed out. */
  took(number: number): void {
    this.#next = number + 1;
  }

  /** Hands out from `number` on. What was confirmed behind it is confirmed no longer: the other side lost it. */
  rewind(number: number): void {
    this.#rewound++;
    this.#next = Math.max(number, 1);
    if (number > this.#confirmed) return;
    this.#confirmed = Math.max(number - 1, 0);
    this.#confirmations = this.#confirmations.filter((each) => each.number <= this.#confirmed);
    this.#passGap();
  }

  confirm(number: number, elapsed: number): void {
    if (number > this.#released)
      throw new WeirError(
        "WEIR_INTERNAL",
        `chain ${this.name}: ${number} is confirmed, and ${this.#released} was the last`,
      );
    if (number <= this.#confirmed) return;
    this.#confirmed = number;
    this.#heard = elapsed;
    this.#sent = Math.max(this.#sent, number);
    this.#next = Math.max(this.#next, number + 1);
    this.#passGap();
    const latest = this.#confirmations.at(-1);
    // Times to the second are enough for a retention, and few of them are kept.
    const isOne = latest !== undefined && elapsed - latest.since < limits.outbox_confirmation_ms;
    if (isOne) this.#confirmations.pop();
    const at = Math.max(elapsed, latest?.at ?? elapsed);
    this.#confirmations.push({ number: this.#confirmed, since: isOne ? latest.since : at, at });
  }

  /** Lets go of pieces that were confirmed `retention` ago; how many bytes that were. */
  trim(elapsed: number, retention: number): number {
    let through = 0;
    // While nothing is heard of the other side it may have lost what it confirmed just before: that time does not count.
    const heard = Math.min(elapsed, this.#heard);
    while (this.#confirmations.length > 0 && heard - this.#confirmations[0]!.at >= retention)
      through = this.#confirmations.shift()!.number;
    return this.#letGo(through);
  }

  /** Lets go of the oldest confirmed pieces, `bytes` of them at least where there are so many. */
  trimEarly(bytes: number): number {
    let freed = 0;
    let through = 0;
    for (const piece of this.#pieces) {
      if (endOf(piece) > this.#confirmed || freed >= bytes) break;
      freed += sizeOf(piece);
      through = endOf(piece);
    }
    return this.#letGo(through);
  }

  /** Released pieces that can never have been handed out and that nothing is done about. */
  untouched(): readonly Piece[] {
    return this.#pieces
      .slice(placeOf(this.#pieces, this.#sent + 1))
      .filter((piece) => piece.first > this.#sent && endOf(piece) <= this.#released && !this.isFrozen(piece));
  }

  isFrozen(piece: Piece): boolean {
    return this.#frozen.some(({ first, last }) => piece.first <= last && endOf(piece) >= first);
  }

  freeze(first: number, last: number): void {
    if (first <= this.#sent)
      throw new WeirError(
        "WEIR_INTERNAL",
        `chain ${this.name}: ${first} may have been sent, so it stays as it is`,
      );
    this.#frozen.push({ first, last });
  }

  thaw(first: number): void {
    this.#frozen = this.#frozen.filter((each) => each.first !== first);
  }

  /** Puts `others` in the place of the pieces with the numbers `first` to `last`, and gives those. Their numbers lie within. */
  replace(first: number, last: number, others: readonly Piece[]): readonly Piece[] {
    const begin = placeOf(this.#pieces, first);
    let end = begin;
    while (end < this.#pieces.length && endOf(this.#pieces[end]!) <= last) end++;
    const old = this.#pieces.slice(begin, end);
    const isWhole = old[0]?.first === first && endOf(old.at(-1)!) === last;
    if (!isWhole)
      throw new WeirError("WEIR_INTERNAL", `chain ${this.name}: ${first} to ${last} are not whole pieces`);
    let gap = old[0]!.gap;
    let before = first - 1;
    const placed = others.map((piece) => {
      const own = { ...piece, gap: gap + piece.first - before - 1 };
      gap = 0;
      before = endOf(piece);
      return own;
    });
    gap += last - before;
    this.#pieces.splice(begin, old.length, ...placed);
    const next = this.#pieces[begin + placed.length];
    if (next !== undefined) this.#pieces[begin + placed.length] = { ...next, gap: next.gap + gap };
    else this.#tailGap += gap;
    this.#passGap();
    return old;
  }

  /** Puts pieces of another chain behind its own, with numbers of its own. They are released. */
  adopt(others: readonly Piece[]): void {
    for (const piece of others) this.append({ ...piece, first: this.#cut + 1, gap: 0 });
    this.release(this.#cut);
  }

  drop(rows: number, reason: string): void {
    if (rows > 0) this.#dropped[reason] = (this.#dropped[reason] ?? 0) + rows;
  }

  /** Makes one of those that lie one behind the other in a frame. */
  join(): void {
    const borders = this.#frozen.flatMap(({ first, last }) => [first - 1, last]);
    this.#pieces = joined(this.#pieces, [...borders, this.#sent, this.#confirmed, this.#released]);
  }

  /** What was dropped at the end has nobody to confirm it. */
  #passGap(): void {
    const beforeGap = this.#cut - this.#tailGap;
    if (this.#tailGap > 0 && this.#confirmed >= beforeGap && this.#cut === this.#released)
      this.#confirmed = this.#cut;
  }

  #letGo(through: number): number {
    const count = placeOf(this.#pieces, Math.min(through, this.#confirmed) + 1);
    return this.#pieces.splice(0, count).reduce((bytes, piece) => bytes + sizeOf(piece), 0);
  }
}
