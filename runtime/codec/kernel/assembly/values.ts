// Where a value of any kind ends: what nobody reads, and what is read as raw text. Checks all of its grammar.

import { numberEnd } from "./numbers";
import { quoteAfter } from "./strings";

let depthMax: i32 = 0;
export function limitDepth(payloadDepthMax: i32): void {
  depthMax = payloadDepthMax;
}

const WORD_TRUE: u32 = 0x65757274;
const WORD_FALS: u32 = 0x736c6166;
const WORD_NULL: u32 = 0x6c6c756e;

// @ts-ignore: decorator
@inline
export function isNull(p: usize): bool {
  return load<u32>(p) == WORD_NULL;
}

/** Stores 1 or 0 for true or false, without a branch; where it ends, or 0. */
// @ts-ignore: decorator
@inline
export function boolAt(p: usize, out: usize): usize {
  const word = load<u32>(p);
  const yes = u32(word == WORD_TRUE);
  const no = u32(word == WORD_FALS) & u32(load<u8>(p + 4) == 0x65);
  store<u8>(out, u8(yes));
  return select<usize>(p + 5 - yes, 0, (yes | no) != 0);
}

/** Where true, false or null at `p` ends, without a branch; `at` when it is none of them or `differs` is not 0. */
// @ts-ignore: decorator
@inline
export function shortWordEnd(at: usize, p: usize, differs: u32): usize {
  const word = load<u32>(p);
  const four = u32(word == WORD_TRUE) | u32(word == WORD_NULL);
  const five = u32(word == WORD_FALS) & u32(load<u8>(p + 4) == 0x65);
  return select<usize>(at, p + 5 - four, ((four | five) ^ 1) | differs);
}

/** Where true, false or null at `p` ends, without a branch, or 0. */
// @ts-ignore: decorator
@inline
function wordEnd(p: usize): usize {
  const word = load<u32>(p);
  const four = u32(word == WORD_TRUE) | u32(word == WORD_NULL);
  const five = u32(word == WORD_FALS) & u32(load<u8>(p + 4) == 0x65);
  return select<usize>(p + 5 - four, 0, (four | five) != 0);
}

/** Where the string, number, bool or null at `p` ends, or 0. */
export function scalarEnd(p: usize, end: usize): usize {
  const byte = load<u8>(p);
  if (byte == 0x22) {
    const quote = quoteAfter(p, end);
    return quote == 0 ? 0 : quote + 1;
  }
  return byte < 0x40 ? numberEnd(p) : wordEnd(p);
}

// @ts-ignore: decorator
@inline
function spaceEnd(p: usize, end: usize): usize {
  let at = p;
  while (at < end) {
    const byte = load<u8>(at);
    if (byte != 0x20 && (byte > 0x0d || (byte != 0x0a && byte != 0x0d && byte != 0x09))) break;
    at++;
  }
  return at;
}

/** Behind the name and the colon of the member at `p`, or 0. */
function nameEnd(p: usize, end: usize): usize {
  const quote = quoteAfter(p, end);
  if (quote == 0) return 0;
  const colon = spaceEnd(quote + 1, end);
  return load<u8>(colon) == 0x3a ? spaceEnd(colon + 1, end) : 0;
}

/** Where the value at `p` ends, an object or array included, or 0. `depth` is that of what it stands in. */
export function valueEnd(p: usize, end: usize, depth: i32): usize {
  const first = load<u8>(p);
  if (first != 0x7b && first != 0x5b) return scalarEnd(p, end);
  // One bit for each open container, the innermost lowest: 1 for an object.
  let open: u64 = 0;
  let levels: i32 = 0;
  let at = p;
  while (at < end) {
    const byte = load<u8>(at);
    if (byte == 0x7b || byte == 0x5b) {
      if (depth + ++levels > depthMax) return 0;
      open = (open << 1) | u64(byte == 0x7b);
      at = spaceEnd(at + 1, end);
      if (load<u8>(at) != byte + 2) {
        if (byte == 0x7b && (at = nameEnd(at, end)) == 0) return 0;
        continue;
      }
      // Empty: its closing bracket is seen below.
    } else {
      at = scalarEnd(at, end);
      if (at == 0) return 0;
    }
    // Behind a value, or at the bracket that closes an empty container.
    while (true) {
      at = spaceEnd(at, end);
      const next = load<u8>(at);
      if (next == 0x2c) {
        // No comma right behind an opening bracket: `empty` was left by then.
        at = spaceEnd(at + 1, end);
        if ((open & 1) != 0 && (at = nameEnd(at, end)) == 0) return 0;
        break;
      }
      if (next != (open & 1 ? 0x7d : 0x5d)) return 0;
      at++;
      open >>= 1;
      if (--levels == 0) return at <= end ? at : 0;
    }
  }
  return 0;
}
