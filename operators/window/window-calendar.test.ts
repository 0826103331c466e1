// Calendar windows against the clocks themselves: each window begins and ends where a local time begins,
// the windows of a zone cover all of time, and the days of a change of the clocks are as long as they were.

import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { runExample } from "weir/testing";
import { type CalendarUnit, calendarPeriods, shiftPeriods } from "./kinds/calendar.ts";
import type { Periods } from "./kinds/periods.ts";
import { window } from "./window.ts";
import { isZone, Zone } from "./zone.ts";

const hour = 3_600_000;

/** Where a local time of the clocks in a zone is shown, as `Intl` writes it. */
function shown(zone: string, time: number): string {
  const text = new Intl.DateTimeFormat("sv-SE", {
    timeZone: zone,
    dateStyle: "short",
    timeStyle: "medium",
  }).format(time);
  return text;
}

/** Windows from the one that holds `from` on, each as its beginning and its length in hours. */
function following(periods: Periods, zone: string, from: number, count: number): [string, number][] {
  const found: [string, number][] = [];
  let at = from;
  for (let i = 0; i < count; i++) {
    const start = periods.startOf(at);
    const end = periods.endOf(start);
    found.push([shown(zone, start), (end - start) / hour]);
    at = end;
  }
  return found;
}

describe("the days on which clocks change", () => {
  test.each([
    ["Europe/Berlin", "2026-03-28T12:00Z", ["2026-03-28 00:00:00", 24], ["2026-03-29 00:00:00", 23]],
    ["Europe/Berlin", "2026-10-24T12:00Z", ["2026-10-24 00:00:00", 24], ["2026-10-25 00:00:00", 25]],
    // The clocks are put forward at midnight: the day begins at one.
    ["America/Sao_Paulo", "2018-11-03T12:00Z", ["2018-11-03 00:00:00", 24], ["2018-11-04 01:00:00", 23]],
    // They are put back at midnight: the day before has its last hour twice.
    ["America/Sao_Paulo", "2018-02-17T12:00Z", ["2018-02-17 00:00:00", 25], ["2018-02-18 00:00:00", 24]],
    // They are put back to midnight: the day has its first hour twice.
    ["America/Havana", "2023-11-04T12:00Z", ["2023-11-04 00:00:00", 24], ["2023-11-05 00:00:00", 25]],
    ["Australia/Lord_Howe", "2026-04-04T12:00Z", ["2026-04-04 00:00:00", 24], ["2026-04-05 00:00:00", 24.5]],
    // The day of 30 December 2011 was left out.
    ["Pacific/Apia", "2011-12-29T20:00Z", ["2011-12-29 00:00:00", 24], ["2011-12-31 00:00:00", 24]],
    // Put back from one minute past midnight, to the day before.
    ["America/Goose_Bay", "2009-10-31T12:00Z", ["2009-10-31 00:00:00", 24], ["2009-11-01 00:00:00", 25]],
  ])("%s after %s", (zone, from, ...days) => {
    expect(following(calendarPeriods("day", zone), zone, Date.parse(from), 2)).toEqual(days);
  });

  test("hours that are shown twice are two, and one that is left out is none", () => {
    const berlin = calendarPeriods("hour", "Europe/Berlin");
    expect(following(berlin, "Europe/Berlin", Date.parse("2026-10-25T00:30Z"), 3)).toEqual([
      ["2026-10-25 02:00:00", 1],
      ["2026-10-25 02:00:00", 1],
      ["2026-10-25 03:00:00", 1],
    ]);
    expect(following(berlin, "Europe/Berlin", Date.parse("2026-03-29T00:30Z"), 2)).toEqual([
      ["2026-03-29 01:00:00", 1],
      ["2026-03-29 03:00:00", 1],
    ]);
  });

  test.each([
    // Put back from 2:00 to 1:30, and forward from 2:00 to 2:30.
    ["Australia/Lord_Howe", "2025-04-05T14:00Z", ["01:00", 1], ["01:30", 0.5], ["02:00", 1]],
    ["Australia/Lord_Howe", "2025-10-04T14:30Z", ["01:00", 1], ["02:30", 0.5], ["03:00", 1]],
    // By a whole hour, but from 3:45 to 2:45 and from 2:45 to 3:45.
    ["Pacific/Chatham", "2025-04-05T13:15Z", ["03:00", 0.75], ["02:45", 0.25], ["03:00", 1]],
    ["Pacific/Chatham", "2025-09-27T13:15Z", ["02:00", 0.75], ["03:45", 0.25], ["04:00", 1]],
    // At one minute past midnight.
    ["America/St_Johns", "2009-03-08T03:30Z", ["00:00", 1 / 60], ["01:01", 59 / 60], ["02:00", 1]],
  ] as const)("an hour within which the clocks are changed is cut there: %s, %s", (zone, from, ...hours) => {
    const found = following(calendarPeriods("hour", zone), zone, Date.parse(from), 3);
    expect(found.map(([time, length]) => [time.slice(11, 16), length])).toEqual(hours);
  });

  test("shifts go on through them", () => {
    const shifts = [
      { name: "late", begins: 14 * hour },
      { name: "night", begins: 22 * hour },
      { name: "early", begins: 2.5 * hour },
    ];
    const periods = shiftPeriods(shifts, "Europe/Berlin");
    expect(following(periods, "Europe/Berlin", Date.parse("2026-03-28T22:00Z"), 2)).toEqual([
      ["2026-03-28 22:00:00", 4],
      // There is no half past two: the shift begins when the clocks jump over it.
      ["2026-03-29 03:00:00", 11],
    ]);
    expect(following(periods, "Europe/Berlin", Date.parse("2026-10-24T22:00Z"), 2)).toEqual([
      ["2026-10-24 22:00:00", 4.5],
      ["2026-10-25 02:30:00", 12.5],
    ]);
    expect(periods.nameOf(Date.parse("2026-10-24T22:00Z"))).toBe("night");
  });
});

