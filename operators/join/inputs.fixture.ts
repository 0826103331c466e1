// Streams of records of two inputs and of none, and what an oracle of align and join needs of them: the
// records that are not late in the order of their turns.

import * as fc from "fast-check";
import { absence } from "../condition/absence.ts";
import { type Arrival, arrivalsOf, type Reading, readings, type Setting } from "../signal/stream.fixture.ts";
import { window } from "../window/window.ts";

/** By thousands of `n`: 0 for no input, 1 for the first, 2 for the second. */
export const inputs = { left: "n >= 1000.0 && n < 2000.0", right: "n >= 2000.0" } as const;

export function inputOf({ n }: Reading): number {
  return Math.floor(n / 1000) - 1;
}

/** Readings in random order of their inputs. */
export const mixedReadings: fc.Arbitrary<readonly Reading[]> = fc
  .tuple(readings({ step: 6 }), fc.array(fc.constantFrom(0, 1, 1, 1, 2, 2, 2), { minLength: 60 }))
  .map(([all, kinds]) => all.map((reading) => ({ ...reading, n: reading.n + 1000 * kinds[reading.n]! })));

export interface Stream {
  /** Records of an input that are not late, in the order of their turns. */
  readonly turns: readonly Arrival[];
  /** In the order in which they were first seen. */
  readonly keys: readonly (string | null)[];
  readonly late: number;
  /** Records of no input. */
  readonly others: number;
}

export function streamOf(all: readonly Reading[], lateness: number): Stream {
  const [arrivals] = arrivalsOf(all, lateness);
  const known = arrivals.filter((each) => inputOf(each) >= 0);
  const turns = known.filter(({ ts, watermark }) => ts >= watermark).toSorted((a, b) => a.ts - b.ts);
  return {
    turns,
    keys: [...new Set(known.map(({ key }) => key))],
    late: known.length - turns.length,
    others: arrivals.length - known.length,
  };
}

/** Steps that mind which watermark a row comes with, for what follows align or join. */
export const following: fc.Arbitrary<Setting["steps"][number]> = fc.constantFrom(
  [window, { tumbling: "10ms", by: "key", select: { n: "count()", right: "count(rn)" } }] as const,
  [absence, { for: "12ms", by: "key", returns: true }] as const,
);

/** What a row holds of a record: its number and its value. */
export function shown(record: Reading | undefined): readonly [number | null, number | null] {
  return record === undefined ? [null, null] : [record.n, record.x];
}

/** Compares lists of numbers one after the other. */
export function byNumbers(a: readonly number[], b: readonly number[]): number {
  const place = a.findIndex((each, index) => each !== b[index]);
  return place < 0 ? 0 : a[place]! - b[place]!;
}
