// A runner whose state, positions and rows are in a commit log before anybody hears of them: rows leave, and sources are
// told, only for what is durable. So whatever ends the process, what comes after begins where the last commit was.
// Order is all that it decides; the log, the outbox and the senders do the rest.

import { type Clock, sleep } from "../clock.ts";
import { backOff } from "../connect/back-off.ts";
import type { Source } from "../connect/connect.ts";
import type { ConnectorLog } from "../connect/connector-log.ts";
import { Ending } from "../ending.ts";
import type { Runner } from "../engine/runner.ts";
import { messageOf, WeirError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Plain } from "../state/plain.ts";
import { type Away, commitBody, snapshotBody } from "./commit-body.ts";
import { FeedGate } from "./feed-gate.ts";
import type { SinkSet } from "./sink-set.ts";
import { Reading, type Task } from "./task.ts";

/** What is asked of a commit log. */
export interface Journal {
  /** Bytes that a recovery would have to read behind the last snapshot. */
  readonly bytes: number;
  append(body: Uint8Array): Promise<unknown>;
  checkpoint(body: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/** What is asked of an outbox; a cut is what it was given since the last one, the last what was confirmed as well. */
export interface RowStore<Cut extends { readonly frame: Plain }> {
  readonly uncutBytes: number;
  cut(isLast?: boolean): Cut;
  release(cut: Cut): void;
  manifest(): Promise<Plain>;
  snapshotted(): Promise<void>;
  /** Gives up files that nobody needs any more, where the disk is full; `early`: and some that are kept for healing. */
  makeRoom(early: boolean): Promise<void>;
  close(): Promise<void>;
}

/** What is asked of whoever sends the rows of a chain. */
export interface Sender {
  readonly chain: string;
  /** Where the other side is known to have the chain, as plain data; null when nobody can tell. */
  readonly place: Plain;
  /** It sends nothing before its place is in a commit. */
  readonly isHeld: boolean;
  /** A place that it said is in a commit that is durable. */
  written(place: Plain): void;
  start(): void;
  /** Resolves once all released rows are confirmed or dropped. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

export interface DurableOptions<Cut extends { readonly frame: Plain }> {
  /** Those of the runner, by name. */
  readonly pipelines: readonly string[];
  /** Those whose state is in the log and who do not run. */
  readonly away: ReadonlyMap<string, Away>;
  readonly sources: readonly Source[];
  /** By source, up to where it was committed when it was opened. */
  readonly positions: readonly Plain[];
  readonly runner: Runner;
  /** They write into the outbox. */
  readonly sinks: SinkSet;
  readonly log: Journal;
  readonly outbox: RowStore<Cut>;
  readonly senders: readonly Sender[];
  readonly clock: Clock;
  readonly tell: ConnectorLog;
  /** How often is committed; default: `commit_ms_default`. */
  readonly commit_ms?: number;
  /** How many bytes of rows make a commit due before that. */
  readonly commit_bytes?: number;
  /** How many bytes of log make a snapshot due. */
  readonly snapshot_bytes?: number;
  /** Bytes of the snapshot that the log goes on from; 0 where it has none. */
  readonly lastSnapshotBytes?: number;
  /** What the log holds of a pipeline is void: its first commit says so, even where nothing came. */
  readonly beginsAnew?: boolean;
  readonly random?: () => number;
}

export class DurableTask<Cut extends { readonly frame: Plain }> implements Task {
  readonly runner: Runner;
  readonly sources: readonly Source[];
  lacksRoom: string | null = null;
  readonly #options: DurableOptions<Cut>;
  readonly #reading: Reading;
  readonly #gate: FeedGate = new FeedGate();
  readonly #commit_bytes: number;
  readonly #positions: Plain[];
  /** By source, whether its position differs from the last commit's. */
  readonly #moved: boolean[];
  readonly #readingEnds = new Ending<void>();
  #committing: Promise<void> | null = null;
  /** The snapshot that is being written, beside the commits that follow it. Never rejects. */
  #snapshotting: Promise<void> | null = null;
  #failure: unknown = null;
  #stopping = false;
  /** No commit of this run has said yet who runs. */
  #first = true;
  /** That a snapshot found no room. */
  #told = false;
  /** Bytes of the last snapshot. */
  #snapshotBytes: number;

  constructor(options: DurableOptions<Cut>) {
    const { sources, runner, sinks, clock, positions } = options;
    this.#options = options;
    this.runner = runner;
    this.sources = sources;
    this.#commit_bytes = options.commit_bytes ?? limits.commit_bytes_default;
    this.#snapshotBytes = options.lastSnapshotBytes ?? 0;
    this.#positions = sources.map((_source, input) => positions[input] ?? null);
    this.#moved = sources.map(() => false);
    this.#reading = new Reading({
      sources,
      runner,
      clock,
      gate: this.#gate,
      taken: (input, position) => {
        this.#positions[input] = position as Plain;
        this.#moved[input] = true;
      },
      // Whoever waits for room that nobody will make any more would wait for ever.
      room: () => this.#readingEnds.before(this.#roomIn(sinks)),
    });
  }

