// slope: the line that fits values over event time best, from one pass and in any order.

import type { Aggregate, AggregateDefinition, AggregateState, ColumnOf } from "weir/sdk";
import { copyCells } from "./copied.ts";
import { type Present, present } from "./present.ts";
import { writeNumber } from "./result.ts";

/**
 * Cells: how many values, the time of the first, the mean of the times counted from it, the mean of the values, the sum of
 * squared differences of the times, the sum of their products with those of the values. Times count from the first because
 * the mean of times of today, in ms since 1970, is only held to a quarter of a microsecond.
 */
const initial: readonly number[] = [0, Number.NaN, 0, 0, 0, 0];

type SlopeCells = [
  counts: Float64Array,
  origins: Float64Array,
  meanTimes: Float64Array,
  meanValues: Float64Array,
  squares: Float64Array,
  products: Float64Array,
];

/** Pébay's update, as in comoments.ts. */
function addValues(
  { cells }: AggregateState,
  { slots, rows, count }: Present,
  times: Float64Array,
  values: Float64Array,
): void {
  const [counts, origins, meanTimes, meanValues, squares, products] = cells as unknown as SlopeCells;
  for (let i = 0; i < count; i++) {
    const slot = slots[i]!;
    const row = rows[i]!;
    const seen = counts[slot]! + 1;
    if (seen === 1) origins[slot] = times[row]!;
    const time = times[row]! - origins[slot]!;
    const fromTime = time - meanTimes[slot]!;
    const fromValue = values[row]! - meanValues[slot]!;
    meanTimes[slot]! += fromTime / seen;
    meanValues[slot]! += fromValue / seen;
    squares[slot]! += fromTime * (time - meanTimes[slot]!);
    products[slot]! += fromTime * (values[row]! - meanValues[slot]!);
    counts[slot] = seen;
  }
}

function mergeValues(target: AggregateState, into: number, source: AggregateState, from: number): void {
  const others = source.cells.map((cell) => cell[from]!);
  const [added, origin, meanTime, meanValue, square, product] = others as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  if (added === 0) return;
  const [counts, origins, meanTimes, meanValues, squares, products] = target.cells as unknown as SlopeCells;
  const before = counts[into]!;
  if (before === 0) return copyCells(target, into, source, from);
  const total = before + added;
  const shared = (before * added) / total;
  const betweenTimes = origin - origins[into]! + meanTime - meanTimes[into]!;
  const betweenValues = meanValue - meanValues[into]!;
  counts[into] = total;
  meanTimes[into]! += (betweenTimes * added) / total;
  meanValues[into]! += (betweenValues * added) / total;
  squares[into]! += square + betweenTimes * betweenTimes * shared;
  products[into]! += product + betweenTimes * betweenValues * shared;
}

const slopePerSecond: Aggregate = {
  initial,
  isPartial: true,
  add(state, slots, rows, count, input, { time }) {
    addValues(state, present(slots, rows, count, input), time, (input as ColumnOf<"float64">).values);
  },
  merge: mergeValues,
  finish({ cells }, slots, count, out) {
    const [, , , , squares, products] = cells as unknown as SlopeCells;
    for (let i = 0; i < count; i++) writeNumber(out, i, (1000 * products[slots[i]!]!) / squares[slots[i]!]!);
  },
};

export const slope: AggregateDefinition = {
  name: "slope",
  summary:
    "The slope per second of the line that fits the values over event time best (least squares); null without two different times.",
  input: ["float64"],
  parameters: [],
  output: () => "float64",
  create: () => slopePerSecond,
};
