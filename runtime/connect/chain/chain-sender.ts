// Keeps the target of one chain fed from its outbox, through every fault: asks how far the other side is, sends what comes
// after, confirms what arrived, and asks again whenever an answer leaves a doubt. Never sends what is not released, and holds no
// more than what is in flight.

import type { Clock } from "../../clock.ts";
import { messageOf, WeirError } from "../../errors.ts";
import { limits } from "../../limits.ts";
import type { Entry } from "../../state/outbox/entry.ts";
import type { Plain } from "../../state/plain.ts";
import { backOff } from "../back-off.ts";
import { Conditions } from "../conditions.ts";
import type { SinkStats } from "../connect.ts";
import type { ConnectorLog } from "../connector-log.ts";
import { SinkCounts } from "../sink-counts.ts";
import type { ChainIdentity, Place, Refusal, Tail, Target, TargetEvents } from "./chain.ts";
import { SendWindow } from "./send-window.ts";
import { fenced } from "./stream-target.ts";
import { type Decision, decideTail } from "./tail.ts";
import { Underway } from "./underway.ts";

/** What a sender uses of the outbox; see there. */
export interface ChainOutbox {
  take(chain: string, rows: number, bytes: number): Promise<readonly Entry[]>;
  rewind(chain: string, number: number): void;
  confirm(chain: string, number: number): void;
  unconfirmed(chain: string): Promise<readonly Entry[]>;
  /** `released`: the last that anybody may have been sent; `reached`: of what is confirmed the last that was not left out. */
  chain(name: string): {
    readonly released: number;
    readonly confirmed: number;
    readonly reached: number;
    readonly oldest: number;
  };
  waiting(chain: string, task: () => void): void;
}

export interface ChainSenderOptions {
  readonly chain: string;
  readonly outbox: ChainOutbox;
  /** Opens the target, which tells what happens by these events. */
  readonly target: (events: TargetEvents) => Target;
  readonly identity: ChainIdentity;
  readonly clock: Clock;
  readonly log: ConnectorLog;
  /** The chain can never go on: another instance sends for it, or the place cannot take it. Called once. */
  readonly fenced: (error: WeirError) => void;
  /** What jitter is made of. */
  readonly random?: () => number;
  /** Somebody writes its place down for a later start, and says so by `written`. */
  readonly hasWriter?: boolean;
}

type Resumption = Extract<Decision, { readonly from: number }>;

export class ChainSender {
  readonly #options: ChainSenderOptions;
  readonly #target: Target;
  readonly #counts: SinkCounts = new SinkCounts();
  readonly #conditions: Conditions = new Conditions();
  readonly #underway: Underway;
  /** Numbers that the other side will never take, above what is confirmed. */
  readonly #dropped = new Set<number>();
  /** Why some were: said of the first, because it may be so of every row. */
  readonly #dropsTold = new Set<string>();
  /** The last number that the other side is known to have stored. */
  #stored = 0;
  #sent = 0;
  /** When something was confirmed last, and what calls off that the other side is looked at a while later. */
  #settled = 0;
  #cancelCheck: (() => void) | null = null;
  /** The last number that arrived and is not settled; 0 where all is. */
  #arrived = 0;
  /** Entries for which the target has room when nothing is on its way. */
  #room = 0;
  readonly #window: SendWindow = new SendWindow();
  #attached = false;
  /** That the other side lost rows is to be written down first: what is sent again hides it from a later start. */
  #unwritten: Place | null = null;
  /** `take` gave nothing, and nobody has called since. */
  #empty = false;
  #called = false;
  /** How often the target said that it cannot go on. */
  #faults = 0;
  #attempt = 0;
  #told = "";
  readonly #said = new Set<string>();
  #ended = false;
  #closed = false;
  #running: Promise<void> | null = null;

