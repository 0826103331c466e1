// Time as text: RFC 3339 with its zone, or a date alone, which is midnight UTC. Strict: no local time, no
// missing zone, no day that the month does not have. Pure.
//
//     2024-02-29   2024-02-29T12:30Z   2024-02-29T12:30:59.123456789+02:00
//
// Minutes may end the time (ISO 8601); up to nine digits of a second are read, a leap second is not.

const pattern =
  /^(\d{4})-(\d{2})-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(?:Z|([+-])(\d{2}):(\d{2})))?$/;

const daysBefore: readonly number[] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
const monthDays: readonly number[] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

/** Days from 1970-01-01; undefined for a day that does not exist. */
function dayNumber(year: number, month: number, day: number): number | undefined {
  if (month < 1 || month > 12 || day < 1) return undefined;
  const leap = isLeap(year);
  if (day > monthDays[month - 1]! + (leap && month === 2 ? 1 : 0)) return undefined;
  const past = year + 3;
  // Leap days of the years before this one, counted from year 0, which had one.
  const leapDays = Math.floor(past / 4) - Math.floor((year + 99) / 100) + Math.floor((year + 399) / 400);
  const before = daysBefore[month - 1]! + (leap && month > 2 ? 1 : 0);
  return year * 365 + leapDays + before + day - 1 - 719_528;
}

/** Milliseconds since the epoch, with the fraction that the text has; undefined when it is not such a text. */
export function parseTimestamp(text: string): number | undefined {
  const match = pattern.exec(text);
  if (match === null) return undefined;
  const part = (index: number): number => Number(match[index] ?? 0);
  const days = dayNumber(part(1), part(2), part(3));
  const hour = part(4);
  const minute = part(5);
  const second = part(6);
  const zone = (part(9) * 60 + part(10)) * (match[8] === "-" ? -1 : 1);
  if (days === undefined || hour > 23 || minute > 59 || second > 59) return undefined;
  if (part(9) > 23 || part(10) > 59) return undefined;
  const nanoseconds = Number((match[7] ?? "").padEnd(9, "0"));
  const whole = (days * 1440 + hour * 60 + minute - zone) * 60_000 + second * 1000;
  // Whole milliseconds first: they add without error.
  return whole + Math.floor(nanoseconds / 1e6) + (nanoseconds % 1e6) / 1e6;
}
