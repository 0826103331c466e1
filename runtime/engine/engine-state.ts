// The state of one pipeline as plain data or as a frame of bytes, and back: all of it or nothing. Knows what belongs to
// a pipeline's state, and neither where it is kept nor when it is made.

import { messageOf, WeirError } from "../errors.ts";
import { dataOf, frameOf } from "../state/frame.ts";
import {
  bytesOf,
  damaged,
  member,
  numberOf,
  numbersOf,
  packedNumbers,
  type Plain,
  wholeOf,
} from "../state/plain.ts";
import type { Course } from "./course.ts";
import type { Exit } from "./home.ts";
import { entriesOf, type Ledger, plainLedgers } from "./ledger.ts";
import { metricsOf, plainMetrics, type StepMetric } from "./step-metrics.ts";

/** What outlives the process, but for `EngineNumbers`. */
export interface EngineParts {
  /** Of the pipeline. */
  readonly name: string;
  readonly fingerprint: Uint8Array;
  /** Event time, and the steps at home. */
  readonly course: Course;
  /** Of the stateless part, and of the steps that branches share. */
  readonly ledgers: readonly Ledger[];
  readonly exits: readonly Exit[];
}

export interface EngineNumbers {
  /** How many records came in. */
  readonly records: number;
  /** What the stateless steps show. */
  readonly metrics: readonly StepMetric[];
}

/** For the most part views of live memory, which are to be read before anything else happens. */
export function treeOf(parts: EngineParts, { records, metrics }: EngineNumbers): Plain {
  const counts = [records];
  for (const { output, given } of parts.exits) counts.push(output.rows, output.records, given.records);
  return {
    fingerprint: parts.fingerprint,
    counts: packedNumbers(counts),
    metrics: plainMetrics(metrics),
    course: parts.course.snapshot(),
    ledgers: plainLedgers(ledgersOf(parts)),
  };
}

function ledgersOf({ ledgers, exits }: EngineParts): readonly Ledger[] {
  return [...ledgers, ...exits.map(({ ledger }) => ledger)];
}

/** `elapsed`: by the clock that nobody sets, ms. */
export function snapshotOf(parts: EngineParts, numbers: EngineNumbers, elapsed: number): Uint8Array {
  return frameOf(parts.fingerprint, { made: elapsed, state: treeOf(parts, numbers) });
}

/** Parts that are to go on from what was kept, under their fingerprint or one that was written for them before. */
export interface GoingOn extends EngineParts {
  readonly earlierFingerprints: readonly Uint8Array[];
}

/** Puts the state of a frame in place of the present one. Where it throws, nothing was changed. */
export function restoreFrom(frame: Uint8Array, parts: GoingOn, elapsed: number): EngineNumbers {
  const data = dataOf(frame, [parts.fingerprint, ...parts.earlierFingerprints]);
  return restoreTree(member(data, "state"), parts, elapsed - numberOf(member(data, "made")));
}

/** The same with what `treeOf` gave, which is made `passed` ms ago. Nothing of it is kept. */
export function restoreTree(tree: Plain, parts: GoingOn, passed: number): EngineNumbers {
  let records: number;
  let metrics: readonly StepMetric[];
  let changes: readonly (() => void)[];
  try {
    const written = Buffer.from(bytesOf(member(tree, "fingerprint")));
    if (![parts.fingerprint, ...parts.earlierFingerprints].some((each) => written.equals(each)))
      throw stateChanged(parts.name);
    const counts = numbersOf(member(tree, "counts"), 1 + 3 * parts.exits.length);
    records = wholeOf(counts[0]!);
    metrics = metricsOf(member(tree, "metrics"));
    changes = changesOf(tree, counts.subarray(1), parts, passed);
  } catch (error) {
    throw error instanceof WeirError ? error : damaged(messageOf(error));
  }
  for (const change of changes) change();
  return { records, metrics };
}

/** A pipeline whose steps that keep something are others than those that its state is of. */
export function stateChanged(name: string): WeirError {
  return new WeirError(
    "WEIR_STATE_CHANGED",
    `pipeline ${name} was kept with other steps, settings, tables or columns`,
    {
      remedy: `run it as it was, or let it begin anew without its open windows: --forget ${name}`,
    },
  );
}

/** Every change, made ready: none of them can fail. `counts`: three of each exit. */
function changesOf(
  data: Plain,
  counts: Float64Array,
  parts: EngineParts,
  passed: number,
): readonly (() => void)[] {
  const ledgers = ledgersOf(parts);
  const entries = entriesOf(member(data, "ledgers"), ledgers.length);
  return [
    parts.course.restoring(member(data, "course"), passed),
    ...ledgers.map((ledger, place) => () => ledger.replace(entries[place]!)),
    ...parts.exits.map(({ output, given }, place) => {
      const [rows, sent, late] = Array.from(counts.subarray(3 * place, 3 * place + 3), (count) =>
        wholeOf(count),
      );
      return () => {
        output.restore(rows!, sent!);
        given.records = late!;
      };
    }),
  ];
}
