// The state of one pipeline as plain data or as a frame of bytes, and back: all of it or nothing. Knows what belongs to
// a pipeline's state, and neither where it is kept nor when it is made.

import { messageOf, WeirError } from "../errors.ts";
import { dataOf, frameOf } from "../state/frame.ts";
import { bytesOf, damaged, listOf, member, numberOf, type Plain, wholeOf } from "../state/plain.ts";
import type { Course } from "./course.ts";
import type { Exit } from "./home.ts";
import { entriesOf, type Ledger } from "./ledger.ts";
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
  const { fingerprint, course, ledgers, exits } = parts;
  return {
    fingerprint,
    in: records,
    metrics: plainMetrics(metrics),
    course: course.snapshot(),
    ledgers: ledgers.map((ledger) => ledger.snapshot()),
    exits: exits.map(({ output, ledger, given }) => ({
      output: output.snapshot(),
      ledger: ledger.snapshot(),
      given: given.records,
    })),
  };
}

/** `now`: wall clock, ms. */
export function snapshotOf(parts: EngineParts, numbers: EngineNumbers, now: number): Uint8Array {
  return frameOf(parts.fingerprint, { made: now, state: treeOf(parts, numbers) });
}

/** Puts the state of a frame in place of the present one. Where it throws, nothing was changed. */
export function restoreFrom(frame: Uint8Array, parts: EngineParts, now: number): EngineNumbers {
  const data = dataOf(frame, parts.fingerprint);
  return restoreTree(member(data, "state"), parts, now - numberOf(member(data, "made")));
}

/** The same with what `treeOf` gave, which is made `passed` ms ago by the clock on the wall. Nothing of it is kept. */
export function restoreTree(tree: Plain, parts: EngineParts, passed: number): EngineNumbers {
  let numbers: EngineNumbers;
  let changes: readonly (() => void)[];
  try {
    if (!Buffer.from(bytesOf(member(tree, "fingerprint"))).equals(parts.fingerprint))
      throw changed(parts.name);
    numbers = { records: wholeOf(member(tree, "in")), metrics: metricsOf(member(tree, "metrics")) };
    changes = changesOf(tree, parts, passed);
  } catch (error) {
    throw error instanceof WeirError ? error : damaged(messageOf(error));
  }
  for (const change of changes) change();
  return numbers;
}

function changed(name: string): WeirError {
  return new WeirError("WEIR_STATE", `pipeline ${name} was kept with other steps, settings or columns`, {
    remedy: `run it as it was, or let it begin anew without its open windows: --forget ${name}`,
  });
}

/** Every change, made ready: none of them can fail. */
function changesOf(data: Plain, parts: EngineParts, passed: number): readonly (() => void)[] {
  const { course, ledgers, exits } = parts;
  const keptLedgers = listOf(member(data, "ledgers"), ledgers.length);
  const keptExits = listOf(member(data, "exits"), exits.length);
  return [
    course.restoring(member(data, "course"), passed),
    ...ledgers.map((ledger, place) => replacing(ledger, keptLedgers[place]!)),
    ...exits.map(({ ledger }, place) => replacing(ledger, member(keptExits[place]!, "ledger"))),
    ...exits.map(({ output }, place) => output.restoring(member(keptExits[place]!, "output"))),
    ...exits.map(({ given }, place) => {
      const records = wholeOf(member(keptExits[place]!, "given"));
      return () => void (given.records = records);
    }),
  ];
}

function replacing(ledger: Ledger, data: Plain): () => void {
  const entries = entriesOf(data);
  return () => ledger.replace(entries);
}
