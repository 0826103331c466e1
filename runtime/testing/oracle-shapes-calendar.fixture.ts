// Windows of the calendar around days on which clocks change, with everything that they may send.

import * as fc from "fast-check";
import { early, final, gaps, type Shape, shapesOf, updates } from "./oracle.fixture.ts";
import type { OracleUnit } from "./oracle-calendar.ts";
import type { OracleEmission } from "./oracle-kinds.ts";

const minute = 60_000;
const day = 1_440 * minute;

interface Case {
  readonly unit: OracleUnit;
  readonly zone: string;
  /** Around when records come. */
  readonly base: string;
  /** What one step of a record's time is, in minutes. */
  readonly scale: number;
}

const shifts = { early: "06:00", late: "14:00", night: "22:00" };
const cases: readonly Case[] = [
  { unit: "day", zone: "Europe/Berlin", base: "2026-03-28T18:00Z", scale: 15 },
  { unit: "day", zone: "Europe/Berlin", base: "2026-10-24T18:00Z", scale: 15 },
  { unit: "day", zone: "America/Sao_Paulo", base: "2018-11-03T18:00Z", scale: 15 },
  { unit: "day", zone: "America/Goose_Bay", base: "2009-10-31T18:00Z", scale: 15 },
  { unit: "hour", zone: "Australia/Lord_Howe", base: "2026-04-04T12:00Z", scale: 2 },
  { unit: "hour", zone: "America/New_York", base: "2026-11-01T04:00Z", scale: 2 },
  { unit: "week", zone: "America/New_York", base: "2026-11-01T00:00Z", scale: 15 },
  { unit: "month", zone: "Europe/Berlin", base: "2026-03-30T00:00Z", scale: 15 },
  { unit: shifts, zone: "Europe/Berlin", base: "2026-03-28T18:00Z", scale: 10 },
  { unit: shifts, zone: "Asia/Kolkata", base: "2026-03-28T18:00Z", scale: 10 },
];

function calendar(emission: (scale: number) => fc.Arbitrary<OracleEmission>): fc.Arbitrary<Shape> {
  return fc.constantFrom(...cases).chain(({ unit, zone, base, scale }) => {
    const at = Date.parse(base);
    const around = unit === "month" ? 70 * day : 21 * day;
    const window = { kind: "calendar", unit, zone, from: at - around, to: at + around } as const;
    return shapesOf(fc.constant(window), emission(scale * minute), at, scale * minute);
  });
}

export const calendarShapes: Readonly<Record<string, fc.Arbitrary<Shape>>> = {
  calendar: calendar(() => final),
  "calendar, early": calendar((scale) => early(7 * scale, 60 * scale)),
  "calendar, updates": calendar(updates),
  "calendar, gaps": calendar(() => gaps),
};
