// The state of one pipeline as a frame of bytes, and back: all of it or nothing. Knows what belongs to a
// pipeline's state, and neither where the bytes are kept nor when they are made.

import { messageOf, WeirError } from "../errors.ts";
import { dataOf, frameOf } from "../state/frame.ts";
import { damaged, listOf, member, type Plain, wholeOf } from "../state/plain.ts";
import type { Course } from "./course.ts";
import type { Exit } from "./home.ts";
import { entriesOf, type Ledger } from "./ledger.ts";

/** What outlives the process, but for the number of records that came in. */
export interface EngineParts {
  readonly fingerprint: Uint8Array;
  /** Event time, and the steps at home. */
  readonly course: Course;
  /** Of the stateless part, and of the steps that branches share. */
  readonly ledgers: readonly Ledger[];
  readonly exits: readonly Exit[];
}

export function snapshotOf(parts: EngineParts, records: number, now: number): Uint8Array {
  const { fingerprint, course, ledgers, exits } = parts;
  return frameOf(fingerprint, {
    in: records,
    course: course.snapshot(now),
    ledgers: ledgers.map((ledger) => ledger.snapshot()),
    exits: exits.map(({ output, ledger, given }) => ({
      output: output.snapshot(),
      ledger: ledger.snapshot(),
      given: given.records,
    })),
  });
}

/** Puts the state of a frame in place of the present one; answers how many records had come in. Where it throws, nothing was changed. */
export function restoreFrom(frame: Uint8Array, parts: EngineParts, now: number): number {
  const data = dataOf(frame, parts.fingerprint);
  let records: number;
  let changes: readonly (() => void)[];
  try {
    records = wholeOf(member(data, "in"));
    changes = changesOf(data, parts, now);
  } catch (error) {
    throw error instanceof WeirError ? error : damaged(messageOf(error));
  }
  for (const change of changes) change();
  return records;
}

/** Every change, made ready: none of them can fail. */
function changesOf(data: Plain, parts: EngineParts, now: number): readonly (() => void)[] {
  const { course, ledgers, exits } = parts;
  const keptLedgers = listOf(member(data, "ledgers"), ledgers.length);
  const keptExits = listOf(member(data, "exits"), exits.length);
  return [
    course.restoring(member(data, "course"), now),
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
