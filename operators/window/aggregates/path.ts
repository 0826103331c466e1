// rate, integral and time_mean: sums over neighbours in event time. A state is a path from its first to
// its last value.
//
// What happens where order matters, for values and for merged parts alike:
// - A part that begins where another ends, or later, is joined to it; nothing is lost and nothing guessed.
//   Parts may be merged in any order.
// - Where two parts overlap, they are joined from the end of the one that begins first back to the
//   beginning of the other, and what lies between is taken off again, as if it ran straight: exact for
//   a straight line, and for a counter that was not reset in the overlap.
// - So a single value that comes after a later one is left out, unless it is before all others.

import type { Aggregate, AggregateDefinition, AggregateState, ColumnOf } from "weir/sdk";
import { present } from "./present.ts";
import { writeNumber } from "./result.ts";

/** What a step from one value to the next adds. `elapsed` is in milliseconds. */
type Step = (elapsed: number, from: number, to: number) => number;

/** Cells: time and value of the first, time and value of the last, the sum of the steps between. */
const initial: readonly number[] = [Number.POSITIVE_INFINITY, 0, Number.NEGATIVE_INFINITY, 0, 0];

type PathCells = readonly [Float64Array, Float64Array, Float64Array, Float64Array, Float64Array];

function along(step: Step): Pick<Aggregate, "initial" | "add" | "merge"> {
  /** From one value to another that may lie before it: then the way back. */
  const join = (time: number, value: number, toTime: number, toValue: number): number =>
    toTime >= time ? step(toTime - time, value, toValue) : -step(time - toTime, toValue, value);
  return {
    initial,
    add({ cells }, allSlots, allRows, total, input, batch) {
      const [firstTimes, firsts, lastTimes, lasts, sums] = cells as unknown as PathCells;
      const { values } = input as ColumnOf<"float64">;
      const { slots, rows, count } = present(allSlots, allRows, total, input);
      for (let i = 0; i < count; i++) {
        const slot = slots[i]!;
        const time = batch.time[rows[i]!]!;
        const value = values[rows[i]!]!;
        const elapsed = time - lastTimes[slot]!;
        if (elapsed >= 0) {
          if (elapsed !== Number.POSITIVE_INFINITY) sums[slot]! += step(elapsed, lasts[slot]!, value);
          else {
            firstTimes[slot] = time;
            firsts[slot] = value;
          }
          lastTimes[slot] = time;
          lasts[slot] = value;
        } else if (time < firstTimes[slot]!) {
          sums[slot]! += step(firstTimes[slot]! - time, value, firsts[slot]!);
          firstTimes[slot] = time;
          firsts[slot] = value;
        }
      }
    },
    merge(target, into, source, from) {
      const here = numbersAt(target, into);
      const there = numbersAt(source, from);
      if (isEmpty(there)) return;
      const joined = isEmpty(here)
        ? there
        : there[0] < here[0]
          ? joinParts(there, here)
          : joinParts(here, there);
      for (let cell = 0; cell < joined.length; cell++) target.cells[cell]![into] = joined[cell]!;
    },
  };
  /** Two parts, of which `early` begins first or came first. */
  function joinParts(early: PathNumbers, late: PathNumbers): PathNumbers {
    const sum = early[4] + late[4] + join(early[2], early[3], late[0], late[1]);
    if (late[2] >= early[2]) return [early[0], early[1], late[2], late[3], sum];
    const back = join(late[2], late[3], early[2], early[3]);
    return [early[0], early[1], early[2], early[3], sum + back];
  }
}

type PathNumbers = readonly [firstTime: number, first: number, lastTime: number, last: number, sum: number];

function numbersAt({ cells }: AggregateState, slot: number): PathNumbers {
  return [cells[0]![slot]!, cells[1]![slot]!, cells[2]![slot]!, cells[3]![slot]!, cells[4]![slot]!];
}

function isEmpty([, , lastTime]: PathNumbers): boolean {
  return lastTime === Number.NEGATIVE_INFINITY;
}

/** Trapezoids, in the value's unit times seconds. */
const area = along((elapsed, from, to) => (elapsed / 1000) * (from / 2 + to / 2));

/** How far a counter has gone up; where it fell, it was reset to zero before. */
const increase = along((_elapsed, from, to) => (to >= from ? to - from : to));

function finishing(
  result: (sum: number, seconds: number, last: number) => number,
): Pick<Aggregate, "finish"> {
  return {
    finish({ cells }: AggregateState, slots, count, out) {
      const [firstTimes, , lastTimes, lasts, sums] = cells as unknown as PathCells;
      for (let i = 0; i < count; i++) {
        const slot = slots[i]!;
        const seconds = (lastTimes[slot]! - firstTimes[slot]!) / 1000;
        writeNumber(out, i, seconds < 0 ? Number.NaN : result(sums[slot]!, seconds, lasts[slot]!));
      }
    },
  };
}

function define(name: string, summary: string, aggregate: Aggregate): AggregateDefinition {
  return {
    name,
    summary,
    input: ["float64"],
    parameters: [],
    output: () => "float64",
    create: () => aggregate,
  };
}

export const rate: AggregateDefinition = define(
  "rate",
  "How fast a counter goes up, per second of event time from its first value to its last; a fall is a reset to zero. Null without two different times. In `sliding` and `state` windows all values count, by event time. In others a value that comes after a later one is left out, unless it is the earliest; where a window is of several pieces (the rule of `window` says which), that is so within each. With `reorder` before the window all count.",
  { ...increase, ...finishing((sum, seconds) => (seconds > 0 ? sum / seconds : Number.NaN)) },
);

export const integral: AggregateDefinition = define(
  "integral",
  "The area under the values over seconds of event time, from the first value to the last, with straight lines between (trapezoids); 0 for one value. What lies between the last value of a window and the first of the next is in neither: of meters, `time_mean(x)` times the length of the window has it. In `sliding` and `state` windows all values count, by event time. In others a value that comes after a later one is left out, unless it is the earliest; where a window is of several pieces (the rule of `window` says which), that is so within each. With `reorder` before the window all count.",
  { ...area, ...finishing((sum) => sum) },
);

export const timeMean: AggregateDefinition = define(
  "time_mean",
  "The mean weighted by time: `integral` divided by the seconds from the first value to the last; the last value where there is only one time. Which values count is as for `integral`.",
  { ...area, ...finishing((sum, seconds, last) => (seconds > 0 ? sum / seconds : last)) },
);
