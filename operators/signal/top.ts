// top: of each period, the records with the largest values. Holds those that may still be among them: of a key's two
// newest periods here, of earlier ones apart.

import {
  type Batch,
  type ColumnReference,
  defineOperator,
  field,
  type KeyedTable,
  type OperatorDefinition,
  table,
  z,
} from "weir/sdk";
import { EarlierPeriods, earlierTables } from "./earlier-periods.ts";
import { Held, heldCells, heldProgress } from "./held.ts";
import { holding, type HoldingRules } from "./holding.ts";
import { Numbers } from "./key-ids.ts";

const countMax = 100;
/** Periods of a key that are at hand. They follow each other, so the parity of its number is a period's place. */
const places = 2;

const none = Number.NEGATIVE_INFINITY;
/** Periods of a key that are open without any lateness: the one that holds the watermark, and one that a record opens far ahead of it. */
const openAtLeast = 2;

/** Of a period, the share at each end in which a division decides; with so many periods it is far more than can be rounded. */
const marginShare = 1 / 1_024;
const periodsMax = 2 ** 40;

/**
 * What a key has beside the deadline, its numbers together: 1 while rows of the batch are held; then by place the
 * period and how many records it has; then by place and rank the record; then in the same order their values.
 */
const periodAt = 1;
const sizeAt = periodAt + places;
const recordsAt = sizeAt + places;

function numbersOf(count: number): number[] {
  const numbers = Array.from({ length: recordsAt + 2 * places * count }, () => 0);
  return numbers.fill(none, periodAt, periodAt + places);
}

interface TopSettings {
  readonly count: number;
  readonly value: ColumnReference;
  readonly every: number;
}

/** The period that a time is in. Most are in that of the time before, which two comparisons tell. */
class CurrentPeriod {
  readonly #every: number;
  /** Times between these are in the period however a division is rounded. */
  #from = Number.POSITIVE_INFINITY;
  #to = Number.NEGATIVE_INFINITY;
  period = none;
  /** Of the places of a key, that of the period. */
  place = 0;
  end = none;

  constructor(every: number) {
    this.#every = every;
  }

  turnTo(at: number): void {
    if (at >= this.#from && at <= this.#to) return;
    const every = this.#every;
    const period = Math.floor(at / every);
    this.period = period;
    // Much sooner than the remainder of a number that may not be a whole one.
    this.place = period - places * Math.floor(period / places);
    this.end = (period + 1) * every;
    const margin = Math.abs(period) < periodsMax ? every * marginShare : Number.NaN;
    this.#from = period * every + margin;
    this.#to = this.end - margin;
  }
}

class Periods implements HoldingRules {
  readonly #settings: TopSettings;
  readonly #largest: KeyedTable;
  readonly #held: Held;
  readonly #values = new Numbers();
  readonly #width: number;
  /** Of all keys, and those of the batch. */
  #numbers!: Float64Array;
  #readings!: Float64Array;
  readonly #current: CurrentPeriod;
  readonly #earlier: EarlierPeriods;

  constructor(settings: TopSettings, largest: KeyedTable, held: Held, earlier: EarlierPeriods) {
    this.#settings = settings;
    this.#largest = largest;
    this.#held = held;
    this.#earlier = earlier;
    this.#width = recordsAt + 2 * places * settings.count;
    this.#current = new CurrentPeriod(settings.every);
  }

  open(): void {
    this.#largest.reserve();
    this.#numbers = this.#largest.cells[0] as Float64Array<ArrayBuffer>;
    this.#earlier.open(this.#ended());
  }

