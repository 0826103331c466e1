// A pipeline with its sinks: which of them each row and each dead letter of its engine goes to. Opens nothing.

import type { Sink, SinkStats } from "../connect/connect.ts";
import { letterLine, letterMessage } from "../engine/dead-letter.ts";
import { takenBranches } from "../engine/output.ts";
import type { EngineOutputs } from "../engine/output.ts";
import type { PipelinePlan } from "../pipeline/pipeline.ts";
import type { FirstLetters } from "./first-letters.ts";
import type { SinkSet } from "./sink-set.ts";

export interface Wired {
  readonly plan: PipelinePlan;
  /** By branch; null where rows go nowhere. */
  readonly sinks: readonly (Sink | null)[];
  readonly deadLetter: Sink | null;
}

/** What is known of rows that go nowhere. */
export function countedAlone(rows: number): SinkStats {
  return { rows, bytes: 0, pending: 0, dropped: {} };
}

export function outputsOf(
  { plan, sinks, deadLetter }: Wired,
  written: SinkSet,
  first: FirstLetters,
): EngineOutputs {
  const letters = plan.spec.deadLetter?.sink ?? null;
  return {
    row: (branch, row) => written.write(sinks[branch]!, row),
    takes: takenBranches(plan),
    deadLetter: (letter, arrived) => {
      first.see(plan.name, deadLetter !== null, letter);
      if (letters === null || deadLetter === null) return;
      written.write(
        deadLetter,
        letters.kind === "nats"
          ? letterMessage(plan.name, letter, letters.subject, arrived)
          : letterLine(plan.name, letter, arrived),
      );
    },
  };
}
