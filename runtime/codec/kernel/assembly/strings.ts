// Where strings end, sixteen bytes at a time. Escapes and control characters are refused here (the exact
// reader takes such a record); UTF-8 is checked where there is any.

import { backslashes, quotes, spaces } from "./tables";

/** From the opening quote at `p`: where the closing one stands, before `end`; 0 when there is none to be sure of. */
export function quoteAfter(p: usize, end: usize): usize {
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
    if (byte < 0x80) return 0;
    at = nextCharacter(at);
    if (at == 0) return 0;
  }
  return 0;
}

// @ts-ignore: decorator
@inline
function follows(p: usize): bool {
  return (load<u8>(p) & 0xc0) == 0x80;
}

/** Behind the UTF-8 character that starts at `p`, or 0 when it is not a well-formed one. */
function nextCharacter(p: usize): usize {
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
