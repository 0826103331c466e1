// The pipelines of one source as a pool thread has them: one decode, then the part of each. Knows no thread, so that tests
// can do the same in theirs.

import type { PayloadBatch } from "../batch/payloads.ts";
import { stopwatch } from "../clock.ts";
import type { Decoder } from "../codec/codec.ts";
import { createDecoder } from "../codec/formats.ts";
import type { PipelinePlan } from "../pipeline/pipeline.ts";
import type { EntryClock } from "./intake.ts";
import { PoolMember, type PoolPart } from "./pool-member.ts";
import { unionOfFields } from "./source-group.ts";

/** What became of a batch. */
export interface MembersResult {
  /** By pipeline. */
  readonly parts: readonly PoolPart[];
  readonly stateless_ms: number;
  /** Of copying what goes on. */
  readonly gather_ms: number;
}

export class PoolMembers {
  readonly #decoder: Decoder;
  readonly #members: readonly PoolMember[];

  /** `rowsPerRecord`: at more rows than this for a record, records are not aggregated. */
  constructor(plans: readonly PipelinePlan[], header: readonly string[], rowsPerRecord?: number) {
    const fields = unionOfFields(plans);
    const { format, message } = plans[0]!.spec.inputs[0]!;
    this.#decoder = createDecoder(format, fields, { header, message });
    this.#members = plans.map((plan) => new PoolMember(plan, fields, rowsPerRecord));
  }

  /** Throws where a part does; nothing of the batch is left then. */
  run(payloads: PayloadBatch, clock: EntryClock): MembersResult {
    const started = stopwatch();
    try {
      const decoded = this.#decoder.decode(payloads);
      const made = this.#members.map((member) => member.run(payloads, decoded, clock));
      const gather_ms = made.reduce((total, [, spent_ms]) => total + spent_ms, 0);
      const parts = made.map(([part]) => part);
      return { parts, stateless_ms: stopwatch() - started - gather_ms, gather_ms };
    } catch (error) {
      for (const member of this.#members) member.reset();
      throw error;
    }
  }
}