  rows(batch: Batch, ids: Uint32Array): void {
    const { selection, count, watermark, time } = batch;
    const column = batch.columns[this.#settings.value.index]!;
    this.#readings = this.#values.of(column, batch);
    const { valid } = column;
    const [numbers, held, width, current] = [this.#numbers, this.#held, this.#width, this.#current];
    for (let i = 0; i < count; i++) {
      const row = selection[i]!;
      const key = ids[i]! | 0;
      const now = watermark[row]!;
      if (!held.meet(key, row, now)) continue;
      current.turnTo(time[row]!);
      const { period, place } = current;
      const isOpen = numbers[key * width + periodAt + place] === period;
      if (current.end <= now) held.leaveRow(row, "late");
      else if (valid === null || valid[row] === 1) {
        if (isOpen) this.#rank(key, place, row);
        else this.#take(key, place, period, row);
      }
    }
  }

  /** Takes a record of a period that is not at hand. */
  #take(key: number, place: number, period: number, row: number): void {
    const isNew = period > this.#newest(key) - places;
    const hasRoom = isNew
      ? this.#open(key, place, period)
      : this.#earlier.rank(key, period, row, this.#readings[row]!);
    if (!hasRoom) this.#held.leaveRow(row, "overflow");
    else if (isNew) this.#rank(key, place, row);
    this.#awaitEnd(key);
  }

  /** The newest period of a key. */
  #newest(key: number): number {
    const periods = key * this.#width + periodAt;
    return Math.max(this.#numbers[periods]!, this.#numbers[periods + 1]!);
  }

  due(key: number, moment: number): void {
    this.#sendUntil(key, moment);
  }

  keep(key: number): void {
    const at = key * this.#width;
    if (this.#numbers[at] !== 1) return;
    this.#numbers[at] = 0;
    const { count } = this.#settings;
    for (let place = 0; place < places; place++) {
      const first = at + recordsAt + place * count;
      const size = this.#numbers[at + sizeAt + place]!;
      for (let rank = 0; rank < size; rank++) this.#held.keepIn(this.#numbers, first + rank);
    }
  }

  end(key: number): void {
    this.#sendUntil(key, Number.POSITIVE_INFINITY);
  }

  /** The last period that has ended. */
  #ended(): number {
    const { now } = this.#held;
    const last = Math.floor(now / this.#settings.every) - 1;
    // A division may be rounded up.
    return this.#end(last) > now ? last - 1 : last;
  }

  #end(period: number): number {
    return (period + 1) * this.#settings.every;
  }

  /** Opens a period that none of the key is newer than, or only the next; false when those that make room for it find none. */
  #open(key: number, place: number, period: number): boolean {
    // Of those that are at hand, only the one before this or behind it stays.
    const older = this.#older(key);
    if (!this.#putAway(key, older, period) || !this.#putAway(key, 1 - older, period)) return false;
    this.#numbers[key * this.#width + periodAt + place] = period;
    return true;
  }

  /** Puts the period in a place away, if it is further from another than the one before; false when there is no room. */
  #putAway(key: number, place: number, newer: number): boolean {
    const numbers = this.#numbers;
    const { count } = this.#settings;
    const at = key * this.#width;
    const period = numbers[at + periodAt + place]!;
    if (period === none || period > newer - places) return true;
    const records = at + recordsAt + place * count;
    const size = numbers[at + sizeAt + place]!;
    const ranked = { numbers, size, records, values: records + places * count };
    if (!this.#earlier.add(key, period, ranked)) return false;
    numbers[at + sizeAt + place] = 0;
    numbers[at + periodAt + place] = none;
    return true;
  }

  /** The place of the older of the two. */
  #older(key: number): number {
    const periods = key * this.#width + periodAt;
    return this.#numbers[periods]! < this.#numbers[periods + 1]! ? 0 : 1;
  }

  /** Sends the periods that end at or before `moment`, the older first. */
  #sendUntil(key: number, moment: number): void {
    const numbers = this.#numbers;
    const at = key * this.#width;
    const periods = at + periodAt;
    this.#earlier.send(key, (period) => this.#end(period) <= moment);
    const older = this.#older(key);
    for (const place of [older, 1 - older]) {
      const period = numbers[periods + place]!;
      if (period === none || this.#end(period) > moment) continue;
      const first = at + recordsAt + place * this.#settings.count;
      const size = numbers[at + sizeAt + place]!;
      for (let rank = 0; rank < size; rank++) this.#held.send(numbers[first + rank]!);
      numbers[at + sizeAt + place] = 0;
      numbers[periods + place] = none;
    }
    this.#awaitEnd(key);
  }

