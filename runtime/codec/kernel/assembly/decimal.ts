// Doubles to text as JavaScript writes them, where that takes no exponent. Digits are made eight at a time, and no loop
// depends on how many there are.

import { decimals, shortest } from "./shortest";

/** Twenty-four digits, and what is read behind them. */
const digits: usize = memory.data(48, 16);

/** The most bytes that a number takes and that are written for it: they may reach further than its text. */
export const decimalBytesMax: usize = 48;

/** Eight digits of a number below 10^8, the first in the lowest byte. */
// @ts-ignore: decorator
@inline
function eight(value: u64): u64 {
  const fours = value / 10000 | ((value % 10000) << 32);
  const hundreds = ((fours * 10486) >>> 20) & 0x0000007f0000007f;
  const twos = hundreds | ((fours - hundreds * 100) << 16);
  const tens = ((twos * 103) >>> 10) & 0x000f000f000f000f;
  return tens | ((twos - tens * 10) << 8);
}

/** Writes `value` / 10^`places` at `out`, with a digit before the point and no zero at the end of the others; where it ends. */
// @ts-ignore: decorator
@inline
function putDigits(out: usize, value: u64, places: usize): usize {
  const upper = value / 100000000;
  const first = eight(upper / 100000000);
  const second = eight(upper % 100000000);
  const third = eight(value % 100000000);
  store<u64>(digits, first | 0x3030303030303030);
  store<u64>(digits, second | 0x3030303030303030, 8);
  store<u64>(digits, third | 0x3030303030303030, 16);
  const leading = first != 0 ? ctz(first) >>> 3 : second != 0 ? 8 + (ctz(second) >>> 3) : 16 + (ctz(third) >>> 3);
  const point = usize(24) - places;
  const start = min<usize>(usize(leading), point - 1);
  v128.store(out, v128.load(digits + start));
  const at = out + point - start;
  if (places == 0) return at;
  const trailing = third != 0 ? clz(third) >>> 3 : second != 0 ? 8 + (clz(second) >>> 3) : 16 + (clz(first) >>> 3);
  store<u8>(at, 0x2e);
  v128.store(at + 1, v128.load(digits + point));
  store<u64>(at + 17, load<u64>(digits + point + 16));
  return at + 1 + places - usize(trailing);
}

/** Writes a number, `null` where it is not finite, at `out`; where it ends, or 0 where it takes an exponent or seventeen whole digits. */
export function putNumber(out: usize, value: f64): usize {
  const size = abs<f64>(value);
  let at = out;
  if (value < 0) store<u8>(at++, 0x2d);
  if (size <= 9007199254740991.0) {
    if (floor<f64>(size) == size) return putDigits(at, u64(size), 0);
    return size < 0.000001 ? 0 : putDigits(at, shortest(reinterpret<u64>(size)), usize(decimals()));
  }
  if (size < Infinity) return 0;
  store<u32>(out, 0x6c6c756e);
  return out + 4;
}
