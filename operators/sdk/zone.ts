// Times as clocks and calendars show them: how far the clocks of a named zone are ahead of UTC, as `Intl` tells it, and
// a time as text. Keeps nothing, and knows no local default.

/** Where ECMAScript's calendar ends, ms on either side of the epoch. */
export const timeFarthest = 8.64e15;

/** By a time, how far the clocks are ahead then, ms; the farthest time there is stands for those beyond it. Throws a RangeError when there is no such zone. */
export function zoneOffset(zone: string): (time: number) => number {
  const format = new Intl.DateTimeFormat("en-US", { timeZone: zone, timeZoneName: "longOffset" });
  return (time) => {
    const text = format.format(Math.max(-timeFarthest, Math.min(timeFarthest, time)));
    const [, sign, hours, minutes, seconds] = /GMT(?:([+-])(\d+):(\d+)(?::(\d+))?)?$/.exec(text) ?? [];
    if (sign === undefined) return 0;
    const offset = (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds ?? 0)) * 1000;
    return sign === "-" ? -offset : offset;
  };
}

/** The years that RFC 3339 can write, which are four digits: from the first ms of 0 to the last of 9999. */
const writtenFrom = Date.parse("0000-01-01T00:00:00Z");
const writtenTo = Date.parse("9999-12-31T23:59:59.999Z");

/**
 * A time in RFC 3339, UTC, to the ms; null beyond the years that it can write. Down to a whole ms, before 1970 as well,
 * where `Date` would cut to the one after.
 */
export function textOfTime(time: number): string | null {
  const ms = Math.floor(time);
  return ms >= writtenFrom && ms <= writtenTo ? new Date(ms).toISOString() : null;
}
