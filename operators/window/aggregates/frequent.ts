// The frequent values of a stream in a bounded table: Space-Saving (Metwally, Agrawal, El Abbadi:
// "Efficient computation of frequent and top-k elements in data streams", ICDT 2005). While there are no
// more different values than places the counts are exact; then a new value takes the place of the rarest
// and inherits its count as its error. With m places and n values seen, a count is at most n / m too high,
// never too low, and no value more frequent than that is missing. Merged parts keep this (Agarwal, Cormode,
// Huang, Phillips, Wei, Yi: "Mergeable summaries", PODS 2012).
//
// Values are told apart by 52 bits of their hash. Knows no column and no slot.

import { frequentMax, frequentTextMax, textBytes } from "./bounds.ts";

/** A value and how often it came. */
export interface Frequent {
  readonly hash: number;
  /** The value to show; a text is cut to its bound. */
  readonly label: number | string;
  readonly count: number;
  /** How much of the count may be too much. */
  readonly error: number;
}

/**
 * A table is one Float64Array: [how many entries, places, the least count (or less), where to look for it
 * next, text units used, entries at their hash's place or the next free one: hash, count (0: no entry),
 * error, label …, the units of texts, four to a number …]. A text's label is its offset × 512 + length.
 */
const header = 5;
const stride = 4;
const placesMin = 16;
const lengthFactor = 512;

/** The most bytes that a table takes; texts have as much room again as they need. */
export function frequentBytes(texts: boolean): number {
  return (header + frequentMax * 2 * stride) * 8 + (texts ? frequentMax * 2 * textBytes : 0);
}

function placeOf(places: number, hash: number): number {
  return Math.floor(hash / 2 ** 20) & (places - 1);
}

function unitsOf(table: Float64Array): Uint16Array {
  const from = header + table[1]! * stride;
  return new Uint16Array(table.buffer, table.byteOffset + from * 8, (table.length - from) * 4);
}

/** Where the entry of `hash` is, or the free place where it would be. */
function find(table: Float64Array, hash: number): number {
  const places = table[1]!;
  let place = placeOf(places, hash);
  for (;;) {
    const at = header + place * stride;
    if (table[at + 1] === 0 || table[at] === hash) return at;
    place = (place + 1) & (places - 1);
  }
}

/** Counts a value that the table has an entry of; false when it has none. */
export function counted(table: Float64Array | undefined, hash: number): boolean {
  if (table === undefined) return false;
  const at = find(table, hash);
  if (table[at + 1] === 0) return false;
  table[at + 1]!++;
  return true;
}

/** The table with a value that it has no entry of: the same one, or a wider one in its place. */
export function included(
  table: Float64Array | undefined,
  hash: number,
  label: number | string,
): Float64Array {
  const shown = typeof label === "string" ? label.slice(0, frequentTextMax) : label;
  if (table === undefined) return tableOf([{ hash, label: shown, count: 1, error: 0 }]);
  const isFull = table[0] === frequentMax;
  const units = typeof shown === "string" ? shown.length : 0;
  const room = (table.length - header - table[1]! * stride) * 4 - table[4]!;
  if (units > room || (!isFull && (table[0]! + 1) * 2 > table[1]!)) {
    const wider = tableOf(entriesOf(table, typeof label === "string"), units);
    return included(wider, hash, label);
  }
  let before = 0;
  if (isFull) {
    const rarest = findRarest(table);
    before = table[rarest + 1]!;
    remove(table, rarest);
  }
  put(table, { hash, label: shown, count: before + 1, error: before });
  return table;
}

/** An entry with the least count. Counts only rise, so the search goes on where the last one ended. */
function findRarest(table: Float64Array): number {
  const places = table[1]!;
  for (;;) {
    let least = Number.POSITIVE_INFINITY;
    for (let looked = 0; looked < places; looked++) {
      const place = table[3]!;
      const at = header + place * stride;
      const count = table[at + 1]!;
      if (count > 0 && count <= table[2]!) return at;
      if (count > 0 && count < least) least = count;
      table[3] = (place + 1) & (places - 1);
    }
    table[2] = least;
  }
}

/** Takes an entry out; those after it that are not at their own place move up. */
function remove(table: Float64Array, entry: number): void {
  const places = table[1]!;
  let gap = (entry - header) / stride;
  for (let place = (gap + 1) & (places - 1); ; place = (place + 1) & (places - 1)) {
    const at = header + place * stride;
    if (table[at + 1] === 0) break;
    const wanted = placeOf(places, table[at]!);
    if (((place - wanted) & (places - 1)) < ((place - gap) & (places - 1))) continue;
    table.copyWithin(header + gap * stride, at, at + stride);
    gap = place;
  }
  table[header + gap * stride + 1] = 0;
  table[0]!--;
}

function put(table: Float64Array, { hash, label, count, error }: Frequent): void {
  const at = find(table, hash);
  table[at] = hash;
  table[at + 1] = count;
  table[at + 2] = error;
  table[0]!++;
  if (typeof label === "number") {
    table[at + 3] = label;
    return;
  }
  const units = unitsOf(table);
  const offset = table[4]!;
  for (let i = 0; i < label.length; i++) units[offset + i] = label.charCodeAt(i);
  table[at + 3] = offset * lengthFactor + label.length;
  table[4] = offset + label.length;
}

/** A table of these, with room for more entries and texts, `unitsMore` of them at least. */
export function tableOf(entries: readonly Frequent[], unitsMore = 0): Float64Array {
  let places = placesMin;
  while (places < (entries.length + 1) * 2 && places < frequentMax * 2) places *= 2;
  let units = unitsMore;
  for (const { label } of entries) if (typeof label === "string") units += label.length;
  const table = new Float64Array(header + places * stride + Math.ceil(units / 2));
  table[1] = places;
  for (const entry of entries) put(table, entry);
  return table;
}

/** The entries of a table, in no order that means anything. `texts`: whether its labels are texts. */
export function entriesOf(table: Float64Array, texts: boolean): Frequent[] {
  const found: Frequent[] = [];
  const units = unitsOf(table);
  for (let at = header; at < header + table[1]! * stride; at += stride) {
    const count = table[at + 1]!;
    if (count === 0) continue;
    const kept = table[at + 3]!;
    const offset = Math.floor(kept / lengthFactor);
    const label = texts
      ? String.fromCharCode(...units.subarray(offset, offset + (kept % lengthFactor)))
      : kept;
    found.push({ hash: table[at]!, label, count, error: table[at + 2]! });
  }
  return found;
}

/** A new table of what two hold. What only one knows may have been in the other as often as its rarest. */
export function merged(a: Float64Array, b: Float64Array, texts: boolean): Float64Array {
  const leastA = leastOf(a);
  const leastB = leastOf(b);
  const entries = new Map<number, Frequent>();
  for (const entry of entriesOf(a, texts)) {
    entries.set(entry.hash, { ...entry, count: entry.count + leastB, error: entry.error + leastB });
  }
  for (const entry of entriesOf(b, texts)) {
    const own = entries.get(entry.hash);
    entries.set(entry.hash, {
      ...entry,
      count: entry.count + (own === undefined ? leastA : own.count - leastB),
      error: entry.error + (own === undefined ? leastA : own.error - leastB),
    });
  }
  const frequent = [...entries.values()].sort((x, y) => y.count - x.count || x.hash - y.hash);
  return tableOf(frequent.slice(0, frequentMax));
}

/** The most that a value without an entry can have come. */
function leastOf(table: Float64Array): number {
  return table[0]! < frequentMax ? 0 : table[findRarest(table) + 1]!;
}
