// Streams that an operator has to stand, made from one of its examples: the same columns, values near
// those that it names, times in its steps, nulls wherever one may be. Random by a seed, never by chance.

import * as fc from "fast-check";
import type { ColumnType, Example } from "../../operators/sdk/index.ts";
import type { Harness } from "./harness.ts";
import type { Fields } from "./payload.ts";

/** A configuration, and the columns that it is tried on. An example is one. */
export type Trial = Pick<Example, "config" | "schema" | "time" | "lookups" | "input">;

/** One thing that happens: a record arrives, or the clock moves on by so many ms without one. */
export type Happening = { readonly record: Fields } | { readonly pause: number };

/** Distinct values of a column in the example. */
function seen({ input }: Trial, name: string): unknown[] {
  return [...new Set(input.map((record) => record[name]))].filter((value) => value !== undefined);
}

/** Values that a payload may hold for a column of the type. */
function valuesOf(type: ColumnType): readonly unknown[] {
  switch (type) {
    case "float64":
      return [-3, -1, 0, 0.5, 1, 2, 7, 1e6];
    case "int64":
      return [-2, 0, 1, 5, 9_007_199_254_740_991];
    case "bool":
      return [true, false];
    case "string":
      return ["a", "b", "", "ü\u{1f9ca}"];
    case "time":
      return [0, 1_000];
    case "json":
      return [{ a: [1] }, [], "text", 1];
  }
}

/** Values of a column: mostly those of the example, which its conditions know. `few` for streams whose keys must not grow in number. */
function values(trial: Trial, name: string, type: ColumnType): fc.Arbitrary<unknown> {
  const known = seen(trial, name);
  const any = fc.constantFrom(...valuesOf(type), null);
  if (known.length === 0) return any;
  return fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...known) }, { weight: 1, arbitrary: any });
}

/** Steps of time between the records of the example, ms. */
function stepsOf(trial: Trial): number[] {
  const times = seen(trial, trial.time ?? "").filter((time) => typeof time === "number");
  const sorted = times.toSorted((a, b) => a - b);
  const steps = sorted.slice(1).map((time, place) => time - sorted[place]!);
  return steps.length === 0 ? [1_000] : steps;
}

/** The longest step of a trial, ms. */
export function longestStep(trial: Trial): number {
  return Math.max(...stepsOf(trial));
}

/** Streams of `length` happenings at most; of exactly so many where `exact`. */
export function streams(trial: Trial, length: number, exact = false): fc.Arbitrary<readonly Happening[]> {
  const steps = stepsOf(trial);
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...steps, 0) },
    { weight: 4, arbitrary: fc.constantFrom(...steps).map((each) => Math.ceil(each / 3)) },
    { weight: 1, arbitrary: fc.constantFrom(...steps).map((each) => -each) },
  );
  const columns = Object.entries(trial.schema).filter(([name]) => name !== trial.time);
  const record = fc.record(
    Object.fromEntries(columns.map(([name, type]) => [name, values(trial, name, type)])),
  );
  const one = fc.record({ step, record, kind: fc.integer({ min: 0, max: 29 }) });
  const first = Number(trial.input[0]?.[trial.time ?? ""] ?? 0);
  return fc.array(one, { minLength: exact ? length : 0, maxLength: length, size: "max" }).map((all) => {
    let time = first;
    return all.map(({ step, record, kind }): Happening => {
      if (kind === 0) return { pause: Math.abs(step) };
      time += step;
      // A record may have no time: it never enters.
      return {
        record: trial.time === undefined ? record : { ...record, [trial.time]: kind === 1 ? null : time },
      };
    });
  });
}

/** A stream that still shows what `shows` looks for, and of which no part can be left out. */
export function shortened(
  stream: readonly Happening[],
  shows: (stream: readonly Happening[]) => boolean,
): readonly Happening[] {
  let left = stream;
  for (let size = Math.ceil(left.length / 2); size >= 1; size--) {
    for (let at = 0; at < left.length; ) {
      const shorter = left.toSpliced(at, size);
      if (shows(shorter)) left = shorter;
      else at += size;
    }
  }
  return left;
}

export function happen(harness: Harness, happening: Happening): void {
  if ("pause" in happening) harness.pause(happening.pause);
  else harness.record(happening.record);
}
