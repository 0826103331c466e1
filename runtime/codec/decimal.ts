// Numbers to text in bytes, exactly as JavaScript writes them, without making a string where that can be
// helped: most readings are whole or have few decimals.

const zero = 0x30;

/** Longest text of a number: sign, 17 digits, point, exponent. */
export const numberBytesMax = 26;

/** Up to this many decimals are written digit by digit. */
const scale = 1e4;
/**
 * Two different decimals of at most 15 digits never read as the same number, so that one that reads back
 * as the value is the shortest there is, which is what JavaScript writes.
 */
const scaledMax = 1e15;

/** Writes a whole number from 0 to 2^31 - 1 at `end`; returns where it ends. */
function writeSmall(bytes: Uint8Array, end: number, whole: number): number {
  let left = whole | 0;
  let place = end + 1;
  for (let rest = (left / 10) | 0; rest > 0; rest = (rest / 10) | 0) place++;
  const stop = place;
  do {
    const next = (left / 10) | 0;
    bytes[--place] = zero + left - next * 10;
    left = next;
  } while (place > end);
  return stop;
}

/** Writes `digits` digits of a whole number, zeros in front. */
function writePadded(bytes: Uint8Array, end: number, whole: number, digits: number): number {
  let left = whole | 0;
  for (let place = end + digits - 1; place >= end; place--) {
    const next = (left / 10) | 0;
    bytes[place] = zero + left - next * 10;
    left = next;
  }
  return end + digits;
}

function writeWhole(bytes: Uint8Array, end: number, whole: number): number {
  if (whole < 0x8000_0000) return writeSmall(bytes, end, whole);
  const high = Math.floor(whole / 1e9);
  return writePadded(bytes, writeWhole(bytes, end, high), whole - high * 1e9, 9);
}

/** Writes a finite number at `start`, where there is room for it; returns where its text ends. */
export function writeNumber(bytes: Uint8Array, start: number, value: number): number {
  if (Math.floor(value) === value && Math.abs(value) <= Number.MAX_SAFE_INTEGER) {
    if (value < 0) bytes[start++] = 0x2d;
    return writeWhole(bytes, start, Math.abs(value));
  }
  const scaled = Math.round(Math.abs(value) * scale);
  if (!(scaled < scaledMax) || scaled / scale !== Math.abs(value)) {
    const text = `${value}`;
    for (let i = 0; i < text.length; i++) bytes[start + i] = text.charCodeAt(i);
    return start + text.length;
  }
  let end = start;
  if (value < 0) bytes[end++] = 0x2d;
  const whole = Math.floor(scaled / scale);
  let decimals = scaled - whole * scale;
  end = writeWhole(bytes, end, whole);
  if (decimals === 0) return end;
  bytes[end++] = 0x2e;
  let digits = 4;
  while (decimals % 10 === 0) {
    decimals /= 10;
    digits--;
  }
  return writePadded(bytes, end, decimals, digits);
}
