// Aggregates as one would explain them: over the records themselves, from the beginning each time. Part of
// the oracle that tests hold the engine to; shares no code with it.

import type { Fields } from "./payload.ts";

/** A record that a window was offered. */
export interface Arrival {
  readonly record: Fields;
  readonly time: number;
  /** The watermark in force when it came. */
  readonly inForce: number;
  /** Its key, as text. */
  readonly key: string;
}

/** One column of a result: an aggregate of a field, `field` null for `count()`. */
export interface OracleColumn {
  readonly aggregate: string;
  readonly field: string | null;
  /** The second argument of `arg_min`, `arg_max` and `corr`. */
  readonly second?: string;
  readonly parameters?: readonly number[];
}

/** Stands for a result that is not told for records that came out of order. */
export const untold: unique symbol = Symbol("untold");

type Result = number | string | null | typeof untold;

/** A value with the time of its record, and the second argument's. */
interface Sample {
  readonly value: number;
  readonly time: number;
  readonly other: number | null;
}

/** Samples as they came, of which there is one at least. */
type Definition = (samples: readonly Sample[], parameters: readonly number[]) => Result;

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const average = (values: readonly number[]): number => sum(values) / values.length;
const valuesOf = (samples: readonly Sample[]): number[] => samples.map(({ value }) => value);
/** A stable sort: of equal times, the first and the last to arrive stay the first and the last. */
const inTime = (samples: readonly Sample[]): Sample[] => samples.toSorted((a, b) => a.time - b.time);
const rising = (samples: readonly Sample[]): number[] => valuesOf(samples).sort((a, b) => a - b);

function varianceOf(values: readonly number[]): number | null {
  const mean = average(values);
  return values.length < 2 ? null : sum(values.map((value) => (value - mean) ** 2)) / (values.length - 1);
}

/** Sums of products of the distances from the means. */
function comoment(a: readonly number[], b: readonly number[]): number {
  const [meanA, meanB] = [average(a), average(b)];
  return sum(a.map((value, i) => (value - meanA) * (b[i]! - meanB)));
}

/** The sum over neighbours in time; untold where they did not come in that order. */
function along(
  samples: readonly Sample[],
  step: (from: Sample, to: Sample) => number,
): number | typeof untold {
  if (samples.some(({ time }, i) => i > 0 && time < samples[i - 1]!.time)) return untold;
  return sum(samples.slice(1).map((to, i) => step(samples[i]!, to)));
}

const seconds = (samples: readonly Sample[]): number => (samples.at(-1)!.time - samples[0]!.time) / 1000;
const area = (samples: readonly Sample[]): number | typeof untold =>
  along(samples, (from, to) => ((to.time - from.time) / 1000) * ((from.value + to.value) / 2));

function perSecond(whole: number | typeof untold, samples: readonly Sample[], none: number | null): Result {
  if (whole === untold) return untold;
  return seconds(samples) > 0 ? whole / seconds(samples) : none;
}

/** How often each value came, the most frequent first and of equal ones the smallest. */
function frequencies(samples: readonly Sample[]): [number, number][] {
  const counts = new Map<number, number>();
  for (const { value } of samples) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort(([a, n], [b, m]) => m - n || a - b);
}

function extreme(samples: readonly Sample[], sign: 1 | -1): Result {
  const full = inTime(samples).filter(({ other }) => other !== null);
  const best = full.toSorted((a, b) => sign * (a.other! - b.other!))[0];
  return best?.value ?? null;
}

function correlation(samples: readonly Sample[]): Result {
  const full = samples.filter(({ other }) => other !== null);
  if (full.length === 0) return null;
  const [x, y] = [valuesOf(full), full.map(({ other }) => other!)];
  if (new Set(x).size < 2 || new Set(y).size < 2) return null;
  return comoment(x, y) / Math.sqrt(comoment(x, x) * comoment(y, y));
}

const definitions: Readonly<Record<string, Definition>> = {
  sum: (samples) => sum(valuesOf(samples)),
  mean: (samples) => average(valuesOf(samples)),
  min: (samples) => rising(samples)[0]!,
  max: (samples) => rising(samples).at(-1)!,
  range: (samples) => rising(samples).at(-1)! - rising(samples)[0]!,
  first: (samples) => inTime(samples)[0]!.value,
  last: (samples) => inTime(samples).at(-1)!.value,
  delta: (samples) => inTime(samples).at(-1)!.value - inTime(samples)[0]!.value,
  stddev(samples) {
    const spread = varianceOf(valuesOf(samples));
    return spread === null ? null : Math.sqrt(spread);
  },
  median(samples) {
    const sorted = rising(samples);
    return average([sorted[(sorted.length - 1) >> 1]!, sorted[sorted.length >> 1]!]);
  },
  quantile: (samples, [share]) => rising(samples)[Math.floor(share! * (samples.length - 1))]!,
  mode: (samples) => frequencies(samples)[0]![0],
  top_k: (samples, [k]) =>
    JSON.stringify(
      frequencies(samples)
        .slice(0, k)
        .map(([value, count]) => ({ value, count, error: 0 })),
    ),
  histogram(samples, bounds) {
    const edges = [Number.NEGATIVE_INFINITY, ...bounds, Number.POSITIVE_INFINITY];
    const counts = edges
      .slice(1)
      .map((edge, i) => valuesOf(samples).filter((value) => value >= edges[i]! && value < edge).length);
    return JSON.stringify({ bounds, counts });
  },
  arg_min: (samples) => extreme(samples, 1),
  arg_max: (samples) => extreme(samples, -1),
  collect: (samples, [most]) =>
    along(samples, () => 0) === untold ? untold : JSON.stringify(valuesOf(samples).slice(0, most)),
  rate: (samples) =>
    perSecond(
      along(samples, (from, to) => (to.value >= from.value ? to.value - from.value : to.value)),
      samples,
      null,
    ),
  integral: area,
  time_mean: (samples) => perSecond(area(samples), samples, samples.at(-1)!.value),
  ewma(samples, [halfLife]) {
    const latest = Math.max(...samples.map(({ time }) => time));
    const weights = samples.map(({ time }) => 0.5 ** ((latest - time) / 1000 / halfLife!));
    return sum(samples.map(({ value }, i) => value * weights[i]!)) / sum(weights);
  },
  slope(samples) {
    const times = samples.map(({ time }) => time / 1000);
    return new Set(times).size < 2 ? null : comoment(times, valuesOf(samples)) / comoment(times, times);
  },
  corr: correlation,
  count_distinct: (samples) => new Set(samples.map(({ value }) => value)).size,
};

/** What stands where there is no value at all. */
const empty: Readonly<Record<string, Result>> = {
  count: 0,
  count_distinct: 0,
  top_k: "[]",
  collect: "[]",
};

/** Of a group in the order in which its records came. */
export function aggregate(column: OracleColumn, group: readonly Arrival[]): Result {
  const { aggregate: name, field, second, parameters = [] } = column;
  if (name === "count" && field === null) return group.length;
  const samples = group
    .filter(({ record }) => (record[field!] ?? null) !== null)
    .map(({ record, time }) => ({
      value: record[field!] as number,
      time,
      other: second === undefined ? null : ((record[second] ?? null) as number | null),
    }));
  if (name === "count") return samples.length;
  if (samples.length > 0) return definitions[name]!(samples, parameters);
  if (name === "histogram")
    return JSON.stringify({ bounds: parameters, counts: [0, ...parameters.map(() => 0)] });
  return empty[name] ?? null;
}
