// Where strings end, sixteen bytes at a time, and what they say. UTF-8 and escapes are checked where there are
// any; half a surrogate pair and control characters are refused.

import { backslashes, quotes, spaces } from "./tables";

/** Whether the string that `quoteAfter` went through last has escapes. */
let sawEscape: bool = false;
export function isEscaped(): bool {
  return sawEscape;
}

/** From the opening quote at `p`: where the closing one stands, before `end`; 0 when there is none to be sure of. */
export function quoteAfter(p: usize, end: usize): usize {
  sawEscape = false;
  return load<u8>(p) == 0x22 ? furtherQuote(p + 1, p + 1, end) : 0;
}

/** How long the string of plain ASCII at `p` is, its quotes not counted; 16 or more when it is longer or anything else. */
// @ts-ignore: decorator
@inline
export function shortText(p: usize): usize {
  const length = usize(ctz(specials(p + 1)));
  const odd = u32(load<u8>(p) != 0x22) | u32(load<u8>(p + 1 + length) != 0x22);
  return length | usize(odd << 8);
}

/** Which of sixteen bytes are a quote, a backslash, a control character, or not ASCII (negative when signed). */
// @ts-ignore: decorator
@inline
function specials(p: usize): u32 {
  const bytes = v128.load(p);
  return u32(
    i8x16.bitmask(
      v128.or(
        v128.or(i8x16.eq(bytes, v128.load(quotes)), i8x16.eq(bytes, v128.load(backslashes))),
        i8x16.lt_s(bytes, v128.load(spaces)),
      ),
    ),
  );
}

/** The longest string that is not left to the exact reader. Set once, by `limit`. */
let lengthMax: usize = 0;
export function limit(stringBytesMax: u32): void {
  lengthMax = usize(stringBytesMax);
}

function furtherQuote(p: usize, from: usize, end: usize): usize {
  let at = p;
  while (at < end) {
    const mask = specials(at);
    if (mask == 0) {
      at += 16;
      continue;
    }
    at += usize(ctz(mask));
    const byte = load<u8>(at);
    if (byte == 0x22) return at < end && at - from <= lengthMax ? at : 0;
    if (byte == 0x5c) {
      sawEscape = true;
      at = escapeEnd(at);
    } else at = byte < 0x80 ? 0 : nextCharacter(at);
    if (at == 0) return 0;
  }
  return 0;
}

// @ts-ignore: decorator
@inline
function follows(p: usize): bool {
  return (load<u8>(p) & 0xc0) == 0x80;
}

/** Behind the UTF-8 character of several bytes that starts at `p`, or 0 when it is not a well-formed one. */
export function nextCharacter(p: usize): usize {
  const lead = u32(load<u8>(p));
  const second = u32(load<u8>(p + 1));
  if (lead < 0xc2 || lead > 0xf4 || !follows(p + 1)) return 0;
  if (lead < 0xe0) return p + 2;
  if (!follows(p + 2)) return 0;
  if (lead < 0xf0) {
    if ((lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f)) return 0;
    return p + 3;
  }
  if ((lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f)) return 0;
  return follows(p + 3) ? p + 4 : 0;
}

/** The four hexadecimal digits at `p`, or -1. */
function hex(p: usize): i32 {
  let unit: i32 = 0;
  for (let i: usize = 0; i < 4; i++) {
    const byte = i32(load<u8>(p + i));
    const letter = (byte | 0x20) - 0x61;
    const digit = byte - 0x30;
    if (u32(digit) < 10) unit = (unit << 4) | digit;
    else if (u32(letter) < 6) unit = (unit << 4) | (letter + 10);
    else return -1;
  }
  return unit;
}

/** Behind the escape whose backslash is at `p`, or 0. */
function escapeEnd(p: usize): usize {
  if (load<u8>(p + 1) != 0x75) return simpleEscape(load<u8>(p + 1)) == 0 ? 0 : p + 2;
  const unit = hex(p + 2);
  if (unit < 0) return 0;
  if (unit >> 11 != 0x1b) return p + 6;
  // A surrogate: the upper half, and the lower one right behind it.
  if (unit >= 0xdc00 || load<u16>(p + 6) != 0x755c) return 0;
  return hex(p + 8) >> 10 == 0x37 ? p + 12 : 0;
}

/** What a backslash and this letter stand for, or 0. */
function simpleEscape(letter: u8): u8 {
  switch (letter) {
    case 0x22:
    case 0x5c:
    case 0x2f:
      return letter;
    case 0x62:
      return 0x08;
    case 0x66:
      return 0x0c;
    case 0x6e:
      return 0x0a;
    case 0x72:
      return 0x0d;
    case 0x74:
      return 0x09;
    default:
      return 0;
  }
}

/** The longest string, as written, whose escapes are replaced here. */
export const unescapedMax: usize = 4096;
/** Where `unescape` puts what the string says. */
export const unescaped: usize = memory.data(4096 + 16, 16);

/** Writes what `from … to` says, which is well-formed, to `unescaped`; how many bytes that are. Never more than before. */
export function unescape(from: usize, to: usize): usize {
  let out = unescaped;
  let at = from;
  while (at < to) {
    const byte = load<u8>(at);
    if (byte != 0x5c) {
      store<u8>(out++, byte);
      at++;
    } else if (load<u8>(at + 1) != 0x75) {
      store<u8>(out++, simpleEscape(load<u8>(at + 1)));
      at += 2;
    } else {
      let point = u32(hex(at + 2));
      at += 6;
      if (point >> 11 == 0x1b) {
        point = 0x10000 + ((point & 0x3ff) << 10) + (u32(hex(at + 2)) & 0x3ff);
        at += 6;
      }
      out = putCharacter(out, point);
    }
  }
  return out - unescaped;
}

function putCharacter(out: usize, point: u32): usize {
  if (point < 0x80) {
    store<u8>(out, u8(point));
    return out + 1;
  }
  let rest: usize = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
  const end = out + rest + 1;
  store<u8>(out, u8(((0xff00 >> (u32(rest) + 1)) & 0xff) | (point >> (6 * u32(rest)))));
  while (rest-- > 0) store<u8>(++out, u8(0x80 | ((point >> (6 * u32(rest))) & 0x3f)));
  return end;
}
