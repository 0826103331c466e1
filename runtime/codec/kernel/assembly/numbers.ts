// Numbers out of JSON text, each to the very double that JSON.parse gives, or not at all.
//
// Why it is exact: up to fifteen digits are an integer below 2^53, ten to the power of up to 22 is a double
// without error, and IEEE 754 rounds one quotient of two exact doubles correctly. More digits, as programs
// print them, are divided as integers of 128 bits by 64, rounded to even by hand. What neither can do (an
// exponent far out, twenty digits) is refused, and the exact reader takes the record.
//
// Thorough and byte by byte; short-numbers.ts is the same for what most numbers are.

import { powers } from "./tables";

export const timeMax: f64 = 8.64e15;

/** Any `time` of up to 19 significant digits, or 0. */
export function timeAt(p: usize, out: usize, shift: i32): usize {
  const to = float64At(p, out, shift);
  return to != 0 && abs<f64>(load<f64>(out)) <= timeMax ? to : 0;
}

/** Where the digits at `p` end. */
function digitsEnd(p: usize): usize {
  let at = p;
  while (u32(load<u8>(at)) - 0x30 < 10) at++;
  return at;
}

/** Any number of up to 19 significant digits, or 0. */
export function float64At(p: usize, out: usize, shift: i32): usize {
  const negative = u64(load<u8>(p) == 0x2d);
  const from = p + usize(negative);
  let at = digitsEnd(from);
  if (at == from || (load<u8>(from) == 0x30 && at > from + 1)) return 0;
  let scale: i32 = shift;
  let to = at;
  if (load<u8>(at) == 0x2e) {
    to = digitsEnd(at + 1);
    if (to == at + 1 || to - at > 1000) return 0;
    scale -= i32(to - at - 1);
  }
  let mantissa: u64 = 0;
  let significant: i32 = 0;
  for (let i = from; i < to; i++) {
    if (i == at) continue;
    const digit = u64(load<u8>(i)) - 0x30;
    if (significant > 0 || digit != 0) significant++;
    if (significant > 19) return 0;
    mantissa = mantissa * 10 + digit;
  }
  if ((load<u8>(to) | 0x20) == 0x65) {
    const sign = load<u8>(to + 1);
    const exponentFrom = to + (sign == 0x2b || sign == 0x2d ? 2 : 1);
    at = digitsEnd(exponentFrom);
    if (at == exponentFrom || at > exponentFrom + 4) return 0;
    let exponent: i32 = 0;
    for (let i = exponentFrom; i < at; i++) exponent = exponent * 10 + i32(load<u8>(i)) - 0x30;
    scale += sign == 0x2d ? -exponent : exponent;
    to = at;
  }
  const value = scaled(mantissa, scale);
  if (value < 0) return 0;
  store<u64>(out, reinterpret<u64>(value) | (negative << 63));
  return to;
}

/** mantissa × 10^scale rounded once, or -1 where that is not done here. */
function scaled(mantissa: u64, scale: i32): f64 {
  if (mantissa == 0) return 0.0;
  if (scale == 0) return f64(mantissa);
  if (mantissa <= u64(1) << 53 && scale >= -22 && scale <= 22) {
    const power = load<f64>(powers + (usize(abs(scale)) << 3));
    return scale < 0 ? f64(mantissa) / power : f64(mantissa) * power;
  }
  if (scale > 0 || scale < -19) return -1.0;
  let divisor: u64 = 1;
  for (let i: i32 = scale; i < 0; i++) divisor *= 10;
  return quotient(mantissa, divisor);
}

/** a / b rounded to the nearest double, ties to even. Neither is zero. */
function quotient(a: u64, b: u64): f64 {
  // Both with their top bit set, the dividend halved when needed so that it is below the divisor. Then
  // q = floor(dividend × 2^64 / divisor) has its top bit set, and the remainder says what is behind it.
  const shiftA = i32(clz(a));
  const shiftB = i32(clz(b));
  let dividend = a << u64(shiftA);
  const divisor = b << u64(shiftB);
  let lowest: u64 = 0;
  let exponent = shiftB - shiftA - 64;
  if (dividend >= divisor) {
    lowest = dividend << 63;
    dividend >>= 1;
    exponent++;
  }
  // Long division by halves of the divisor, 32 bits of the quotient at a time (Knuth's algorithm D).
  const high = divisor >> 32;
  const low = divisor & 0xffffffff;
  let remainder = dividend;
  let q: u64 = 0;
  for (let step: i32 = 0; step < 2; step++) {
    const next = step == 0 ? lowest >> 32 : lowest & 0xffffffff;
    let digit = remainder / high;
    let rest = remainder - digit * high;
    while (digit >> 32 != 0 || digit * low > ((rest << 32) | next)) {
      digit--;
      rest += high;
      if (rest >> 32 != 0) break;
    }
    remainder = ((remainder << 32) | next) - digit * divisor;
    q = (q << 32) | digit;
  }
  const tail = q & 0x7ff;
  let kept = q >> 11;
  if (tail > 0x400 || (tail == 0x400 && (remainder != 0 || (kept & 1) != 0))) kept++;
  // A power of two within the normal range: exact.
  return f64(kept) * reinterpret<f64>(u64(exponent + 11 + 1023) << 52);
}

/** Any 64-bit integer, or 0. A fraction behind it fits no literal. */
export function int64At(p: usize, out: usize): usize {
  const negative = u64(load<u8>(p) == 0x2d);
  const from = p + usize(negative);
  const to = digitsEnd(from);
  if (to == from || to - from > 19 || (load<u8>(from) == 0x30 && to > from + 1)) return 0;
  let value: u64 = 0;
  for (let i = from; i < to; i++) value = value * 10 + u64(load<u8>(i)) - 0x30;
  if (value > u64(i64.MAX_VALUE) + negative) return 0;
  store<u64>(out, negative ? 0 - value : value);
  return to;
}

/** Where the number at `p` ends, whatever its size, or 0. */
export function numberEnd(p: usize): usize {
  const from = p + usize(load<u8>(p) == 0x2d);
  let at = digitsEnd(from);
  if (at == from || (load<u8>(from) == 0x30 && at > from + 1)) return 0;
  if (load<u8>(at) == 0x2e) {
    const to = digitsEnd(at + 1);
    if (to == at + 1) return 0;
    at = to;
  }
  if ((load<u8>(at) | 0x20) == 0x65) {
    const sign = load<u8>(at + 1);
    const exponent = at + (sign == 0x2b || sign == 0x2d ? 2 : 1);
    at = digitsEnd(exponent);
    if (at == exponent) return 0;
  }
  return at;
}
