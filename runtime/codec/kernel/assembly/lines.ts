// A file's bytes to the payloads of its lines: copied one behind the other without their ends, sixteen bytes at a time.

const lineFeeds: usize = memory.data(16, 16);
memory.fill(lineFeeds, 0x0a, 16);
const carriageReturn: u8 = 0x0d;

/** After `splitLines`: where the next line begins, and how many lines were too long. */
let nextLine: u32 = 0;
let longLines: u32 = 0;
export function next(): u32 {
  return nextLine;
}
export function oversize(): u32 {
  return longLines;
}

/**
 * Goes on with the lines of `from … to` that end there; empty ones and those longer than `lengthMax` are left out. The
 * `count` payloads before are at `out`, and where each ends stands in the words behind the one at `offsets`. Stops at
 * `countMax` payloads, and where another one would be beyond `bytesMax`, but for the first. Returns how many there are.
 * Writes no more than sixteen bytes from `last` on: what is copied there is part of no payload.
 */
export function splitLines(
  from: usize,
  to: usize,
  out: usize,
  last: usize,
  offsets: usize,
  count: u32,
  countMax: u32,
  bytesMax: u32,
  lengthMax: u32,
): u32 {
  const feed: v128 = v128.load(lineFeeds);
  let lines = count;
  let size = load<u32>(offsets + (usize(count) << 2));
  let start = from;
  longLines = 0;
  while (lines < countMax) {
    let at = start;
    let copy = out + usize(size);
    let mask: u32 = 0;
    while (at < to) {
      const bytes = v128.load(at);
      v128.store(min<usize>(copy, last), bytes);
      mask = u32(i8x16.bitmask(i8x16.eq(bytes, feed)));
      if (mask != 0) break;
      at += 16;
      copy += 16;
    }
    at += usize(ctz(mask));
    if (mask == 0 || at >= to) break;
    const length = u32(at - start) - u32(at > start && load<u8>(at - 1) == carriageReturn);
    if (length > lengthMax) longLines++;
    else if (length != 0) {
      if (lines > 0 && size + length > bytesMax) break;
      size += length;
      lines++;
      store<u32>(offsets + (usize(lines) << 2), size);
    }
    start = at + 1;
  }
  nextLine = u32(start);
  return lines;
}
