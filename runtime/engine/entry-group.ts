// Engines whose records enter alike: what is decoded enters once for all of them, goes through the steps that
// they have in common, and then on to each one's home. An engine that fails is left out from then on by
// whoever made the group.

import type { Batch } from "../../operators/sdk/index.ts";
import type { PayloadBatch } from "../batch/payloads.ts";
import { stopwatch } from "../clock.ts";
import type { Decoded, FieldRead } from "../codec/codec.ts";
import { FanOut } from "./chain.ts";
import type { EntryClock } from "./intake.ts";
import { arrivedLast, type PipelineEngine, seen, seenAt } from "./pipeline-engine.ts";
import type { Receiver } from "./stage.ts";
import { entranceOf, StatelessPart } from "./stateless-part.ts";

/** Told of every engine that fails; the group calls it no more in this run. */
export type FailurePort = (engine: PipelineEngine, error: unknown) => void;

/** The engines by what they can share: those of one entry are equal in how records enter, and in how far event time has come. */
export function alike(engines: readonly PipelineEngine[]): PipelineEngine[][] {
  const groups = Map.groupBy(engines, (engine) => {
    const { standing } = engine;
    return standing === null ? engine : `${standing} ${entranceOf(engine.plan)}`;
  });
  return [...groups.values()];
}

export class EntryGroup {
  readonly #engines: readonly PipelineEngine[];
  readonly #part: StatelessPart<PipelineEngine>;
  readonly #failed: FailurePort;
  /** Of the present run, in homes. */
  #home_ms = 0;

  constructor(
    engines: readonly PipelineEngine[],
    decodedFields: readonly (readonly FieldRead[])[],
    failed: FailurePort,
  ) {
    this.#engines = engines;
    this.#failed = failed;
    this.#part = new StatelessPart(engines, decodedFields, {
      end: (members) => this.#homes(members),
      failed: (members, error) => members.forEach((engine) => failed(engine, error)),
    });
    for (const engine of engines) engine.join(() => this.#part.metrics(engine));
  }

  /**
   * Takes a run of payloads of one source from their decoded columns to the outputs; returns the ms that went into what
   * the pool could do instead. Batches reach home one by one as they are made, never held: they do not last.
   */
  feed(payloads: PayloadBatch, decoded: Decoded, clock: EntryClock, input: number): number {
    const started = stopwatch();
    const { now } = clock;
    const last = arrivedLast(payloads, now);
    this.#home_ms = 0;
    const arrivals = (row: number): number => seenAt(payloads.arrived[row] ?? now, last, now);
    this.#each((engine) => engine.begin(decoded.rows, last, arrivals));
    this.#part.run(payloads, decoded, clock, input, (batch, entered) => {
      const known = seen(entered, last, now);
      // They stand alike: what the first one's clock writes into the batch holds for all.
      const [first] = this.#engines;
      this.#each((engine) => engine.entered(engine === first ? [batch] : [], known, input));
    });
    const stateless_ms = stopwatch() - started - this.#home_ms;
    this.#each((engine) => engine.settle());
    return stateless_ms;
  }

  #each(task: (engine: PipelineEngine) => void): void {
    for (const engine of this.#engines) {
      try {
        task(engine);
      } catch (error) {
        this.#failed(engine, error);
      }
    }
  }

  #homes(engines: readonly PipelineEngine[]): Receiver {
    const next = new FanOut(engines.map((engine) => this.#homeOf(engine)));
    return {
      onBatch: (batch) => {
        const started = stopwatch();
        next.onBatch(batch);
        this.#home_ms += stopwatch() - started;
      },
      onWatermark: (watermark) => next.onWatermark(watermark),
    };
  }

  #homeOf(engine: PipelineEngine): Receiver {
    return {
      onBatch: (batch: Batch) => {
        try {
          engine.entry.onBatch(batch);
        } catch (error) {
          this.#failed(engine, error);
        }
      },
      onWatermark: (watermark) => engine.entry.onWatermark(watermark),
    };
  }
}
