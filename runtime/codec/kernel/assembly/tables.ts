// Constant tables, filled once when the module starts.

/** Powers of ten that a double holds exactly: 0 … 22. */
export const powers: usize = memory.data(23 * 8, 16);
/** Ten to the power of the digits in a fraction, by its length with the point: 1, 1, 10, 100, … */
export const fractions: usize = memory.data(17 * 8, 16);
/**
 * For n1 digits, a point, n2 digits: where each byte of sixteen right-aligned digits comes from. Row n1 × 16, and
 * n2 + 1 more when there is a point.
 */
export const alignments: usize = memory.data(17 * 16 * 16, 16);
/** Sixteen bytes of ones and sixteen of zeros: read at 16 - n, a mask of the first n bytes. */
export const heads: usize = memory.data(32, 16);

// Vectors of one byte sixteen times. Read from memory because an engine makes a constant anew at every use.
export const quotes: usize = memory.data(16, 16);
export const backslashes: usize = memory.data(16, 16);
export const spaces: usize = memory.data(16, 16);
/** Taken from a byte, '0' … '9' become -128 … -119: below `digitsAbove` as signed numbers, as no other byte is. */
export const digitsBelow: usize = memory.data(16, 16);
export const digitsAbove: usize = memory.data(16, 16);
export const points: usize = memory.data(16, 16);

// Sixteen digits become one number in three steps, each of which joins two neighbours: weights by 16-bit lane.
/** 10 × 256 + 1: for two digits in the bytes of one lane, of which the upper one is the second. */
export const tens: usize = memory.data<i16>([2561, 2561, 2561, 2561, 2561, 2561, 2561, 2561], 16);
export const hundreds: usize = memory.data<i16>([100, 1, 100, 1, 100, 1, 100, 1], 16);
export const myriads: usize = memory.data<i16>([10000, 1, 10000, 1, 10000, 1, 10000, 1], 16);
export const nibbles: usize = memory.data(16, 16);

function fill(): void {
  memory.fill(nibbles, 0x0f, 16);
  memory.fill(quotes, 0x22, 16);
  memory.fill(backslashes, 0x5c, 16);
  memory.fill(spaces, 0x20, 16);
  memory.fill(digitsBelow, 0xb0, 16);
  memory.fill(digitsAbove, 0x8a, 16);
  memory.fill(points, 0x2e, 16);
  let power: f64 = 1.0;
  for (let i: usize = 0; i < 23; i++) {
    store<f64>(powers + i * 8, power);
    power *= 10.0;
  }
  for (let i: usize = 0; i < 17; i++) store<f64>(fractions + i * 8, load<f64>(powers + (max<usize>(i, 1) - 1) * 8));
  memory.fill(heads, 0xff, 16);
  for (let n1: i32 = 0; n1 < 16; n1++) {
    for (let tail: i32 = 0; tail < 16; tail++) {
      const n2 = max<i32>(tail - 1, 0);
      const row = alignments + usize(((n1 << 4) | tail) << 4);
      for (let i: i32 = 0; i < 16; i++) {
        const digit = n1 + n2 - 16 + i;
        // An index past 15 gives zero.
        const from = digit < 0 ? 0xff : digit < n1 ? digit : digit + 1;
        store<u8>(row + usize(i), u8(from));
      }
    }
  }
}

fill();