  /** Sets the deadline to the end of the key's oldest period. */
  #awaitEnd(key: number): void {
    this.#held.clearDeadline(key);
    const periods = key * this.#width + periodAt;
    this.#awaitPeriod(key, this.#earlier.oldest(key));
    for (let place = 0; place < places; place++) this.#awaitPeriod(key, this.#numbers[periods + place]!);
  }

  #awaitPeriod(key: number, period: number): void {
    if (period !== none && this.#end(period) < this.#held.deadline(key))
      this.#held.setDeadline(key, this.#end(period));
  }

  /** Takes a record among the largest of its period, if it is one of them. */
  #rank(key: number, place: number, row: number): void {
    const numbers = this.#numbers;
    const { count } = this.#settings;
    const at = key * this.#width;
    const size = numbers[at + sizeAt + place]!;
    const records = at + recordsAt + place * count;
    const values = records + places * count;
    const reading = this.#readings[row]!;
    let rank = size | 0;
    if (rank === count) {
      if (reading <= numbers[values + count - 1]!) return;
      this.#held.leave(numbers[records + --rank]!);
    } else numbers[at + sizeAt + place] = size + 1;
    for (; rank > 0 && numbers[values + rank - 1]! < reading; rank--) {
      numbers[records + rank] = numbers[records + rank - 1]!;
      numbers[values + rank] = numbers[values + rank - 1]!;
    }
    numbers[values + rank] = reading;
    this.#held.takeInto(numbers, records + rank, row);
    numbers[at] = 1;
  }
}

export const top: OperatorDefinition = defineOperator({
  name: "top",
  summary: "Sends the records with the largest values of each period.",
  rule: [
    "Periods are `[k × every, (k + 1) × every)` since the epoch; a record belongs to the one that holds its event time. When the watermark passes a period's end, or the stream ends, its `count` records with the largest `value` of each key are sent, the largest first; of equal values, the first to arrive.",
    "A period is open until the watermark has passed its end, whatever came of later ones: a key has as many open as the `lateness` spans. A record whose period had ended when it came is counted as `late`.",
    "Records whose value is null and those that are not among the largest are counted as `filtered`.",
  ].join(" "),
  kind: "keyed",
  config: z.strictObject({
    count: z.int().min(1).max(countMax).meta({ description: "How many records of a period are sent." }),
    value: field.column(["float64", "int64"], "Column that is compared."),
    by: field
      .keys("The key: each has its own largest. Without it, they are those of all records.")
      .optional(),
    every: field
      .duration("Length of a period, in event time.")
      .refine((every) => every >= 1, "a period is at least 1ms long"),
  }),
  examples: [
    {
      title: "The two warmest readings of each minute",
      config: { count: 2, value: "temp", every: "1m" },
      schema: { device: "string", ts: "time", temp: "float64" },
      time: "ts",
      input: [
        { device: "a", ts: 1_000, temp: 20 },
        { device: "b", ts: 2_000, temp: 25 },
        { device: "c", ts: 3_000, temp: 22 },
        { device: "a", ts: 61_000, temp: 19 },
        { device: "b", ts: 3_000, temp: 30 },
      ],
      output: [
        { device: "b", ts: 2_000, temp: 25 },
        { device: "c", ts: 3_000, temp: 22 },
        { device: "a", ts: 61_000, temp: 19 },
      ],
    },
  ],
  state: ({ by = [], count, every }) => {
    const open = (lateness: number): number => Math.ceil(lateness / every) + openAtLeast;
    return {
      periods: table.keyed(by, heldCells, { perKey: (lateness) => open(lateness) * count }),
      largest: table.keyed(by, numbersOf(count), { together: true }),
      progress: heldProgress,
      // One that has ended is let go of in the call after it was sent.
      ...earlierTables(by, count, open),
    };
  },
  create: (settings, { state: { periods, largest, progress, ...earlier } }) => {
    const held = new Held(periods, progress, settings.every);
    const before = new EarlierPeriods(earlier, held, settings.count);
    return holding(periods, held, new Periods(settings, largest, held, before));
  },
});
