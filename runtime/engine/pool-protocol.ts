// What goes to a thread of the pool and comes back from it. Shapes only.

import type { PayloadBatch } from "../batch/payloads.ts";
import type { EntryClock } from "./intake.ts";
import type { PipelineInput } from "./loader.ts";
import type { MembersResult } from "./pool-members.ts";

/** The pipelines of one source, as the threads make them. */
export interface PoolGroup {
  readonly inputs: readonly PipelineInput[];
  readonly header: readonly string[];
}

export interface PoolTask {
  /** The group's number, and what it is. */
  readonly group: number;
  readonly definition: Uint8Array;
  /** All groups that are still there. */
  readonly groups: readonly number[];
  readonly payloads: PayloadBatch;
  /** Buffers of batches that were taken in at home, which are transferred back. */
  readonly buffers: readonly ArrayBuffer[];
  readonly clock: EntryClock;
}

export interface PoolResult extends MembersResult {
  readonly thread: number;
}
