// Numbers out of JSON text, each to the very double that JSON.parse gives, or not at all.
//
// Why it is exact: up to fifteen digits are an integer below 2^53, ten to the power of up to 22 is a double
// without error, and IEEE 754 rounds one quotient of two exact doubles correctly. More digits, as programs
// print them, are divided as integers of 128 bits by 64, rounded to even by hand. What neither can do (an
// exponent far out, twenty digits) is refused, and the exact reader takes the record.
//
// Why it is quick: sixteen bytes are compared with '0' … '9' at once; the mask of digits says where the integer
// part and the fraction end; one shuffle takes the point out and puts the digits to the right; three
// multiply-adds make two numbers of eight digits out of them.

import { alignments, digitsAbove, digitsBelow, myriads, nibbles, points, powers, thousands } from "./tables";

const timeMax: f64 = 8.64e15;

/** All ones in each of sixteen bytes that is a digit. */
// @ts-ignore: decorator
@inline
function digitsOf(bytes: v128): v128 {
  return i8x16.lt_s(i8x16.sub(bytes, v128.load(digitsBelow)), v128.load(digitsAbove));
}

/** Value of sixteen characters of which the first n1 and, behind one byte, the next n2 are taken. */
// @ts-ignore: decorator
@inline
function integerOf(characters: v128, n1: u32, n2: u32): u64 {
  const digits = v128.and(characters, v128.load(nibbles));
  const aligned = i8x16.swizzle(digits, v128.load(alignments + usize(((n1 << 4) | n2) << 4)));
  const weights = v128.load(thousands);
  const high = i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_u(aligned), weights);
  const low = i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_u(aligned), weights);
  const pairs = i16x8.narrow_i32x4_u(high, low);
  const sums = i32x4.dot_i16x8_s(pairs, v128.load(myriads));
  const first = i64x2.extract_lane(sums, 0);
  const second = i64x2.extract_lane(sums, 1);
  return u64(u32(first) + u32(first >>> 32)) * 100000000 + u64(u32(second) + u32(second >>> 32));
}

/**
 * Digits before the point at most: fifteen, one when the first is a zero. Compared with n1 - 1 as unsigned numbers,
 * so that no digit at all is too many.
 */
// @ts-ignore: decorator
@inline
function integerMax(from: usize): u32 {
  return 14 & (u32(load<u8>(from) == 0x30) - 1);
}

/** True when an exponent follows. */
// @ts-ignore: decorator
@inline
function exponentAt(p: usize): u32 {
  return u32((load<u8>(p) | 0x20) == 0x65);
}

/**
 * Stores the number at `p`, without a branch; where it ends, or 0 when it is longer than fifteen characters, has
 * an exponent, or is none. With a `shift` that is not 0 it is a time: times ten to that power, and bounded.
 */
// @ts-ignore: decorator
@inline
export function shortFloat64At(p: usize, out: usize, shift: i32): usize {
  const negative = u32(load<u8>(p) == 0x2d);
  const from = p + negative;
  const characters = v128.load(from);
  const pointed = i8x16.eq(characters, v128.load(points));
  // From bit `length` on, where the digits and points end.
  const behind = ~u32(i8x16.bitmask(v128.or(digitsOf(characters), pointed)));
  const inside = u32(i8x16.bitmask(pointed)) & (behind - 1) & ~behind;
  const length = u32(ctz(behind));
  const point = u32(inside != 0);
  const n1 = u32(ctz(inside | behind));
  const n2 = length - n1 - point;
  const to = from + length;
  const odd =
    u32(n1 - 1 > integerMax(from)) | u32(n2 < point) | (inside & (inside - 1)) | u32(length > 15) | exponentAt(to);
  const integer = f64(i64(integerOf(characters, n1 & 15, n2 & 15)));
  const scale = shift - i32(n2);
  const power = load<f64>(powers + (usize(abs(scale)) << 3));
  const value = shift == 0 ? integer / power : select<f64>(integer * power, integer / power, scale > 0);
  store<u64>(out, reinterpret<u64>(value) | (u64(negative) << 63));
  return select<usize>(0, to, odd | u32(shift != 0 && value > timeMax));
}

/** The same for a number that is whole, as most times are. */
// @ts-ignore: decorator
@inline
export function shortWholeAt(p: usize, out: usize): usize {
  const negative = u32(load<u8>(p) == 0x2d);
  const from = p + negative;
  const characters = v128.load(from);
  const n1 = u32(ctz(~u32(i8x16.bitmask(digitsOf(characters)))));
  const to = from + n1;
  const value = f64(i64(integerOf(characters, n1 & 15, 0)));
  store<u64>(out, reinterpret<u64>(value) | (u64(negative) << 63));
  const odd = u32(n1 - 1 > integerMax(from)) | u32(load<u8>(to) == 0x2e) | exponentAt(to);
  return select<usize>(0, to, odd);
}

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

/** Stores the integer at `p`, without a branch; where it ends, or 0 when it has more than fifteen digits or is none. */
// @ts-ignore: decorator
@inline
export function shortInt64At(p: usize, out: usize): usize {
  const negative = u32(load<u8>(p) == 0x2d);
  const from = p + negative;
  const characters = v128.load(from);
  const n1 = u32(ctz(~u32(i8x16.bitmask(digitsOf(characters)))));
  const value = i64(integerOf(characters, n1 & 15, 0));
  store<i64>(out, select<i64>(-value, value, negative != 0));
  return select<usize>(0, from + n1, n1 - 1 > integerMax(from));
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

/** Where the number at `p` ends, without a branch; 0 when it is longer than fifteen characters, has an exponent, or is none. */
// @ts-ignore: decorator
@inline
export function shortNumberEnd(p: usize): usize {
  const from = p + usize(load<u8>(p) == 0x2d);
  const characters = v128.load(from);
  const pointed = i8x16.eq(characters, v128.load(points));
  // From bit `length` on, where the digits and points end.
  const behind = ~u32(i8x16.bitmask(v128.or(digitsOf(characters), pointed)));
  const inside = u32(i8x16.bitmask(pointed)) & (behind - 1) & ~behind;
  const length = u32(ctz(behind));
  const point = u32(inside != 0);
  const n1 = u32(ctz(inside | behind));
  const n2 = length - n1 - point;
  const to = from + length;
  const odd =
    u32(n1 - 1 > integerMax(from)) | u32(n2 < point) | (inside & (inside - 1)) | u32(length > 15) | exponentAt(to);
  return select<usize>(0, to, odd);
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
