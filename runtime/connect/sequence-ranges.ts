// A set of whole numbers as ranges, for numbers that mostly follow each other: those of messages that are done while earlier
// ones are not. Knows nothing of streams.

import { damaged, numbersOf, packedNumbers, type Plain } from "../state/plain.ts";

interface Range {
  readonly from: number;
  readonly to: number;
}

export class SequenceRanges {
  /** Apart from each other and in order. */
  #ranges: Range[] = [];

  /** How many ranges there are; numbers that follow each other are one. */
  get count(): number {
    return this.#ranges.length;
  }

  has(number: number): boolean {
    const range = this.#ranges[this.#firstEndingAt(number)];
    return range !== undefined && range.from <= number;
  }

  add(number: number): void {
    const place = this.#firstEndingAt(number - 1);
    const found = this.#ranges[place];
    if (found === undefined || found.from > number + 1) {
      this.#ranges.splice(place, 0, { from: number, to: number });
      return;
    }
    const next = this.#ranges[place + 1];
    const joins = found.to === number - 1 && next !== undefined && next.from === number + 1;
    const from = Math.min(found.from, number);
    const to = joins ? next.to : Math.max(found.to, number);
    this.#ranges.splice(place, joins ? 2 : 1, { from, to });
  }

  /** Forgets numbers up to `number`. */
  dropTo(number: number): void {
    const place = this.#firstEndingAt(number + 1);
    const range = this.#ranges[place];
    this.#ranges.splice(0, place);
    if (range !== undefined && range.from <= number) this.#ranges[0] = { from: number + 1, to: range.to };
  }

  /** Forgets numbers from `number` on. */
  dropFrom(number: number): void {
    const place = this.#firstEndingAt(number);
    const range = this.#ranges[place];
    this.#ranges.length = Math.min(this.#ranges.length, place);
    if (range !== undefined && range.from < number) this.#ranges.push({ from: range.from, to: number - 1 });
  }

  /** As plain data, for `restore`. */
  snapshot(): Plain {
    return packedNumbers(this.#ranges.flatMap(({ from, to }) => [from, to]));
  }

  restore(data: Plain): void {
    const numbers = numbersOf(data);
    const ranges: Range[] = [];
    let before = Number.NEGATIVE_INFINITY;
    for (let place = 0; place < numbers.length; place += 2) {
      const [from, to] = [numbers[place] ?? Number.NaN, numbers[place + 1] ?? Number.NaN];
      if (!(Number.isSafeInteger(from) && Number.isSafeInteger(to) && from <= to && from > before + 1))
        throw damaged("expected ranges of numbers in order");
      ranges.push({ from, to });
      before = to;
    }
    this.#ranges = ranges;
  }

  /** The place of the first range that ends at `number` or behind it. */
  #firstEndingAt(number: number): number {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#ranges[middle]!.to < number) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