  stop(): void {
    this.#stopping = true;
    this.#readingEnds.come(() => undefined);
    this.#reading.stop();
  }

  /** Ends the reading and every commit to come; `run` throws `error`. */
  fail(error: unknown): void {
    this.#failure ??= error;
    this.#readingEnds.come(() => undefined);
    this.#reading.stop();
  }

  /**
   * Resolves once all is committed, and the rows have arrived. Told to stop, it leaves rows that do not arrive soon, and
   * open windows as they are, to the next run.
   */
  async run(): Promise<void> {
    const { clock, senders, sinks, commit_ms = limits.commit_ms_default } = this.#options;
    for (const sender of senders) sender.start();
    const endCommits = clock.every(commit_ms, () => this.#begin());
    try {
      if (await this.#reading.run())
        await this.#reading.finish(() => this.#stopping || this.#failure !== null);
      await this.#commitNow();
      await this.#snapshotting;
      const arrived = Promise.all([sinks.flush(), ...senders.map((sender) => sender.flush())]);
      await (this.#stopping ? Promise.race([arrived, sleep(clock, limits.durable_flush_ms_max)]) : arrived);
      // So that whoever looks into the folder finds waiting what does wait.
      await this.#commitNow(true);
    } finally {
      endCommits();
    }
  }

  /** All that there is by now; throws what went wrong. */
  async #commitNow(isLast = false): Promise<void> {
    await this.#committing;
    this.#begin(isLast);
    await this.#committing;
    this.#throwFailure();
  }

  #throwFailure(): void {
    if (this.#failure !== null) throw this.#failure;
  }

  async close(): Promise<void> {
    const { senders, sinks, outbox, log } = this.#options;
    await this.#committing?.catch(() => undefined);
    await this.#snapshotting;
    await this.runner.close();
    for (const source of this.sources) await source.close();
    for (const sender of senders) await sender.close();
    await sinks.close();
    await outbox.close();
    await log.close();
  }

  /** Begins a commit unless one is on its way. A failure ends the reading, and is thrown by `run`. */
  #begin(isLast = false): void {
    if (this.#committing !== null || this.#failure !== null) return;
    this.#committing = this.#commit(isLast)
      .catch((error: unknown) => this.fail(error))
      .finally(() => (this.#committing = null));
  }

  async #roomIn(sinks: SinkSet): Promise<void> {
    await sinks.ready();
    await this.#debtPaid();
  }

  /** Resolves once so much is committed that more may come. */
  async #debtPaid(): Promise<void> {
    const { outbox } = this.#options;
    if (outbox.uncutBytes >= this.#commit_bytes) this.#begin();
    while (outbox.uncutBytes >= limits.commits_in_debt_max * this.#commit_bytes && this.#failure === null) {
      this.#begin();
      await this.#committing;
    }
  }

  async #commit(isLast: boolean): Promise<void> {
    const { outbox, senders } = this.#options;
    const prepared = await this.#gate.shut(() => this.#prepare(isLast));
    if (prepared === null) return;
    const { body, cut, positions, places } = prepared;
    if (!(await this.#append(body, isLast))) return;
    outbox.release(cut);
    for (const sender of senders) sender.written(places[sender.chain] ?? null);
    for (const [input, source] of this.sources.entries())
      if (prepared.moved[input]) await source.commit(positions[input]);
    if (this.#isSnapshotDue()) await this.#beginSnapshot(positions);
  }

  #isSnapshotDue(): boolean {
    const { log, snapshot_bytes: least = limits.log_snapshot_bytes } = this.#options;
    const due = Math.max(least, limits.log_snapshot_share * this.#snapshotBytes);
    return this.#snapshotting === null && log.bytes >= due;
  }

  /** All that has changed, as it is between two batches; null where nobody would miss it. */
  async #prepare(isLast: boolean): Promise<{
    readonly body: Uint8Array;
    readonly cut: Cut;
    readonly positions: readonly Plain[];
    readonly moved: readonly boolean[];
    readonly places: Readonly<Record<string, Plain>>;
  } | null> {
    const { outbox, sinks, senders, clock, beginsAnew = false } = this.#options;
    await this.runner.idle();
    // Batches of rows never outlive a commit.
    await sinks.flush();
    // Time alone changes state all the while, and can be had again.
    const isWanted =
      this.#moved.includes(true) ||
      outbox.uncutBytes > 0 ||
      senders.some(({ isHeld }) => isHeld) ||
      (beginsAnew && this.#first);
    if (!isWanted && !isLast) return null;
    const last = isWanted ? null : outbox.cut(true);
    if (last?.frame === null) {
      outbox.release(last);
      return null;
    }
    const states = await this.runner.checkpoint(clock.elapsed());
    const cut = last ?? outbox.cut(isLast);
    const positions = [...this.#positions];
    const moved = [...this.#moved];
    this.#moved.fill(false);
    const pipelines = this.#first ? this.#options.pipelines : null;
    this.#first = false;
    const places = this.#places();
    const body = commitBody({ pipelines, positions, states, outputs: cut.frame, places });
    return { body, cut, positions, moved, places };
  }

  #places(): Readonly<Record<string, Plain>> {
    return Object.fromEntries(this.#options.senders.map(({ chain, place }) => [chain, place]));
  }

  /**
   * Waits for room on the disk as long as it takes: nothing else goes on meanwhile, so nothing is lost. Rows that wait are sent, and
   * those that were sent long ago make room. The last commit can do without: false where there is none.
   */
  async #append(body: Uint8Array, isLast: boolean): Promise<boolean> {
    const { log, outbox, clock, tell, random = Math.random } = this.#options;
    for (let attempt = 0; ; attempt++) {
      try {
        await log.append(body);
        this.lacksRoom = null;
        return true;
      } catch (error) {
        if (!(error instanceof WeirError && error.retry)) throw error;
        if (isLast) return false;
        this.lacksRoom = messageOf(error);
        if (attempt === 0) tell.warn(`${messageOf(error)}; nothing new is taken until then`);
      }
      await outbox.makeRoom(attempt >= limits.full_disk_attempts);
      await sleep(clock, backOff(attempt, random()));
    }
  }

  /** Of what was committed last. It is written beside the commits that follow, which are behind it in the log. */
  async #beginSnapshot(positions: readonly Plain[]): Promise<void> {
    try {
      const { outbox, pipelines, away } = this.#options;
      const states = await this.runner.whole();
      const held = await outbox.manifest();
      const places = this.#places();
      const body = snapshotBody({ pipelines, away, positions, states, outbox: held, places });
      this.#snapshotting = this.#writeSnapshot(body)
        .catch((error: unknown) => this.fail(error))
        .finally(() => (this.#snapshotting = null));
    } catch (error) {
      this.#putOff(error);
    }
  }

  async #writeSnapshot(body: Uint8Array): Promise<void> {
    const { log, outbox } = this.#options;
    try {
      await log.checkpoint(body);
      await outbox.snapshotted();
      this.#snapshotBytes = body.length;
      this.#told = false;
    } catch (error) {
      this.#putOff(error);
    }
  }

  /** A snapshot that finds no room comes with a later commit: nothing depends on it but how long the log is. */
  #putOff(error: unknown): void {
    if (!(error instanceof WeirError && error.retry)) throw error;
    if (!this.#told) this.#options.tell.warn(`${messageOf(error)}; the log grows until then`);
    this.#told = true;
  }
}
