// The ports of sources and sinks. Bytes only: nothing here decodes, and nothing here knows a batch of columns.

import type { PayloadBatch } from "../batch/payloads.ts";
import type { Plain } from "../state/plain.ts";

/** How much a read may return and how long it may wait for it. */
export interface ReadLimits {
  readonly rows: number;
  readonly bytes: number;
  /** Longest wait for a first payload; then the read answers null. */
  readonly wait_ms: number;
  /** How long the first may have waited for more; one that came before the read has waited already. */
  readonly age_ms: number;
}

/** Payloads that were read, in order. */
export interface Delivery {
  /** Valid until the next read. */
  readonly payloads: PayloadBatch;
  /** What to hand to `commit` once the batch is settled, and to `open` of a later run: data that may be written down. */
  readonly position: Plain;
}

/** What a source counted since it was opened. */
export interface SourceStats {
  readonly records: number;
  readonly bytes: number;
  /**
   * Records that were never delivered, by reason: `overflow` of a core NATS queue, `oversize` lines of a file, …
   * Of a stream, messages: `gap` and `purged`, gone before they were read (with `_at_most` where a subject filter leaves
   * only a bound); `regressed`, read and then lost by the stream, whose numbers are others' now; `recreated`, known to
   * have been unread when the stream was replaced. Of a file, `truncated` and `replaced` tell by being there.
   */
  readonly dropped: Readonly<Record<string, number>>;
  /** Records known to wait at the source; null when it cannot be known. */
  readonly lag: number | null;
  /** How long there was no connection to a server that keeps nothing: nobody can count what it published meanwhile. */
  readonly deaf_ms?: number;
}

export interface Source {
  /**
   * `resume`: a position of an earlier run, to go on behind it; null where positions are kept and there is none yet.
   * Absent: nobody keeps positions, and the other side remembers, if anybody does.
   */
  open(resume?: Plain | null): Promise<void>;
  /** Where it began when it was opened, as a position; null, or absent, where the other side or nobody knows that. */
  begins?(): Plain;
  /** The next payloads; null when none came within `wait_ms`; "end" when there will be no more. */
  read(limits: ReadLimits): Promise<Delivery | null | "end">;
  /** The batch at `position` and all before it are settled: acknowledge them. */
  commit(position: unknown): Promise<void>;
  stats(): SourceStats;
  close(): Promise<void>;
}

/** One row on its way out. */
export interface OutputRow {
  /** Where to: a subject for NATS; ignored by files. */
  readonly subject: string;
  readonly payload: Uint8Array;
  /** Identifies the row, or the rows, for duplicate suppression; null when nothing identifies it. */
  readonly id: string | null;
  /** When the record that completed the row arrived at the edge, wall clock ms. */
  readonly caused: number;
  /** How many rows the payload holds; 1 when absent. */
  readonly rows?: number;
  /** Further headers, for sinks that have them. */
  readonly headers?: Readonly<Record<string, string>>;
}

export interface SinkStats {
  /** Rows confirmed by the other side (written, for files). */
  readonly rows: number;
  readonly bytes: number;
  /** Rows accepted and not confirmed yet. */
  readonly pending: number;
  /** Rows that will never arrive, by reason. */
  readonly dropped: Readonly<Record<string, number>>;
  /** What is in the way of those that wait, in words; absent where nothing is known to be. */
  readonly hindrance?: string;
}

export interface Sink {
  open(): Promise<void>;
  /** Takes a row. Never fails for a passing fault of the other side: it retries for ever. */
  write(row: OutputRow): void;
  /** Resolves once there is room for more rows. */
  ready(): Promise<void>;
  /** Resolves once every row taken so far is confirmed or dropped. */
  flush(): Promise<void>;
  stats(): SinkStats;
  close(): Promise<void>;
}
