// Times that are written as numbers, in any unit. To the same milliseconds as time-unit.ts, for whole numbers.

import { timeMax } from "./numbers";
import { powers } from "./tables";

/** Integers up to this one, on either side of 0, have an exact float64. */
export const exactMax: i64 = 1 << 53;

/** Stores `value` times ten to the power of `shift`, in ms; false when no date is so far from the epoch. */
// @ts-ignore: decorator
@inline
export function putTime(value: f64, shift: i32, out: usize): bool {
  let time = value;
  // Not as one expression: that divides in any case.
  if (shift > 0) time = value * load<f64>(powers + (usize(shift) << 3));
  if (shift < 0) time = value / load<f64>(powers + (usize(-shift) << 3));
  store<f64>(out, time);
  return abs(time) <= timeMax;
}
