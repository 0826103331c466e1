// Times as payloads write them, to milliseconds since the epoch. Reads no clock and knows no format:
// a codec passes the number, integer or text that it found. NaN means "not a time".

import { limits } from "../limits.ts";
import type { FieldRead, TimeUnit } from "./codec.ts";
import { parseTimestamp } from "./json/timestamp.ts";

const timeMsMax = limits.payload_time_ms_max;

/** Ten to this power turns the unit into milliseconds. */
const shifts: Readonly<Record<Exclude<TimeUnit, "iso">, number>> = { s: 3, ms: 0, us: -3, ns: -6 };

/** The power of ten that a number in a `time` field is multiplied by; null where the field holds text. */
export function shiftOf({ unit = "ms" }: FieldRead): number | null {
  return unit === "iso" ? null : shifts[unit];
}

/** A number of `unit`s; NaN beyond the range of dates, and for unit `iso`, which is text. */
export function timeOfNumber(value: number, unit: TimeUnit): number {
  if (unit === "iso") return Number.NaN;
  // A fraction means its decimal digits; multiplied in binary, 1.005 s would fall short of 1005 ms.
  if (!Number.isSafeInteger(value)) return timeOfDecimal(`${value}`, unit);
  return bounded(unit === "s" ? value * 1000 : value / 10 ** -shifts[unit]);
}

/** The same for a decimal number as text, which is rounded once. */
export function timeOfDecimal(text: string, unit: TimeUnit): number {
  if (unit === "iso") return Number.NaN;
  if (unit === "ms") return bounded(Number(text));
  const [digits, exponent] = text.toLowerCase().split("e");
  return bounded(Number(`${digits}e${Number(exponent ?? 0) + shifts[unit]}`));
}

/** As `timeOfNumber`, but nanoseconds beyond 2^53 are divided before they are rounded. */
export function timeOfInteger(value: bigint, unit: TimeUnit): number {
  return timeOfDecimal(`${value}`, unit);
}

/** RFC 3339 text, which names its zone. */
export function timeOfIso(text: string): number {
  return parseTimestamp(text) ?? Number.NaN;
}

function bounded(time: number): number {
  return time >= -timeMsMax && time <= timeMsMax ? time : Number.NaN;
}
