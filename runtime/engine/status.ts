// What an engine says of its pipeline, as data: its counts, how far event time has come, and what its steps hold. Decides nothing.

import type { LedgerEntry } from "./ledger.ts";
import type { ReferenceStatus } from "./references.ts";
import type { StepMetric } from "./step-metrics.ts";
import type { InputProgress } from "./watermark.ts";

/** One step that holds records, or has rows to send when event time gets there. */
export interface StepWaiting {
  readonly step: string;
  /** Input records. */
  readonly held: number;
  /** Event time at which it next sends rows by itself, ms; null when it waits for records rather than for time. */
  readonly due: number | null;
}

/** For each branch, in = out + held + ledger. All but `rows` count input records, `in` those as well that a step has made of one. */
export interface BranchCounts {
  readonly name: string;
  readonly in: number;
  readonly out: number;
  readonly held: number;
  readonly ledger: readonly LedgerEntry[];
  /** Rows sent to the sink. */
  readonly rows: number;
}

export interface PipelineStatus {
  readonly name: string;
  /** Event time so far, ms; -Infinity before the first record. */
  readonly watermark: number;
  readonly branches: readonly BranchCounts[];
  /** By source, how far event time has come; `heldBack` says which of them holds it. */
  readonly inputs: readonly InputProgress[];
  readonly metrics: readonly StepMetric[];
  /** The steps that hold records. */
  readonly steps: readonly StepWaiting[];
  readonly references: readonly ReferenceStatus[];
  /** About how large what is kept is where it is written down: windows, keys and records. Absent where it is not, or before it was looked at. */
  readonly state_bytes?: number;
}
