// Windows by the calendar of a zone: its hours, days, weeks, months, or shifts. Each begins when the
// clocks there first show its beginning, and ends when the next one begins, so that a day is 23 or 25
// hours long where the clocks are put forward or back.

import { Zone } from "../zone.ts";
import type { Periods } from "./periods.ts";

export const calendarUnits = ["hour", "day", "week", "month"] as const;
export type CalendarUnit = (typeof calendarUnits)[number];

/** One shift: its name, and when it begins, ms after local midnight. */
export interface Shift {
  readonly name: string;
  readonly begins: number;
}

interface Period {
  readonly start: number;
  readonly end: number;
  readonly name: string | null;
}

const hour = 3_600_000;
const day = 24 * hour;
/** Periods that are remembered: those that are open, mostly. */
const rememberedMax = 64;

/** Cuts time into periods, and remembers those it was asked for last. */
class Calendar implements Periods {
  readonly #cut: (time: number) => Period;
  readonly #byStart = new Map<number, Period>();
  #last: Period = { start: 0, end: 0, name: null };

  constructor(cut: (time: number) => Period) {
    this.#cut = cut;
  }

  startOf(time: number): number {
    return this.#at(time).start;
  }

  endOf(start: number): number {
    return this.#at(start).end;
  }

  closingOf(start: number): number {
    return this.#at(start).end;
  }

  endedBy(watermark: number): number {
    return Number.isFinite(watermark) ? this.#at(watermark).start - 1 : watermark;
  }

  nameOf(start: number): string | null {
    return this.#at(start).name;
  }

  #at(time: number): Period {
    if (time >= this.#last.start && time < this.#last.end) return this.#last;
    this.#last = this.#byStart.get(time) ?? this.#search(time) ?? this.#remember(this.#cut(time));
    return this.#last;
  }

  #search(time: number): Period | undefined {
    for (const period of this.#byStart.values()) {
      if (time >= period.start && time < period.end) return period;
    }
    return undefined;
  }

  #remember(period: Period): Period {
    if (this.#byStart.size >= rememberedMax) this.#byStart.delete(this.#byStart.keys().next().value!);
    this.#byStart.set(period.start, period);
    return period;
  }
}

/** A unit of the calendar: its beginnings are counted from that of the epoch. */
interface Beginnings {
  /** The local time at which the n-th begins. */
  at(n: number): number;
  /** The one that holds a local time. */
  holding(local: number): number;
  name(n: number): string | null;
}

const unnamed = (): null => null;

const days: Beginnings = {
  at: (n) => n * day,
  holding: (local) => Math.floor(local / day),
  name: unnamed,
};

/** The epoch was a Thursday; weeks begin on Monday. */
const weekShift = 3 * day;

const weeks: Beginnings = {
  at: (n) => n * 7 * day - weekShift,
  holding: (local) => Math.floor((local + weekShift) / (7 * day)),
  name: unnamed,
};

/** Leap days of the calendar up to and with a year, from the year 0 on. */
function leapDays(year: number): number {
  return Math.floor(year / 4) - Math.floor(year / 100) + Math.floor(year / 400);
}

/** The day, counted from the epoch, on which the n-th month after January 1970 begins. */
function firstOfMonth(n: number): number {
  // In years that begin with March the leap day is the last, and months of 31 and 30 days follow a straight line.
  const years = Math.floor((n - 2) / 12);
  const within = Math.floor((153 * (n - 2 - 12 * years) + 2) / 5);
  const march1970 = 59;
  return march1970 + years * 365 + leapDays(1970 + years) - leapDays(1970) + within;
}

const months: Beginnings = {
  at: (n) => firstOfMonth(n) * day,
  holding(local) {
    const today = Math.floor(local / day);
    let n = Math.floor(today / 30.436_875);
    while (firstOfMonth(n) > today) n--;
    while (firstOfMonth(n + 1) <= today) n++;
    return n;
  },
  name: unnamed,
};

/** `shifts` in order of their beginning. */
function shiftBeginnings(shifts: readonly Shift[]): Beginnings {
  const count = shifts.length;
  const of = (n: number): number => n - count * Math.floor(n / count);
  return {
    at: (n) => Math.floor(n / count) * day + shifts[of(n)]!.begins,
    holding(local) {
      const midnight = Math.floor(local / day);
      // Before the day's first shift it is still the last one of the day before.
      const begun = shifts.filter(({ begins }) => begins <= local - midnight * day).length;
      return midnight * count + begun - 1;
    },
    name: (n) => shifts[of(n)]!.name,
  };
}

/** The periods from one beginning, as the clocks of the zone first show it, to the next. */
function periodsOf(zone: Zone, beginnings: Beginnings): Calendar {
  return new Calendar((time) => {
    let n = beginnings.holding(zone.local(time));
    let start = zone.instant(beginnings.at(n));
    let end = zone.instant(beginnings.at(n + 1));
    // Put back over a beginning, the clocks show what was before once more; it has begun all the same. Put
    // forward over a whole period, they leave none of it.
    while (end <= time || end === start) {
      n++;
      start = end;
      end = zone.instant(beginnings.at(n + 1));
    }
    return { start, end, name: beginnings.name(n) };
  });
}

/** Hours as the clocks show them; an hour that the clocks show twice, or a part of one, is another hour. */
function hoursOf(zone: Zone): Calendar {
  return new Calendar((time) => {
    const start = time - modulo(zone.local(time), hour);
    // Clocks that are put forward or back within an hour cut it there, be it by a whole one: those of Chatham go from
    // 2:45 to 3:45, which is another hour, though the minutes follow each other.
    return {
      start: sameOffsetFrom(zone, time, start),
      end: sameOffsetUntil(zone, time, start + hour),
      name: null,
    };
  });
}

function modulo(value: number, divisor: number): number {
  return value - Math.floor(value / divisor) * divisor;
}

/** The earliest whole ms after which the zone's offset is that of `time`, `start` where it is so all the way. */
function sameOffsetFrom(zone: Zone, time: number, start: number): number {
  const offset = zone.offset(time);
  if (zone.offset(start) === offset) return start;
  let [other, same] = [start, Math.floor(time)];
  while (same - other > 1) {
    const middle = Math.floor((other + same) / 2);
    if (zone.offset(middle) === offset) same = middle;
    else other = middle;
  }
  return same;
}

function sameOffsetUntil(zone: Zone, time: number, end: number): number {
  const offset = zone.offset(time);
  if (zone.offset(end - 1) === offset) return end;
  let [same, other] = [Math.floor(time), end - 1];
  while (other - same > 1) {
    const middle = Math.floor((other + same) / 2);
    if (zone.offset(middle) === offset) same = middle;
    else other = middle;
  }
  return other;
}

/** The periods of a unit in the zone of that name. */
export function calendarPeriods(unit: CalendarUnit, zone: string): Periods {
  const clocks = new Zone(zone);
  if (unit === "hour") return hoursOf(clocks);
  return periodsOf(clocks, { day: days, week: weeks, month: months }[unit]);
}

/** The shifts of every day in the zone of that name. */
export function shiftPeriods(shifts: readonly Shift[], zone: string): Periods {
  return periodsOf(new Zone(zone), shiftBeginnings(shifts.toSorted((a, b) => a.begins - b.begins)));
}
