// One step of UTF-8, as strictly as a fatal TextDecoder: no overlong forms, no surrogates, nothing past
// U+10FFFF. Knows nothing of JSON.

function follows(bytes: Uint8Array, at: number, end: number, count: number): boolean {
  if (at + count > end) return false;
  for (let i = at; i < at + count; i++) if ((bytes[i]! & 0xc0) !== 0x80) return false;
  return true;
}

/** Where the character that starts at `at` (a byte of 0x80 or more) ends, or -1 when it is not a well-formed one. */
export function nextUtf8(bytes: Uint8Array, at: number, end: number): number {
  const lead = bytes[at]!;
  if (lead < 0xc2 || lead > 0xf4) return -1;
  if (lead < 0xe0) return follows(bytes, at + 1, end, 1) ? at + 2 : -1;
  const second = at + 1 < end ? bytes[at + 1]! : 0;
  if (lead < 0xf0) {
    // E0 would be overlong below A0, ED would be a surrogate from A0 on.
    if (lead === 0xe0 && second < 0xa0) return -1;
    if (lead === 0xed && second > 0x9f) return -1;
    return follows(bytes, at + 1, end, 2) ? at + 3 : -1;
  }
  // F0 would be overlong below 90, F4 past the last code point from 90 on.
  if (lead === 0xf0 && second < 0x90) return -1;
  if (lead === 0xf4 && second > 0x8f) return -1;
  return follows(bytes, at + 1, end, 3) ? at + 4 : -1;
}
