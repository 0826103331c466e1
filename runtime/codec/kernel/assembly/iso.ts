// Time as ISO 8601 text with its zone, or a date alone: the forms and the results of timestamp.ts, and nothing else.

/** The two digits at `p`, or 100 and more. */
// @ts-ignore: decorator
@inline
function two(p: usize): u32 {
  const tens = u32(load<u8>(p)) - 0x30;
  const ones = u32(load<u8>(p + 1)) - 0x30;
  return tens < 10 && ones < 10 ? tens * 10 + ones : 1000;
}

/** Days from the first of March of year 0, which puts the leap day at the end of its year. */
// @ts-ignore: decorator
@inline
function dayNumber(year: u32, month: u32, day: u32): i64 {
  const early = u32(month <= 2);
  const shifted = i32(year) - i32(early) + 400;
  const era = shifted / 400;
  const inEra = shifted - era * 400;
  const inYear = i32((153 * (month + 12 * early - 3) + 2) / 5 + day) - 1;
  return i64(era - 1) * 146097 + i64(inEra * 365 + inEra / 4 - inEra / 100 + inYear) - 719468;
}

// @ts-ignore: decorator
@inline
function daysOf(year: u32, month: u32): u32 {
  if (month == 2) return 28 + u32((year % 4 == 0 && year % 100 != 0) || year % 400 == 0);
  return 30 + ((month + (month >> 3)) & 1);
}

/** Reads the text between `p` and the quote at `to`, stores ms since the epoch; whether it is such a text. */
export function isoAt(p: usize, to: usize, out: usize): bool {
  const length = to - p;
  if (length < 10 || length > 35) return false;
  const century = two(p);
  const inCentury = two(p + 2);
  const month = two(p + 5);
  const day = two(p + 8);
  const year = century * 100 + inCentury;
  if (century > 99 || inCentury > 99 || load<u8>(p + 4) != 0x2d || load<u8>(p + 7) != 0x2d) return false;
  if (month < 1 || month > 12 || day < 1 || day > daysOf(year, month)) return false;
  const midnight = dayNumber(year, month, day) * 86400000;
  if (length == 10) {
    store<f64>(out, f64(midnight));
    return true;
  }
  return timeOfDay(p + 10, to, midnight, out);
}

function timeOfDay(p: usize, to: usize, midnight: i64, out: usize): bool {
  const hour = two(p + 1);
  const minute = two(p + 4);
  if (load<u8>(p) != 0x54 || load<u8>(p + 3) != 0x3a || hour > 23 || minute > 59) return false;
  let at = p + 6;
  let second: u32 = 0;
  let nanoseconds: u32 = 0;
  if (load<u8>(at) == 0x3a) {
    second = two(at + 1);
    if (second > 59) return false;
    at += 3;
    if (load<u8>(at) == 0x2e) {
      const from = ++at;
      let unit: u32 = 100000000;
      for (let digit = u32(load<u8>(at)) - 0x30; digit < 10; digit = u32(load<u8>(++at)) - 0x30) {
        if (at - from > 8) return false;
        nanoseconds += digit * unit;
        unit /= 10;
      }
      if (at == from) return false;
    }
  }
  let zone: i64 = 0;
  const sign = load<u8>(at);
  if (sign == 0x5a) at++;
  else {
    const hours = two(at + 1);
    const minutes = two(at + 4);
    if ((sign != 0x2b && sign != 0x2d) || load<u8>(at + 3) != 0x3a || hours > 23 || minutes > 59) return false;
    zone = i64(hours * 60 + minutes);
    if (sign == 0x2d) zone = -zone;
    at += 6;
  }
  if (at != to) return false;
  const whole = midnight + (i64(hour * 60 + minute) - zone) * 60000 + i64(second * 1000 + nanoseconds / 1000000);
  store<f64>(out, f64(whole) + f64(nanoseconds % 1000000) / 1000000.0);
  return true;
}
