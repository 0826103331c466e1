// The last readings of each key, and how far one more may be from their median. All of it is in a keyed table
// whose numbers are together; nothing here knows a batch or what becomes of an outlier.

import type { KeyedTable } from "weir/sdk";

/** Of a normal distribution, the standard deviation in median absolute deviations. */
const deviationsPerMad = 1.4826;
/** Readings before the first that is judged. */
export const readingsMin: number = 3;
/** Among fewer readings than these the place of one is sooner met on the way than searched for. */
const searchedMin = 24;

/**
 * The last readings of each key. A key's numbers: how many came; where the sorted readings begin in their room;
 * the readings in order of arrival; and twice the room that they take by size, so that they may wander in it.
 */
export class LastReadings {
  readonly #table: KeyedTable;
  readonly #last: number;
  /** The numbers of all keys, during a batch. */
  #numbers = new Float64Array(0);

  constructor(table: KeyedTable, last: number) {
    this.#table = table;
    this.#last = last;
  }

  static initial(last: number): number[] {
    return [0, last >>> 1, ...Array.from({ length: 3 * last }, () => 0)];
  }

  /** To be called before the readings of a batch. */
  begin(): void {
    this.#numbers = this.#table.cells[0] as Float64Array<ArrayBuffer>;
  }

  /** How far a reading may be from the median; `farthest` standard deviations, and no less than `floor`. */
  isOutlier(key: number, reading: number, farthest: number, floor: number): boolean {
    const at = key * (2 + 3 * this.#last);
    const size = Math.min(this.#numbers[at]!, this.#last) | 0;
    if (size < readingsMin) return false;
    const first = this.#firstOf(at);
    const median = this.#median(first, size);
    const distance = Math.abs(reading - median);
    const scale = farthest * deviationsPerMad;
    // Most readings are believed for the least that the deviation can be, which is found at once.
    if (distance <= Math.max(scale * this.#deviationLeast(first, size, median), floor)) return false;
    return distance > Math.max(scale * this.#deviation(first, size, median), floor);
  }

  /** Takes a reading in place of the oldest. */
  add(key: number, reading: number): void {
    const numbers = this.#numbers;
    const last = this.#last;
    const at = key * (2 + 3 * last);
    const came = numbers[at]! | 0;
    const arrival = at + 2 + (came < last ? came : came - last);
    if (came >= last && last >= searchedMin) this.#replace(at, numbers[arrival]!, reading);
    else {
      const first = this.#firstOf(at);
      const end = first + Math.min(came, last - 1);
      let gap = came < last ? end : first;
      if (came >= last) while (numbers[gap] !== numbers[arrival]) gap++;
      for (; gap < end && numbers[gap + 1]! < reading; gap++) numbers[gap] = numbers[gap + 1]!;
      for (; gap > first && numbers[gap - 1]! > reading; gap--) numbers[gap] = numbers[gap - 1]!;
      numbers[gap] = reading;
    }
    numbers[arrival] = reading;
    // Beyond this only the place in the ring matters.
    numbers[at] = came + 1 === 2 * last ? last : came + 1;
  }

  /** Of the sorted readings, puts one in the place of another. The fewer move: those between the two, or the others. */
  #replace(at: number, old: number, reading: number): void {
    const numbers = this.#numbers;
    const last = this.#last;
    let first = this.#firstOf(at);
    let from = this.#placeOf(first, old);
    let to = this.#placeOf(first, reading);
    const rises = to > from;
    if (2 * Math.abs(to - from) <= last) {
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

  /** The place of the first of the sorted readings, of which there are as many as there can be, that is not below `reading`. */
  #placeOf(first: number, reading: number): number {
    const numbers = this.#numbers;
    let low = first;
    let high = first + this.#last;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (numbers[middle]! < reading) low = middle + 1;
      else high = middle;
    }
    return low;
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
