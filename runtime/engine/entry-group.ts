// Engines whose records enter alike: what is decoded enters once for all of them, goes through the steps that
// they have in common, and then on to each one's home. Where thousands share a source, most get no row of a
// run: those without steps at home follow the first one, and are told how far it has come when it matters.

import type { Batch } from "../../operators/sdk/index.ts";
import type { PayloadBatch } from "../batch/payloads.ts";
import { stopwatch } from "../clock.ts";
import type { Decoded, FieldRead } from "../codec/codec.ts";
import { FanOut } from "./chain.ts";
import type { EntryClock } from "./intake.ts";
import { arrivedLast, type PipelineEngine, seen, seenAt } from "./pipeline-engine.ts";
import type { Receiver } from "./receiver.ts";
import { entranceOf, StatelessPart } from "./stateless-part.ts";
import type { Member } from "./step-tree.ts";

/** Told of every engine that fails; the group is not used again. */
export type FailurePort = (engine: PipelineEngine, error: unknown) => void;

interface EngineMember extends Member {
  readonly engine: PipelineEngine;
}

/** The engines by what they can share: those of one entry are equal in how records enter, and in how far event time has come. */
export function alike(engines: readonly PipelineEngine[]): PipelineEngine[][] {
  const groups = Map.groupBy(engines, (engine) => {
    const { standing } = engine;
    return standing === null ? engine : `${standing} ${entranceOf(engine.plan)}`;
  });
  return [...groups.values()];
}

export class EntryGroup {
  readonly #first: PipelineEngine;
  /** The first one, and those that have steps at home, which wait for time. */
  readonly #driven: readonly PipelineEngine[];
  readonly #followers: readonly PipelineEngine[];
  readonly #part: StatelessPart<EngineMember>;
  readonly #failed: FailurePort;
  /** When the last payload of the present run arrived. */
  #last = 0;
  /** Of the present run, in homes. */
  #home_ms = 0;
  /** Records that followers have not been told of, and whether anything else has happened. */
  #untold = 0;
  #isAhead = false;

  /** `engines`: of one entry, as `alike` gives them. */
  constructor(
    engines: readonly PipelineEngine[],
    decodedFields: readonly (readonly FieldRead[])[],
    failed: FailurePort,
  ) {
    this.#first = engines[0]!;
    this.#driven = engines.filter((engine) => engine === this.#first || engine.waitsForTime);
    this.#followers = engines.filter((engine) => engine !== this.#first && !engine.waitsForTime);
    this.#failed = failed;
    const members = engines.map((engine) => this.#memberOf(engine));
    this.#part = new StatelessPart(members, decodedFields, {
      end: (ended) => this.#homes(ended),
      failed: (broken, error) => broken.forEach(({ engine }) => failed(engine, error)),
    });
    const settle = (): void => this.settle();
    for (const member of members) member.engine.join({ shown: () => this.#part.metrics(member), settle });
  }

  /**
   * Takes a run of payloads of one source from their decoded columns to the outputs; returns the ms that went into what
   * the pool could do instead. Batches reach home one by one as they are made, never held: they do not last.
   */
  feed(payloads: PayloadBatch, decoded: Decoded, clock: EntryClock, input: number): number {
    const started = stopwatch();
    const { now } = clock;
    const last = arrivedLast(payloads, now);
    this.#last = last;
    this.#home_ms = 0;
    this.#untold += decoded.rows;
    this.#isAhead = true;
    const arrivals = (row: number): number => seenAt(payloads.arrived[row] ?? now, last, clock);
    this.#drive((engine) => engine.begin(decoded.rows, last, arrivals));
    this.#part.run(payloads, decoded, clock, input, (batch, entered) => {
      const known = seen(entered, last, clock);
      // They stand alike: what the first one's clock writes into the batch holds for all.
      this.#drive((engine) => engine.entered(engine === this.#first ? [batch] : [], known, input));
    });
    const stateless_ms = stopwatch() - started - this.#home_ms;
    this.#drive((engine) => engine.settle());
    return stateless_ms;
  }

  /** Time passes, and a source (all of them when none is named) has nothing. */
  tick(now: number, input: number | null, elapsed: number): void {
    this.#isAhead = true;
    this.#drive((engine) => engine.tick(now, input, elapsed));
  }

  /** Followers are told how far the first one has come. */
  settle(): void {
    if (!this.#isAhead) return;
    const records = this.#untold;
    this.#untold = 0;
    this.#isAhead = false;
    for (const engine of this.#followers) engine.follow(this.#first, records);
  }

  #drive(task: (engine: PipelineEngine) => void): void {
    for (const engine of this.#driven) {
      try {
        task(engine);
      } catch (error) {
        this.#failed(engine, error);
      }
    }
  }

  #memberOf(engine: PipelineEngine): EngineMember {
    const { plan, ledger } = engine;
    return {
      engine,
      plan,
      ledger,
      deadLetter: (letter) => {
        engine.caused(this.#last);
        engine.deadLetter(letter);
      },
    };
  }

  #homes(members: readonly EngineMember[]): Receiver {
    const next = new FanOut(members.map(({ engine }) => this.#homeOf(engine)));
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
          engine.caused(this.#last);
          engine.entry.onBatch(batch);
        } catch (error) {
          this.#failed(engine, error);
        }
      },
      onWatermark: (watermark) => engine.entry.onWatermark(watermark),
    };
  }
}
