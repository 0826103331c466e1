// The functions over times of the function table: what a calendar and a clock show at an instant, in UTC or in a
// named zone. Names and counting are CEL's. Meaning only.

import { zoneOffset } from "../../operators/sdk/index.ts";
import { nearZone } from "./near-zone.ts";
import type { FunctionEntry, Overload, Prepared } from "./overload.ts";

/** How long what a zone's clocks were asked last holds, if they showed the same difference at its end. */
const quarter_ms = 900_000;
const day_ms = 86_400_000;

/** What a date says, of one whose UTC fields hold local time. */
type Reading = (local: Date) => number;

/** How far the clocks of a zone are ahead of UTC, ms. Asking takes microseconds, so the last answer is kept. */
function offsetIn(zone: string): (time: number) => number {
  const asked = zoneOffset(zone);
  let known = Number.NaN;
  let offset = 0;
  let isConstant = true;
  return (time) => {
    const quarter = Math.floor(time / quarter_ms);
    if (quarter !== known) {
      offset = asked(quarter * quarter_ms);
      // Some clocks were put forward or back at one minute past the hour.
      isConstant = asked((quarter + 1) * quarter_ms - 1) === offset;
      known = quarter;
    }
    return isConstant ? offset : asked(time);
  };
}

/**
 * What clocks that are `offset` ahead of UTC show at a time, NaN beyond the calendar's range. The ms that it is in
 * began before it: `Date` would cut times before 1970 to the one after, and so would a sum that is rounded.
 */
function shownAt(time: number, offset: number, reading: Reading): number {
  return reading(new Date(Math.floor(time) + offset));
}

function readingIn(reading: Reading): (zone: string) => Prepared {
  return (zone) => {
    try {
      const offset = offsetIn(zone);
      return { ok: true, run: (time: number): number => shownAt(time, offset(time), reading) };
    } catch {
      const near = nearZone(zone);
      const hint = near === undefined ? "write it like Europe/Paris" : `did you mean ${near}?`;
      return { ok: false, message: `there is no time zone ${zone}; ${hint}` };
    }
  };
}

function readings(reading: Reading): readonly Overload[] {
  return [
    { takes: ["time"], gives: "float64", run: (time: number): number => shownAt(time, 0, reading) },
    { takes: ["time", "string"], gives: "float64", run: () => null, prepare: readingIn(reading) },
  ];
}

const given = { ts: Date.UTC(2026, 2, 29, 1, 30) };
const types = { ts: "time" } as const;
const where = "in UTC, or in the zone that a literal names";

function entry(name: string, what: string, reading: Reading, inUtc: number, inParis: number): FunctionEntry {
  return {
    name,
    kind: "function",
    summary: `${what}, ${where}.`,
    overloads: readings(reading),
    examples: [
      { text: `ts.${name}()`, given, types, gives: inUtc },
      { text: `ts.${name}("Europe/Paris")`, given, types, gives: inParis },
    ],
  };
}

function dayOfYear(local: Date): number {
  const day = Date.UTC(2000, local.getUTCMonth(), local.getUTCDate());
  const first = new Date(day).setUTCFullYear(local.getUTCFullYear());
  return Math.round((first - new Date(first).setUTCMonth(0, 1)) / day_ms);
}

// The example is a Sunday on which clocks in Paris were put forward half an hour before.
export const timeFunctions: readonly FunctionEntry[] = [
  entry("getFullYear", "The year", (local) => local.getUTCFullYear(), 2026, 2026),
  entry("getMonth", "The month, 0 to 11", (local) => local.getUTCMonth(), 2, 2),
  entry("getDate", "The day of the month, from 1", (local) => local.getUTCDate(), 29, 29),
  entry("getDayOfYear", "The day of the year, 0 to 365", dayOfYear, 87, 87),
  entry("getDayOfWeek", "The day of the week, 0 (Sunday) to 6", (local) => local.getUTCDay(), 0, 0),
  entry("getHours", "The hour, 0 to 23", (local) => local.getUTCHours(), 1, 3),
  entry("getMinutes", "The minute, 0 to 59", (local) => local.getUTCMinutes(), 30, 30),
  entry("getSeconds", "The second, 0 to 59", (local) => local.getUTCSeconds(), 0, 0),
];