  constructor(options: ChainSenderOptions) {
    this.#options = options;
    this.#underway = new Underway(this.#counts);
    this.#target = options.target({
      confirmed: (number) => this.#onConfirmed(number),
      refused: (number, refusal) => this.#onRefused(number, refusal),
      unsure: (reason) => this.#onUnsure(reason),
    });
  }

  get chain(): string {
    return this.#options.chain;
  }

  /** A second time it changes nothing. */
  start(): void {
    if (this.#running !== null) return;
    const { chain, outbox } = this.#options;
    this.#stored = outbox.chain(chain).reached;
    outbox.waiting(chain, () => {
      this.#empty = false;
      this.#called = true;
      this.#conditions.check();
    });
    this.#running = this.#run();
  }

  /** Resolves once every entry that is released by now is confirmed or dropped; or the chain has ended. */
  flush(): Promise<void> {
    return this.#conditions.until(
      () => this.#isOver() || (this.#attached && this.#empty && this.#underway.size === 0),
    );
  }

  stats(): SinkStats {
    const stats = this.#counts.stats();
    const dropped: Record<string, number> = { ...stats.dropped };
    let rows = stats.rows;
    for (const [reason, lost] of Object.entries(this.#target.lost ?? {})) {
      dropped[reason] = (dropped[reason] ?? 0) + lost;
      rows -= lost;
    }
    // The place may know of a loss a moment before the row is settled here.
    return { ...stats, rows: Math.max(0, rows), dropped };
  }

  /** What went wrong last, in words, until something arrives again; null for nothing. */
  get trouble(): string | null {
    return this.#told === "" ? null : this.#told;
  }

  /** Where the other side has the chain, to be written down for the target of a later start; null when nobody can tell. */
  get place(): Place | null {
    return this.#target.place ?? null;
  }

  /** It sends nothing before its place is written down. */
  get isHeld(): boolean {
    return this.#unwritten !== null;
  }

  /** A place that it said is written down. */
  written(place: Plain): void {
    if (place !== this.#unwritten) return;
    this.#unwritten = null;
    this.#conditions.check();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelCheck?.();
    this.#conditions.check();
    await this.#target.close();
    await this.#running;
  }

  #isOver(): boolean {
    return this.#closed || this.#ended;
  }

  async #run(): Promise<void> {
    try {
      while (!this.#isOver()) {
        await this.#attach();
        while (this.#attached && !this.#isOver()) await this.#feed();
        await this.#pause();
      }
    } catch (fault) {
      this.#end(fault);
    }
    this.#conditions.check();
  }

  async #attach(): Promise<void> {
    const { chain, outbox } = this.#options;
    const all = await outbox.unconfirmed(chain);
    const unconfirmed = all.filter(({ number }) => !this.#dropped.has(number));
    for (const entry of unconfirmed) this.#underway.add(entry);
    const faults = this.#faults;
    const tail = await this.#target.attach(unconfirmed, outbox.chain(chain).confirmed);
    if (this.#isOver()) return;
    const decision = this.#decide(tail, all.at(-1)?.number ?? 0);
    if (decision === null) return;
    this.#underway.doubtful(tail.number, tail.doubtful ?? 0);
    this.#arrived = tail.number > outbox.chain(chain).confirmed ? tail.number : 0;
    this.#settle();
    this.#passDropped();
    // What is confirmed and was not stored was dropped.
    const next = outbox.chain(chain).confirmed + 1;
    outbox.rewind(chain, decision.kind === "continue" ? Math.max(decision.from, next) : decision.from);
    this.#empty = false;
    this.#unwritten = tail.regressed === true && this.#options.hasWriter === true ? this.place : null;
    this.#room = this.#target.room;
    this.#window.begin();
    // What was said between the answer and now counts.
    this.#attached = this.#faults === faults;
  }

  /** What follows from the tail, `unconfirmed` being the last that may have been sent and is not; null where the chain has ended. */
  #decide(tail: Tail, unconfirmed: number): Resumption | null {
    const { chain, outbox, identity } = this.#options;
    const { oldest, confirmed } = outbox.chain(chain);
    // Rows that were made since are released as well, and nobody can have sent them.
    const last = Math.max(unconfirmed, confirmed, this.#sent);
    const decision = decideTail(
      { oldest, last, stored: this.#stored, sent: this.#sent, epoch: identity.epoch },
      tail,
    );
    switch (decision.kind) {
      case "fenced":
        this.#end(fenced(`chain ${chain}`, `start ${decision.epoch} of it has taken over`));
        return null;
      case "fork":
        this.#end(fenced(`chain ${chain}`, decision.reason));
        return null;
      case "gap":
        this.#tell(
          `the other side lost entries ${decision.first} to ${decision.last}, which are not kept any more; going on with ${decision.from}`,
        );
        return decision;
      case "heal":
        this.#tell(`the other side lost what it had confirmed; sending again from entry ${decision.from}`);
        return decision;
      case "continue":
        return decision;
    }
  }

  /** Sends what there is and room for, or waits until there is. */
  async #feed(): Promise<void> {
    const { chain, outbox } = this.#options;
    // An entry for each answer would be a write to the socket for each; half of them go together.
    const enough = Math.max(1, Math.ceil(this.#room / 2));
    await this.#conditions.until(
      () =>
        this.#isOver() ||
        !this.#attached ||
        (!this.#empty && this.#unwritten === null && this.#target.room >= enough && !this.#window.isFull),
    );
    if (this.#isOver() || !this.#attached) return;
    this.#called = false;
    const taken = await outbox.take(chain, this.#target.room, this.#window.room);
    this.#empty = taken.length === 0 && !this.#called;
    // What was taken for a target that is not attached any more is taken again.
    if (this.#attached && !this.#isOver()) this.#send(taken);
    this.#conditions.check();
  }

  /**
   * Where nothing is sent any more, nothing would tell that the other side was made anew, with what was confirmed last in what is
   * gone: so it is looked at once, before rows are let go that could be sent again.
   */
  #checkLater(wait_ms: number = limits.chain_check_ms): void {
    const { clock } = this.#options;
    this.#cancelCheck = clock.after(wait_ms, () => {
      this.#cancelCheck = null;
      const left_ms = this.#settled + limits.chain_check_ms - clock.elapsed();
      if (this.#isOver()) return;
      if (left_ms > 0) this.#checkLater(left_ms);
      // Where it cannot be asked, it is closed, or will be asked when it is attached anew.
      else this.#target.check?.().catch(() => undefined);
    });
  }

  #send(taken: readonly Entry[]): void {
    const entries: Entry[] = [];
    for (const entry of taken) {
      this.#underway.add(entry);
      if (this.#dropped.has(entry.number)) continue;
      const unfit = this.#target.unfit?.(entry) ?? null;
      if (unfit === null) entries.push(entry);
      else this.#drop(entry.number, unfit);
    }
    this.#sent = Math.max(this.#sent, entries.at(-1)?.number ?? 0);
    const flying = entries.map(({ number, row }) => ({ number, bytes: row.payload.length }));
    this.#window.sent(flying, this.#options.clock.elapsed());
    if (entries.length > 0) this.#target.send(entries);
    this.#passDropped();
  }

  /** Answers that come together are settled together. */
  #onConfirmed(number: number): void {
    if (this.#isOver()) return;
    const isFirst = this.#arrived === 0;
    this.#arrived = number;
    if (isFirst) queueMicrotask(() => this.#settle());
  }

  #settle(): void {
    const number = this.#arrived;
    if (number === 0) return;
    this.#arrived = 0;
    const { chain, outbox } = this.#options;
    this.#stored = Math.max(this.#stored, number);
    this.#settled = this.#options.clock.elapsed();
    if (this.#cancelCheck === null && this.#target.check !== undefined) this.#checkLater();
    this.#attempt = 0;
    this.#told = "";
    this.#said.clear();
    this.#underway.confirm(number);
    this.#window.answered(number, this.#settled);
    for (const dropped of this.#dropped) if (dropped <= number) this.#dropped.delete(dropped);
    if (number > outbox.chain(chain).confirmed) outbox.confirm(chain, number);
    this.#passDropped();
    this.#conditions.check();
  }

  #onRefused(number: number, refusal: Refusal): void {
    if (this.#isOver()) return;
    this.#settle();
    this.#attached = false;
    this.#faults++;
    if (refusal.kind === "never") {
      // The other side answers, so there is nothing to wait for.
      this.#attempt = 0;
      this.#drop(number, refusal.reason);
    } else {
      this.#attempt = Math.max(this.#attempt, 1);
      this.#window.refused();
      this.#tell(`refused: ${refusal.reason}; keeping the rows and trying again for ever`);
    }
    this.#conditions.check();
  }

  #onUnsure(reason: string): void {
    if (this.#isOver()) return;
    this.#settle();
    this.#window.silent();
    this.#attached = false;
    this.#faults++;
    // Once is what every cut brings along.
    if (this.#attempt > 1) this.#tell(`${reason}; asking it how far it is`);
    this.#conditions.check();
  }

  #drop(number: number, reason: string): void {
    if (this.#dropped.has(number)) return;
    this.#dropped.add(number);
    this.#underway.drop(number, reason);
    if (this.#dropsTold.has(reason)) return;
    this.#dropsTold.add(reason);
    this.#options.log.warn(
      `chain ${this.#options.chain}: entry ${number} can never be stored (${reason}); it is dropped, and further ones are counted`,
    );
  }

  /** Dropped entries that nothing waits in front of are done. */
  #passDropped(): void {
    if (this.#dropped.size === 0) return;
    const { chain, outbox } = this.#options;
    let { confirmed } = outbox.chain(chain);
    const before = confirmed;
    while (this.#dropped.delete(confirmed + 1)) confirmed++;
    if (confirmed > before) outbox.confirm(chain, confirmed);
  }

  /** Before the other side is asked again: at once the first time, then with back-off for as long as nothing arrives. */
  async #pause(): Promise<void> {
    const attempt = this.#attempt++;
    if (attempt === 0 || this.#isOver()) return;
    const { clock, random = Math.random } = this.#options;
    let over = false;
    const cancel = clock.after(backOff(attempt - 1, random()), () => {
      over = true;
      this.#conditions.check();
    });
    await this.#conditions.until(() => over || this.#isOver());
    cancel();
  }

  #end(fault: unknown): void {
    if (this.#isOver()) return;
    this.#ended = true;
    const { chain } = this.#options;
    this.#options.fenced(
      fault instanceof WeirError
        ? fault
        : new WeirError("WEIR_INTERNAL", `chain ${chain}: ${messageOf(fault)}`, { cause: fault }),
    );
  }

  /** One line for each new fault, though several may take turns until something arrives. */
  #tell(message: string): void {
    this.#told = message;
    if (this.#said.size >= limits.nats_errors_told_max) this.#said.clear();
    if (!this.#said.has(message)) this.#options.log.warn(`chain ${this.#options.chain}: ${message}`);
    this.#said.add(message);
  }
}
