// What a worker drives: the pipelines of one source, wherever they run.

import type { PayloadBatch } from "../batch/payloads.ts";
import type { BranchCounts } from "./pipeline-engine.ts";

export interface PipelineStatus {
  readonly name: string;
  /** Event time so far, ms; -Infinity before the first record. */
  readonly watermark: number;
  readonly branches: readonly BranchCounts[];
}

export interface Runner {
  /** Takes payloads, which are valid only during the call. Resolves once there is room for more. */
  feed(payloads: PayloadBatch, now: number): Promise<void>;
  /** Time passes without records. */
  tick(now: number): Promise<void>;
  /** Resolves once all that was fed has reached the outputs. */
  idle(): Promise<void>;
  /** The stream has ended: open windows fire, and all rows have reached the outputs. */
  finish(now: number): Promise<void>;
  status(): readonly PipelineStatus[];
  close(): Promise<void>;
}
