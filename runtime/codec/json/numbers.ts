// Numbers out of bytes that the scanner has found to be JSON numbers. Exact: what `Number` and `BigInt` say
// of the same text. Never allocates for the numbers that sensors send.
//
// Up to fifteen digits are an integer below 2^53, and ten to the power of up to 22 is a double without error. A
// product or quotient of two exact doubles is rounded once, so it is the double nearest to the decimal number,
// which is what JSON.parse gives. Anything longer, or with an exponent, is left to `Number`.

import { rawText } from "./text.ts";

const digitsExact = 15;
export const powersOfTen: readonly number[] = Array.from({ length: 23 }, (_, power) => 10 ** power);

/** The number times ten to the power of `shift` (-22 … 3), rounded once. Infinite when it is beyond a double. */
export function readNumber(bytes: Uint8Array, start: number, end: number, shift: number): number {
  const negative = bytes[start] === 0x2d;
  let integer = 0;
  let digits = 0;
  let point = -1;
  for (let at = negative ? start + 1 : start; at < end; at++) {
    const byte = bytes[at]!;
    if (byte === 0x2e) point = at;
    else if (byte > 0x39 || ++digits > digitsExact) return readLong(bytes, start, end, shift);
    else integer = integer * 10 + byte - 0x30;
  }
  const scale = shift - (point < 0 ? 0 : end - point - 1);
  const value = scale < 0 ? integer / powersOfTen[-scale]! : integer * powersOfTen[scale]!;
  return negative ? -value : value;
}

function readLong(bytes: Uint8Array, start: number, end: number, shift: number): number {
  const text = rawText(bytes, start, end);
  if (shift === 0) return Number(text);
  const [mantissa, exponent = "0"] = text.toLowerCase().split("e");
  return Number(`${mantissa!}e${BigInt(exponent) + BigInt(shift)}`);
}

const int64Max = 2n ** 63n - 1n;
const int64Min = -(2n ** 63n);

/** The integer, or what is wrong with it. */
export function readInteger(bytes: Uint8Array, start: number, end: number): bigint | string {
  for (let at = start + 1; at < end; at++) {
    const byte = bytes[at]!;
    if (byte < 0x30 || byte > 0x39) return "a number with a fraction or an exponent";
  }
  if (end - start <= digitsExact) return BigInt(readNumber(bytes, start, end, 0));
  // Twenty characters hold every 64-bit integer; longer ones are not worth converting.
  const value = end - start > 20 ? int64Max + 1n : BigInt(rawText(bytes, start, end));
  return value > int64Max || value < int64Min ? "an integer beyond 64 bits" : value;
}
