// The sequence numbers of each key that passed last, with when each may pass again: mostly they tell alone
// whether a record is a repetition. A number above all that passed is new, as in the anti-replay window of
// RFC 4303 (3.4.3) and RFC 6479; one below is looked for among the last. Never guesses: where the last may
// not be all that counts, the record is left to whoever remembers every number.

import { type Batch, type Collector, type ColumnReference, type KeyedDeclaration, table } from "weir/sdk";
import type { Generations } from "./generations.ts";
import { KeyIds, noKeySigned, Numbers } from "./key-ids.ts";

/** Numbers remembered of each key. */
export const remembered = 24;

/** Of each key: the highest number, until when others may be remembered elsewhere, the place that is written next. */
const highest = 0;
const elsewhereUntil = 1;
const next = 2;
/** The numbers, and behind each, when it expires. */
const numbers = 3;
const expiry = 1;
const numbersEnd = numbers + 2 * remembered;
const width = numbersEnd;

const initial: readonly number[] = [
  Number.NEGATIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  0,
  ...Array.from({ length: remembered }, () => [Number.NaN, Number.NEGATIVE_INFINITY]).flat(),
];

export function recentTable(by: readonly ColumnReference[]): KeyedDeclaration {
  return table.keyed(by, initial, { lasting: true, together: true });
}

export class RecentSequences {
  readonly #generations: Generations;
  readonly #sequence: ColumnReference;
  readonly #within: number;
  readonly #keys = new KeyIds();
  readonly #nextKeys = new KeyIds();
  readonly #numbers = new Numbers();
  /** Rows that are left to somebody else, and how many. */
  others: Uint32Array = new Uint32Array(0);
  othersCount = 0;
  /** Rows that the next generation has to know of, and by place, what became of them. */
  #noted = new Uint32Array(0);
  #fates = new Uint8Array(0);
  #notedCount = 0;

  constructor(generations: Generations, sequence: ColumnReference, within: number) {
    this.#generations = generations;
    this.#sequence = sequence;
    this.#within = within;
  }

  /** Sorts out a batch's rows: those that pass go to `rows`; returns how many. What it cannot tell is in `others`. */
  sift(batch: Batch, rows: Uint32Array, out: Collector): number {
    const { selection, count, time, watermark } = batch;
    this.#begin(count);
    const { current } = this.#generations;
    const ids = this.#keys.of(current, batch);
    const cells = current.cells[0]!;
    const column = batch.columns[this.#sequence.index]!;
    const sequences = this.#numbers.of(column, batch);
    const { valid } = column;
    const end = column.type === "int64" ? Number.MAX_SAFE_INTEGER : Number.POSITIVE_INFINITY;
    const isNoted = this.#generations.next !== null;
    let passing = 0;
    let latest = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < count; i++) {
      const row = selection[i]!;
      const until = time[row]! + this.#within;
      const key = ids[i]! | 0;
      if (valid !== null && valid[row] === 0) rows[passing++] = row;
      else if (until <= watermark[row]!) out.drop(batch, row, "late");
      else if (key === noKeySigned) out.drop(batch, row, "overflow");
      else {
        const number = sequences[row]!;
        // Whole numbers that large are not what they were.
        const fate =
          Math.abs(number) <= end
            ? fateOf(cells, key * width, number, until, watermark[row]!)
            : leaveToOthers(cells, key * width, until);
        if (fate === repeated) continue;
        if (until > latest) latest = until;
        if (fate === fresh) rows[passing++] = row;
        else this.others[this.othersCount++] = row;
        if (!isNoted) continue;
        this.#fates[this.#notedCount] = fate;
        this.#noted[this.#notedCount++] = row;
      }
    }
    this.#generations.note(latest);
    this.#tellNext(batch, sequences);
    return passing;
  }

  forget(watermark: number): void {
    this.#generations.forget(watermark);
  }

  #begin(count: number): void {
    this.othersCount = 0;
    this.#notedCount = 0;
    if (this.others.length >= count) return;
    this.others = new Uint32Array(count);
    this.#noted = new Uint32Array(count);
    this.#fates = new Uint8Array(count);
  }

  /** What the next generation is told since it began is all that it needs: what came before will have expired. */
  #tellNext(batch: Batch, sequences: Float64Array): void {
    const { next: table } = this.#generations;
    if (table === null) return;
    const ids = this.#nextKeys.of(table, { ...batch, selection: this.#noted, count: this.#notedCount });
    const cells = table.cells[0]!;
    for (let place = 0; place < this.#notedCount; place++) {
      const row = this.#noted[place]!;
      const at = ids[place]! * width;
      const until = batch.time[row]! + this.#within;
      if (this.#fates[place] === fresh) fateOf(cells, at, sequences[row]!, until, batch.watermark[row]!);
      else noteOther(cells, at, sequences[row]!, until);
    }
  }
}

const repeated = 0;
const fresh = 1;
const unknown = 2;

/** What becomes of a number of the key whose cells begin at `at`; it is remembered where that is `fresh`. */
function fateOf(cells: Float64Array, at: number, number: number, until: number, watermark: number): number {
  if (number > cells[at + highest]!) cells[at + highest] = number;
  else {
    const found = placeOf(cells, at, number);
    if (found >= 0 && cells[found + expiry]! > watermark) return repeated;
    if (found >= 0) cells[found] = Number.NaN;
    else if (cells[at + elsewhereUntil]! > watermark) return leaveToOthers(cells, at, until);
  }
  const place = cells[at + next]! | 0;
  const written = at + numbers + 2 * place;
  if (cells[written + expiry]! > watermark) return leaveToOthers(cells, at, until);
  cells[written] = number;
  cells[written + expiry] = until;
  cells[at + next] = place + 1 === remembered ? 0 : place + 1;
  return fresh;
}

function leaveToOthers(cells: Float64Array, at: number, until: number): number {
  if (until > cells[at + elsewhereUntil]!) cells[at + elsewhereUntil] = until;
  return unknown;
}

/** Notes what another generation has left to others. */
function noteOther(cells: Float64Array, at: number, number: number, until: number): void {
  const found = placeOf(cells, at, number);
  if (found >= 0) cells[found] = Number.NaN;
  if (number > cells[at + highest]!) cells[at + highest] = number;
  leaveToOthers(cells, at, until);
}

/** Where a number of the key is remembered; -1 when it is not. */
function placeOf(cells: Float64Array, at: number, number: number): number {
  for (let place = at + numbers; place < at + numbersEnd; place += 2)
    if (cells[place] === number) return place;
  return -1;
}
