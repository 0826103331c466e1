// The last readings of each key, and how far one more may be from their median. All of it is in a keyed table
// whose numbers are together; nothing here knows a batch or what becomes of an outlier.

import type { KeyedTable } from "weir/sdk";

/** Of a normal distribution, the standard deviation in median absolute deviations. */
const deviationsPerMad = 1.4826;
/** Readings before the first that is judged. */
export const readingsMin: number = 3;
/** Two places among the readings of a key in one number. */
const placeBits = 16;
const placeMask = 2 ** placeBits - 1;
/** Fewer readings than these are counted one by one, and stay where they are in their room. */
const fewReadings = 24;

/**
 * The last readings of each key. A key's numbers: how many came; where the sorted readings begin in their room;
 * the readings in order of arrival; and twice the room that they take by size, so that they may wander in it.
 */
export class LastReadings {
  readonly #table: KeyedTable;
  readonly #last: number;
  /** A power of two near the square root of `last`, as a shift: so many readings are looked at one by one, behind as few looks. */
  readonly #blockShift: number;
  readonly #areFew: boolean;
  /** The numbers of all keys, during a batch. */
  #numbers = new Float64Array(0);

  constructor(table: KeyedTable, last: number) {
    this.#table = table;
    this.#last = last;
    this.#blockShift = Math.round(Math.log2(last) / 2);
    this.#areFew = last < fewReadings;
  }

  static initial(last: number): number[] {
    return [0, last >>> 1, ...Array.from({ length: 3 * last }, () => 0)];
  }

  /** To be called before the readings of a batch. */
  begin(): void {
    this.#numbers = this.#table.cells[0] as Float64Array<ArrayBuffer>;
  }

  /**
   * Takes a reading in place of the oldest; returns whether it is an outlier among those before it: farther from their
   * median than `farthest` standard deviations, and than `floor`.
   */
  judge(key: number, reading: number, farthest: number, floor: number): boolean {
    const numbers = this.#numbers;
    const last = this.#last;
    const at = key * (2 + 3 * last);
    const came = numbers[at]! | 0;
    const size = came < last ? came : last;
    const first = at + 2 + last + (numbers[at + 1]! | 0);
    const isFar =
      size >= readingsMin && this.#isFar(first, size, reading, farthest * deviationsPerMad, floor);
    const arrival = at + 2 + (came < last ? came : came - last);
    if (came < last) this.#insert(first, came, reading);
    else this.#replace(at, first, numbers[arrival]!, reading);
    numbers[arrival] = reading;
    // Beyond this only the place in the ring matters.
    numbers[at] = came + 1 === 2 * last ? last : came + 1;
    return isFar;
  }

  #isFar(first: number, size: number, reading: number, scale: number, floor: number): boolean {
    const median = this.#median(first, size);
    const distance = Math.abs(reading - median);
    if (distance <= floor) return false;
    // Most readings are believed for the least that the deviation can be, which is found at once.
    if (distance <= scale * this.#deviationLeast(first, size, median)) return false;
    return distance > scale * this.#deviation(first, size, median);
  }

