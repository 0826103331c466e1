// What a worker drives: the pipelines of one source, or the pipeline of several, wherever they run.

import type { PayloadBatch } from "../batch/payloads.ts";
import type { ReferenceContent } from "../codec/reference/content.ts";
import type { PipelineStatus } from "./status.ts";

/**
 * `now` is the clock on the wall, ms, and `elapsed` the one that nobody sets, which tells how long something has lasted; where
 * only one of them is given, both are the same.
 */
export interface Runner {
  /** Takes payloads of the source `input`, which are valid until it resolves: once there is room for more. */
  feed(payloads: PayloadBatch, now: number, input?: number, elapsed?: number): Promise<void>;
  /** New content of a pipeline's reference table, behind what was fed; whether it could be used, `status` tells. */
  refer(pipeline: string, table: string, content: ReferenceContent): Promise<void>;
  /** Time passes, and the source (all of them when none is named) has nothing. */
  tick(now: number, input?: number | null, elapsed?: number): Promise<void>;
  /** One of several sources has ended. */
  end(now: number, input: number, elapsed?: number): Promise<void>;
  /** True where a pipeline has left rows for later, because there were very many. */
  readonly isBehind: boolean;
  /** Sends some more of them, to be called when there is room. */
  goOn(): Promise<void>;
  /** Resolves once all that was fed has reached the outputs, but for what it has left for later. */
  idle(): Promise<void>;
  /**
   * By pipeline, how its state differs from the last checkpoint; those that have not changed, or have failed, are left
   * out. The first is whole. Between batches only.
   */
  checkpoint(elapsed: number): Promise<ReadonlyMap<string, Uint8Array>>;
  /**
   * By pipeline, all its checkpoints so far as one, which takes their place. Of the last one, whatever was fed since, so that it may be
   * asked for at any time. A pipeline that has failed is as it was before.
   */
  whole(): Promise<ReadonlyMap<string, Uint8Array>>;
  /**
   * Goes on from the checkpoints of a pipeline, the first of them whole. Before the first feed; before or after
   * reference tables. Rejects with WEIR_STATE where they are not of this pipeline as it is now; it is as it was then.
   * `areGiven`: nobody else looks at their memory any more, which spares a copy of the state.
   */
  restore(
    pipeline: string,
    changes: readonly Uint8Array[],
    elapsed: number,
    areGiven?: boolean,
  ): Promise<void>;
  /** The stream has ended: open windows fire, and all rows have reached the outputs, but for what it has left for later. */
  finish(now: number): Promise<void>;
  status(): readonly PipelineStatus[];
  close(): Promise<void>;
}
