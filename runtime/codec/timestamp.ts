// Times as payloads write them, to milliseconds since the epoch. Reads no clock and knows no format:
// a codec passes the number, integer or text that it found. NaN means "not a time".

import type { TimeUnit } from "./codec.ts";

/** The range of time that ECMAScript dates, and therefore calendars, can hold. */
const timeMsMax = 8.64e15;

const perMillisecond: Readonly<Record<Exclude<TimeUnit, "iso">, number>> = {
  s: 0.001,
  ms: 1,
  us: 1e3,
  ns: 1e6,
};

/** A number of `unit`s; NaN beyond the range of dates, and for unit `iso`, which is text. */
export function timeOfNumber(value: number, unit: TimeUnit): number {
  if (unit === "iso") return Number.NaN;
  return bounded(unit === "s" ? value * 1000 : value / perMillisecond[unit]);
}

/** As `timeOfNumber`, but nanoseconds beyond 2^53 are divided before they are rounded. */
export function timeOfInteger(value: bigint, unit: TimeUnit): number {
  if (unit !== "us" && unit !== "ns") return timeOfNumber(Number(value), unit);
  const divisor = unit === "us" ? 1_000n : 1_000_000n;
  return bounded(Number(value / divisor) + Number(value % divisor) / Number(divisor));
}

const isoPattern =
  /^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d\d):(\d\d)))?$/;

/**
 * RFC 3339: a date, or a date and time with its zone. A date alone is midnight UTC. A time without a
 * zone is refused, because it means another instant on each machine; so are days that do not exist.
 */
export function timeOfIso(text: string): number {
  const parts = isoPattern.exec(text);
  if (parts === null) return Number.NaN;
  const part = (index: number): number => Number(parts[index] ?? 0);
  const [hour, minute, second] = [part(4), part(5), part(6)];
  const [zoneHour, zoneMinute] = [part(9), part(10)];
  if (hour > 23 || minute > 59 || second > 59 || zoneHour > 23 || zoneMinute > 59) return Number.NaN;
  // setUTCFullYear takes years below 100 as they are, which Date.UTC does not.
  const day = new Date(0);
  day.setUTCFullYear(part(1), part(2) - 1, part(3));
  if (day.getUTCMonth() !== part(2) - 1 || day.getUTCDate() !== part(3)) return Number.NaN;
  const zone = (zoneHour * 60 + zoneMinute) * (parts[8] === "-" ? -60_000 : 60_000);
  const fraction = parts[7] === undefined ? 0 : Number(`0.${parts[7]}`) * 1000;
  return day.getTime() + ((hour * 60 + minute) * 60 + second) * 1000 + fraction - zone;
}

function bounded(time: number): number {
  return time >= -timeMsMax && time <= timeMsMax ? time : Number.NaN;
}