test("weeks begin on Monday, months on the first", () => {
  const weeks = calendarPeriods("week", "UTC");
  expect(following(weeks, "UTC", Date.parse("2026-01-01T00:00Z"), 2)).toEqual([
    ["2025-12-29 00:00:00", 168],
    ["2026-01-05 00:00:00", 168],
  ]);
  const months = calendarPeriods("month", "Europe/Berlin");
  expect(following(months, "Europe/Berlin", Date.parse("2024-02-29T12:00Z"), 2)).toEqual([
    ["2024-02-01 00:00:00", 29 * 24],
    ["2024-03-01 00:00:00", 31 * 24 - 1],
  ]);
  expect(following(months, "Europe/Berlin", Date.parse("1969-12-31T22:59Z"), 1)).toEqual([
    ["1969-12-01 00:00:00", 31 * 24],
  ]);
});

const zones = [
  "UTC",
  "Europe/Berlin",
  "America/Sao_Paulo",
  "Australia/Lord_Howe",
  "Asia/Kathmandu",
  "Pacific/Apia",
  "America/Goose_Bay",
  "Africa/Casablanca",
  "America/St_Johns",
];

test("every instant is in one window, which is the same however it is asked for", () => {
  const units = fc.constantFrom<CalendarUnit | "shifts">("hour", "day", "week", "month", "shifts");
  const instant = fc.oneof(
    fc.integer({ min: Date.UTC(1950, 0), max: Date.UTC(2040, 0) }),
    fc.integer({ min: -8.6e15, max: 8.6e15 }),
  );
  const open = (unit: CalendarUnit | "shifts", zone: string): Periods => {
    if (unit !== "shifts") return calendarPeriods(unit, zone);
    const shifts = [0, 0.5, 3, 23].map((begins, place) => ({ name: `${place}`, begins: begins * hour }));
    return shiftPeriods(shifts, zone);
  };
  fc.assert(
    fc.property(units, fc.constantFrom(...zones), instant, (unit, zone, time) => {
      const periods = open(unit, zone);
      const start = periods.startOf(time);
      const end = periods.endOf(start);
      expect(start).toBeLessThanOrEqual(time);
      expect(end).toBeGreaterThan(time);
      // Asked for by any instant in it, and afresh.
      for (const other of [start, end - 1, Math.floor((start + end) / 2)])
        expect([open(unit, zone).startOf(other), open(unit, zone).endOf(other)]).toEqual([start, end]);
      expect(open(unit, zone).startOf(end)).toBe(end);
      expect(open(unit, zone).endOf(start - 1)).toBe(start);
      // It has ended when the watermark is at its end, and not before.
      expect(periods.endedBy(end)).toBeGreaterThanOrEqual(start);
      expect(periods.endedBy(end - 1)).toBeLessThan(start);
    }),
    { seed: 3, numRuns: 300 },
  );
});

test("what the clocks show is what Intl shows", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...zones),
      fc.integer({ min: Date.UTC(1900, 0), max: Date.UTC(2100, 0) }),
      (name, time) => {
        const local = new Date(new Zone(name).local(time)).toISOString();
        expect(local.slice(0, 19).replace("T", " ")).toBe(shown(name, time));
      },
    ),
    { seed: 4, numRuns: 200 },
  );
});

test("zones are known by their names", () => {
  expect(["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires"].map(isZone)).toEqual([true, true, true]);
  expect(["", "Berlin", "Europe/Berln", "__proto__"].map(isZone)).toEqual([false, false, false, false]);
});

test("a late record is in its day while that is open", () => {
  const midnight = Date.UTC(1969, 9, 26, 4);
  const input = [{ ts: midnight }, { ts: midnight - 1 }, { ts: midnight + 25 * hour }, { ts: midnight + 1 }];
  const example = {
    title: "",
    config: { calendar: { unit: "day", zone: "America/New_York" }, select: { n: "count()" } },
    schema: { ts: "time" } as const,
    time: "ts",
    input,
    output: [],
  };
  const { rows, faults } = runExample(window, example, 2);
  expect(faults).toEqual([]);
  expect(rows.map((row) => [row["window_start"], row["n"]])).toEqual([
    [midnight, 1],
    [midnight + 25 * hour, 1],
  ]);
});
