// What is said of a record whose time is too far ahead of the clock: by how much, and the unit in which it would be a time of
// these years, because that is what is wrong nearly always. Judges no record.

import type { TimeUnit } from "../codec/codec.ts";

/** Units that are finer than one, each a thousandth of the one before. */
const finer: Readonly<Record<TimeUnit, readonly TimeUnit[]>> = {
  s: ["ms", "us", "ns"],
  ms: ["us", "ns"],
  us: ["ns"],
  ns: [],
  iso: [],
};

/** So far from the clock a time is taken for one of these years, ms: three of them. */
export const nearClock_ms: number = 3 * 365 * 86_400_000;

/** A clock that shows less stands in its first year, ms. */
const unset_ms = 365 * 86_400_000;

/** What a clock shows that was never set, or a test's, which begins with 1970. */
function unsetText(at: number): string {
  return `, which shows 1970: a test's moves on by a pause before the record: { pause: ${Math.floor(at / 86_400_000)}d }`;
}

/** `at` and `now` in ms; `unit` is what the pipeline says that the field is written in. */
export function aheadText(at: number, now: number, unit: TimeUnit = "ms"): string {
  const ahead = `event time is ${Math.round(at - now)} ms ahead of the clock`;
  if (at - now < nearClock_ms) return ahead;
  // What is far ahead of such a clock tells nothing of units.
  if (now < unset_ms) return `${ahead}${unsetText(at)}`;
  const meant = finer[unit].find((_, place) => Math.abs(at / 1000 ** (place + 1) - now) < nearClock_ms);
  return meant === undefined
    ? ahead
    : `${ahead}; written in ${meant} it would be of these years: unit: ${meant}`;
}
