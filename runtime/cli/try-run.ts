// One run of weir try, from the first record to the summary: rows as they come, or what differs at the end. Opens and closes
// nothing.

import { wallClock } from "../clock.ts";
import { limits } from "../limits.ts";
import type { Trial } from "../testing/trial.ts";
import { countText } from "./amounts.ts";
import { type Comparison, comparisonLine, TryComparison } from "./try-comparison.ts";
import type { TryBounds } from "./try-options.ts";
import { changeLine, RowOutput, rowLine } from "./try-output.ts";
import { TryReading } from "./try-reading.ts";
import type { TrySource } from "./try-sources.ts";
import { summaryLines, summaryOf, type TrialSummary, type Unread, unreadLines } from "./try-summary.ts";

export interface TryRunOptions {
  readonly sources: readonly TrySource[];
  /** One, or two that are compared. */
  readonly trials: readonly Trial[];
  /** What they are called. */
  readonly files: readonly string[];
  readonly bounds: TryBounds;
  readonly tolerance: number;
  readonly json: boolean;
}

/** Where rows are counted, so many records are read at once: what is read behind the last row shows in the summary. */
const fewAtOnce = 16;

export class TryRun {
  readonly #options: TryRunOptions;
  readonly #trial: Trial;
  readonly #comparison: TryComparison | null;
  readonly #reading: TryReading;
  readonly #output: RowOutput;
  #rowsLeft: number;
  #shown = 0;
  /** Rows that were made of what was read with the last one that is shown. */
  #behind = 0;
  #isInterrupted = false;

  constructor(options: TryRunOptions) {
    const { sources, trials, bounds } = options;
    const [trial, other] = trials as [Trial, Trial?];
    this.#options = options;
    this.#trial = trial;
    this.#comparison = other === undefined ? null : new TryComparison(trial, other);
    this.#rowsLeft = bounds.rows ?? Number.POSITIVE_INFINITY;
    const { records, rows, for_ms } = bounds;
    const atOnce = rows === null ? limits.batch_rows_max : fewAtOnce;
    const made = (): Promise<void> => this.#made();
    this.#reading = new TryReading({ sources, trials, clock: wallClock, records, atOnce, for_ms, made });
    this.#output = new RowOutput(() => this.#reading.stop());
  }

  /** Somebody ended it. */
  get isInterrupted(): boolean {
    return this.#isInterrupted;
  }

  /** Whoever read its rows has gone. */
  get isGone(): boolean {
    return this.#output.isGone;
  }

  /** Reads to the end; the exit code. */
  async run(): Promise<number> {
    const interrupt = (): void => {
      this.#isInterrupted = true;
      this.#reading.stop();
    };
    const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
    // Whoever asks twice does not want to wait.
    for (const signal of signals) process.once(signal, interrupt);
    try {
      const isOver = await this.#reading.run();
      return await this.#sumUp(isOver);
    } finally {
      for (const signal of signals) process.off(signal, interrupt);
      this.#output.close();
    }
  }

  /** Rows may have been made. */
  async #made(): Promise<void> {
    if (this.#comparison === null) this.#show();
    else {
      const rows = this.#comparison.keep();
      this.#rowsLeft -= Math.min(rows, this.#rowsLeft);
    }
    if (this.#rowsLeft === 0 || this.#comparison?.isFull === true) this.#reading.stop();
    await this.#output.room();
  }

  #show(): void {
    const { json } = this.#options;
    for (const row of this.#trial.take()) {
      if (this.#rowsLeft === 0) {
        this.#behind++;
        continue;
      }
      this.#rowsLeft--;
      this.#shown++;
      this.#output.write(rowLine(this.#trial, row, json));
    }
  }

  async #sumUp(isOver: boolean): Promise<number> {
    const { trials, json, tolerance } = this.#options;
    const [now, elapsed] = [wallClock.now(), wallClock.elapsed()];
    const summaries = trials.map((trial) => summaryOf(trial, isOver, now, elapsed));
    const compared = this.#comparison?.compare(tolerance) ?? null;
    if (compared !== null) await this.#showChanges(compared);
    if (this.#trial.records > 0 || this.#isInterrupted) {
      if (json) this.#output.write(JSON.stringify({ summary: this.#data(summaries, compared) }));
      else this.#tell(summaries, compared);
      await this.#output.room();
    }
    return compared === null || compared.changes.length === 0 ? 0 : 1;
  }

  async #showChanges({ changes }: Comparison): Promise<void> {
    const { json } = this.#options;
    const place = this.#trial.step === null ? "branch" : "step";
    const several = this.#comparison!.branches > 1;
    for (const { branch, minus, plus } of changes) {
      if (json) this.#output.write(`{"${place}":${JSON.stringify(branch)},"minus":${minus},"plus":${plus}}`);
      else {
        const shown = several ? branch : null;
        if (minus !== null) this.#output.write(changeLine("-", shown, minus));
        if (plus !== null) this.#output.write(changeLine("+", shown, plus));
      }
      await this.#output.room();
    }
  }

  #data(summaries: readonly TrialSummary[], compared: Comparison | null): unknown {
    if (compared === null) return { ...summaries[0], shown: this.#shown, unread: this.#unread() };
    const { changes: _, ...rows } = compared;
    return {
      rows,
      pipelines: summaries.map((summary, place) => ({ file: this.#options.files[place], ...summary })),
    };
  }

  /** By source, the records that were there and could not be read, by reason. */
  #unread(): Unread {
    const all = this.#options.sources.map(({ name, source }) => [name, source.stats().dropped] as const);
    return Object.fromEntries(all.filter(([, dropped]) => Object.keys(dropped).length > 0));
  }

  #tell(summaries: readonly TrialSummary[], compared: Comparison | null): void {
    const { files } = this.#options;
    // Two that are compared are mostly of one name: their files tell them apart.
    const named = summaries.map((each, place) =>
      files.length > 1 && files[0] !== files[1] ? { ...each, pipeline: files[place]! } : each,
    );
    const lines = [...named.flatMap(summaryLines), ...unreadLines(this.#unread())];
    if (this.#behind > 0)
      lines.push(
        `shown: ${countText(this.#shown)} of ${countText(this.#shown + this.#behind)} rows, as --limit says; the others are of records that were read with the last`,
      );
    if (this.#comparison?.isFull === true)
      lines.push(`stopped at ${countText(this.#comparison.count)} rows: so many are compared at most`);
    process.stderr.write(`${lines.join("\n")}\n`);
    if (compared !== null) this.#output.write(comparisonLine(compared, files as [string, string]));
  }
}