  /** Puts a reading among the first `count` ones. */
  #insert(first: number, count: number, reading: number): void {
    const numbers = this.#numbers;
    let gap = first + count;
    for (; gap > first && numbers[gap - 1]! > reading; gap--) numbers[gap] = numbers[gap - 1]!;
    numbers[gap] = reading;
  }

  /** Of the sorted readings, puts one in the place of another. The fewer move: those between the two, or the others. */
  #replace(at: number, first: number, old: number, reading: number): void {
    const numbers = this.#numbers;
    const last = this.#last;
    const places = this.#placesOf(first, old, reading);
    let from = first + (places & placeMask);
    let to = first + (places >>> placeBits);
    const rises = to > from;
    if (this.#areFew || 2 * Math.abs(to - from) <= last) {
      if (rises) to--;
      this.#moveGap(from, to);
      numbers[to] = reading;
      return;
    }
    const begins = numbers[at + 1]! | 0;
    if (begins === (rises ? last : 0)) {
      const wanders = this.#center(at) - first;
      first += wanders;
      from += wanders;
      to += wanders;
    }
    if (rises) {
      this.#moveGap(from, first);
      this.#moveGap(first + last, to);
      numbers[at + 1]! += 1;
    } else {
      this.#moveGap(from, first + last - 1);
      this.#moveGap(first - 1, --to);
      numbers[at + 1]! -= 1;
    }
    numbers[to] = reading;
  }

  /** Moves the sorted readings to the middle of their room; returns where they begin then. */
  #center(at: number): number {
    const first = this.#firstOf(at);
    this.#numbers[at + 1] = this.#last >>> 1;
    this.#numbers.copyWithin(this.#firstOf(at), first, first + this.#last);
    return this.#firstOf(at);
  }

  #firstOf(at: number): number {
    return at + 2 + this.#last + (this.#numbers[at + 1]! | 0);
  }

  /** Moves the readings between a place that is free and another by one, so that the other is. */
  #moveGap(from: number, to: number): void {
    const numbers = this.#numbers;
    for (; from < to; from++) numbers[from] = numbers[from + 1]!;
    for (; from > to; from--) numbers[from] = numbers[from - 1]!;
  }

  /**
   * How many of the sorted readings, of which there are as many as there can be, are below `old`, and in the bits above how many
   * are below `reading`. They are counted, because a search would guess wrong at every other step.
   */
  #placesOf(first: number, old: number, reading: number): number {
    if (!this.#areFew) return this.#placesAmongMany(first, old, reading);
    const numbers = this.#numbers;
    const end = first + this.#last;
    let from = 0;
    let to = 0;
    for (let place = first; place < end; place++) {
      const each = numbers[place]!;
      from += Number(each < old);
      to += Number(each < reading);
    }
    return from | (to << placeBits);
  }

  /** The same by blocks, and then within one. */
  #placesAmongMany(first: number, old: number, reading: number): number {
    const numbers = this.#numbers;
    const last = this.#last;
    const shift = this.#blockShift;
    const block = 1 << shift;
    let from = 0;
    let to = 0;
    for (let place = block - 1; place < last; place += block) {
      const each = numbers[first + place]!;
      from += Number(each < old);
      to += Number(each < reading);
    }
    from <<= shift;
    to <<= shift;
    const fromEnd = Math.min(from + block, last);
    const toEnd = Math.min(to + block, last);
    for (let place = from; place < fromEnd; place++) from += Number(numbers[first + place]! < old);
    for (let place = to; place < toEnd; place++) to += Number(numbers[first + place]! < reading);
    return from | (to << placeBits);
  }

  #median(first: number, size: number): number {
    const middle = first + (size >>> 1);
    const upper = this.#numbers[middle]!;
    return (size & 1) === 1 ? upper : this.#numbers[middle - 1]! / 2 + upper / 2;
  }

  /**
   * No more than the median of the distances from the median: half of the readings are as near as that, so
   * that a quarter of them are on one of its sides.
   */
  #deviationLeast(first: number, size: number, median: number): number {
    const numbers = this.#numbers;
    const quarter = ((size >>> 1) + 1) >>> 1;
    const middle = first + (size >>> 1);
    const below = median - numbers[middle - quarter]!;
    const above = numbers[middle - 1 + (size & 1) + quarter]! - median;
    return Math.min(below, above);
  }

  /** The median of the distances from the median, which grow on both sides from the middle outwards. */
  #deviation(first: number, size: number, median: number): number {
    const numbers = this.#numbers;
    const half = size >>> 1;
    const middle = first + half;
    // Of the nearer half, so many are on the left.
    let left = 0;
    for (let most = half; left < most; ) {
      const tried = (left + most) >>> 1;
      if (median - numbers[middle - 1 - tried]! < numbers[middle + half - 1 - tried]! - median)
        left = tried + 1;
      else most = tried;
    }
    const right = half - left;
    const below = left === half ? Number.POSITIVE_INFINITY : median - numbers[middle - 1 - left]!;
    const above = right === size - half ? Number.POSITIVE_INFINITY : numbers[middle + right]! - median;
    const distance = Math.min(below, above);
    if ((size & 1) === 1) return distance;
    const before = Math.max(
      left === 0 ? 0 : median - numbers[middle - left]!,
      right === 0 ? 0 : numbers[middle + right - 1]! - median,
    );
    return before / 2 + distance / 2;
  }
}
