// The shortest decimal that reads as a given double and no other, as JavaScript writes it: R. Giulietti, "The
// Schubfach way to render doubles" (2020), for doubles that are not whole and not below a millionth. Those need
// few powers of ten, which are exact, and no exponent.

/** For 10^0 … 10^22, scaled to 126 bits and one more added: the upper 63 of them, then the lower 63. */
const scaled: usize = memory.data(23 * 16, 16);
const MASK: u64 = 0x7fffffffffffffff;

function fill(): void {
  let high: u64 = 0;
  let low: u64 = 1;
  for (let i: usize = 0; i < 23; i++) {
    const shift = u64(high == 0 ? clz(low) + 64 : clz(high)) - 2;
    const upper = shift >= 64 ? low << (shift - 64) : (high << shift) | ((low >>> 1) >>> (63 - shift));
    const lower = (shift >= 64 ? 0 : low << shift) + 1;
    store<u64>(scaled + (i << 4), (upper << 1) | (lower >>> 63));
    store<u64>(scaled + (i << 4), lower & MASK, 8);
    high = high * 10 + product(low, 10);
    low *= 10;
  }
}

/** The upper half of a product. */
// @ts-ignore: decorator
@inline
function product(a: u64, b: u64): u64 {
  const a0 = a & 0xffffffff;
  const a1 = a >>> 32;
  const b0 = b & 0xffffffff;
  const b1 = b >>> 32;
  const cross = a1 * b0 + ((a0 * b0) >>> 32);
  const further = a0 * b1 + (cross & 0xffffffff);
  return a1 * b1 + (cross >>> 32) + (further >>> 32);
}

/** The product of a scaled power and `c`, without its lower bits; the last one is 1 where any of those is. */
// @ts-ignore: decorator
@inline
function rounded(upper: u64, lower: u64, c: u64): u64 {
  const rest = ((upper * c) >>> 1) + product(lower, c);
  return (product(upper, c) + (rest >>> 63)) | (((rest & MASK) + MASK) >>> 63);
}

/** How many of the digits that `shortest` gave last stand behind the point. */
let places: i32 = 0;
export function decimals(): i32 {
  return places;
}

/** The digits of the double with these bits, the last ones of which may be zeros. */
export function shortest(bits: u64): u64 {
  const c = (bits & 0xfffffffffffff) | 0x10000000000000;
  const q = i64(bits >>> 52) - 1075;
  // Doubles are half as far from each other below a power of two as above it.
  const even = c == 0x10000000000000;
  places = -i32((q * 661971961083 - (even ? 274743187321 : 0)) >> 41);
  const shift = u64(q + ((i64(places) * 913124641741) >> 38) + 2);
  const power = scaled + (usize(places) << 4);
  const upper = load<u64>(power);
  const lower = load<u64>(power, 8);
  const odd = c & 1;
  const middle = rounded(upper, lower, (c << 2) << shift);
  const least = rounded(upper, lower, ((c << 2) - (even ? 1 : 2)) << shift) + odd;
  const most = rounded(upper, lower, ((c << 2) + 2) << shift) - odd;
  const below = middle >>> 2;
  const tens = (below / 10) * 10;
  const tensIn = least <= tens << 2;
  if (tensIn != (tens + 10) << 2 <= most) return tensIn ? tens : tens + 10;
  const belowIn = least <= below << 2;
  if (belowIn != (below + 1) << 2 <= most) return belowIn ? below : below + 1;
  const half = (below << 2) + 2;
  return middle < half || (middle == half && (below & 1) == 0) ? below : below + 1;
}

fill();
