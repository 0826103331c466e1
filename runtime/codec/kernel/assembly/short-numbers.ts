// Numbers of up to fifteen digits without an exponent, sixteen characters at once and without a branch. To the very
// double that JSON.parse gives, as in numbers.ts, which reads whatever is refused here.
//
// How: the characters are compared with '0' … '9' at once; the mask of digits says where the integer part and the
// fraction end; one shuffle takes the point out and puts the digits to the right; three multiplications add them up.
//
// Every function takes where its row stands (`at`), where its number begins (`p`, and `minus` is 1 when that is a
// sign), what is odd about the row already (`differs`) and the byte that stands behind the number in the template
// (`next`), and returns where the row goes on: `at` when anything is odd. The vectors are those of tables.ts: a loop
// loads them once and holds them in registers, because the engine would load them anew for every row.

import { timeMax } from "./numbers";
import { alignments, fractions, powers } from "./tables";

/** One bit for each of sixteen bytes that is a digit. */
// @ts-ignore: decorator
@inline
function digitsOf(characters: v128, below: v128, above: v128): u32 {
  return u32(i8x16.bitmask(i8x16.lt_s(i8x16.sub(characters, below), above)));
}

/** One bit for the byte behind the first digits, when it is a point. */
// @ts-ignore: decorator
@inline
function pointOf(characters: v128, others: u32, point: v128): u32 {
  return others & (0 - others) & u32(i8x16.bitmask(i8x16.eq(characters, point)));
}

/** Value of the first n1 of sixteen characters, and of those behind a point. `row`: that of the table. */
// @ts-ignore: decorator
@inline
function integerOf(characters: v128, row: u32, nibble: v128, tenfold: v128, hundred: v128, myriad: v128): u64 {
  const aligned = i8x16.swizzle(v128.and(characters, nibble), v128.load(alignments + (usize(row) << 4)));
  // A digit and the one behind it are first + 256 × second; times 2561, the upper byte is 10 × first + second.
  const pairs = i16x8.shr_u(i16x8.mul(aligned, tenfold), 8);
  const fours = i32x4.dot_i16x8_s(pairs, hundred);
  const eights = u64(i64x2.extract_lane(i32x4.dot_i16x8_s(i16x8.narrow_i32x4_u(fours, fours), myriad), 0));
  return u64(u32(eights)) * 100000000 + (eights >>> 32);
}

/**
 * Not 0 when no digit comes first, a zero comes before a digit, there are sixteen digits before the point, or there
 * is another byte behind it all than `next`: an exponent, say, or more digits.
 */
// @ts-ignore: decorator
@inline
function oddDigits(from: usize, digits: u32, n1: u32, to: usize, next: u32): u32 {
  // Of a digit, 1 when it is a zero. From memory: a mask of zeros costs as much on x64, and arm64 has no such instruction.
  const zero = (u32(load<u8>(from)) - 0x31) >>> 31;
  return ((~digits | (zero & (digits >>> 1))) & 1) | (n1 >>> 4) | (u32(load<u8>(to)) ^ next);
}

/** Stores a number. With a `shift` that is not 0 it is a time: times ten to that power, and bounded. */
// @ts-ignore: decorator
@inline
export function shortFloat64(
  at: usize,
  p: usize,
  minus: u32,
  out: usize,
  shift: i32,
  differs: u32,
  next: u32,
  below: v128,
  above: v128,
  point: v128,
  nibble: v128,
  tenfold: v128,
  hundred: v128,
  myriad: v128,
): usize {
  const from = p + minus;
  const characters = v128.load(from);
  const digits = digitsOf(characters, below, above);
  const others = ~digits;
  const dot = pointOf(characters, others, point);
  // From this bit on, where the digits and the point end.
  const behind = others ^ dot;
  const length = u32(ctz(behind));
  const n1 = u32(ctz(others));
  const tail = length - n1;
  const to = from + length;
  let odd = oddDigits(from, digits, n1, to, next) | ((dot << 1) & behind) | differs;
  const integer = f64(i64(integerOf(characters, (n1 << 4) + tail, nibble, tenfold, hundred, myriad)));
  let value: f64;
  if (shift == 0) value = integer / load<f64>(fractions + (usize(tail) << 3));
  else {
    const scale = shift - i32(tail - u32(dot != 0));
    const power = load<f64>(powers + (usize(abs(scale)) << 3));
    value = select<f64>(integer * power, integer / power, scale > 0);
    odd |= u32(value > timeMax);
  }
  store<u64>(out, reinterpret<u64>(value) | (u64(minus) << 63));
  return select<usize>(at, to, odd);
}

/** Stores a number that is whole and not negative, as most times are. */
// @ts-ignore: decorator
@inline
export function shortWhole(
  at: usize,
  p: usize,
  out: usize,
  differs: u32,
  next: u32,
  below: v128,
  above: v128,
  nibble: v128,
  tenfold: v128,
  hundred: v128,
  myriad: v128,
): usize {
  const characters = v128.load(p);
  const digits = digitsOf(characters, below, above);
  const n1 = u32(ctz(~digits));
  const to = p + n1;
  store<f64>(out, f64(i64(integerOf(characters, n1 << 4, nibble, tenfold, hundred, myriad))));
  return select<usize>(at, to, oddDigits(p, digits, n1, to, next) | differs);
}

/** Stores an integer. */
// @ts-ignore: decorator
@inline
export function shortInt64(
  at: usize,
  p: usize,
  minus: u32,
  out: usize,
  differs: u32,
  next: u32,
  below: v128,
  above: v128,
  nibble: v128,
  tenfold: v128,
  hundred: v128,
  myriad: v128,
): usize {
  const from = p + minus;
  const characters = v128.load(from);
  const digits = digitsOf(characters, below, above);
  const n1 = u32(ctz(~digits));
  const to = from + n1;
  const value = i64(integerOf(characters, n1 << 4, nibble, tenfold, hundred, myriad));
  store<i64>(out, select<i64>(-value, value, minus));
  return select<usize>(at, to, oddDigits(from, digits, n1, to, next) | differs);
}

/** Steps over a number. */
// @ts-ignore: decorator
@inline
export function shortNumber(
  at: usize,
  p: usize,
  minus: u32,
  differs: u32,
  next: u32,
  below: v128,
  above: v128,
  point: v128,
): usize {
  const from = p + minus;
  const characters = v128.load(from);
  const digits = digitsOf(characters, below, above);
  const others = ~digits;
  const dot = pointOf(characters, others, point);
  const behind = others ^ dot;
  const to = from + u32(ctz(behind));
  // However many digits: `next` tells when there are more of them.
  return select<usize>(at, to, oddDigits(from, digits, 0, to, next) | ((dot << 1) & behind) | differs);
}
