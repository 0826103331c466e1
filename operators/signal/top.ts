// top: of each period, the records with the largest values. Holds those that may still be among them.

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
import { Held, heldCells, heldProgress } from "./held.ts";
import { holding, type HoldingRules } from "./holding.ts";
import { Numbers } from "./key-ids.ts";

const countMax = 100;
/** Periods of a key that are open at a time. They follow each other, so the parity of its number is a period's place. */
const places = 2;

const none = Number.NEGATIVE_INFINITY;

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

class Periods implements HoldingRules {
  readonly #settings: TopSettings;
  readonly #largest: KeyedTable;
  readonly #held: Held;
  readonly #values = new Numbers();
  readonly #width: number;
  /** Of all keys, and those of the batch. */
  #numbers!: Float64Array;
  #readings!: Float64Array;
  #valid!: Uint8Array | null;

  constructor(settings: TopSettings, largest: KeyedTable, held: Held) {
    this.#settings = settings;
    this.#largest = largest;
    this.#held = held;
    this.#width = recordsAt + 2 * places * settings.count;
  }

  open(): void {
    this.#largest.reserve();
    this.#numbers = this.#largest.cells[0] as Float64Array<ArrayBuffer>;
  }

  rows(batch: Batch, ids: Uint32Array): void {
    const { selection, count, watermark, time } = batch;
    const column = batch.columns[this.#settings.value.index]!;
    this.#readings = this.#values.of(column, batch);
    this.#valid = column.valid;
    for (let i = 0; i < count; i++) {
      const row = selection[i]!;
      const key = ids[i]! | 0;
      if (this.#held.meet(key, row, watermark[row]!)) this.#row(key, row, time[row]!);
    }
  }

  #row(key: number, row: number, at: number): void {
    const period = Math.floor(at / this.#settings.every);
    // Much sooner than the remainder of a number that may not be a whole one.
    const place = period - places * Math.floor(period / places);
    const periods = key * this.#width + periodAt;
    const open = this.#numbers[periods + place]!;
    const newest = Math.max(open, this.#numbers[periods + 1 - place]!);
    if (this.#end(period) <= this.#held.now || period <= newest - places) this.#held.leaveRow(row, "late");
    else if (this.#valid !== null && this.#valid[row] === 0) this.#held.filterRow(row);
    else {
      if (open !== period) this.#open(key, place, period);
      this.#rank(key, place, row);
    }
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

  #end(period: number): number {
    return (period + 1) * this.#settings.every;
  }

  #open(key: number, place: number, period: number): void {
    // Of those that were open, only the one before this stays.
    this.#sendUntil(key, this.#end(period - places));
    this.#numbers[key * this.#width + periodAt + place] = period;
    this.#awaitEnd(key);
  }

  /** Sends the periods that end at or before `moment`, the older first. */
  #sendUntil(key: number, moment: number): void {
    const numbers = this.#numbers;
    const at = key * this.#width;
    const periods = at + periodAt;
    const older = numbers[periods]! < numbers[periods + 1]! ? 0 : 1;
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
    for (let place = 0; place < places; place++) {
      const period = this.#numbers[periods + place]!;
      if (period !== none && this.#end(period) < this.#held.deadline(key))
        this.#held.setDeadline(key, this.#end(period));
    }
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
      if (reading <= numbers[values + count - 1]!) {
        this.#held.filterRow(row);
        return;
      }
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
    "A key has two periods open at a time, those that follow each other; a record of a later one ends the older early. A record whose period has ended, or is older than those two, is counted as `late`.",
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
  state: ({ by = [], count }) => ({
    periods: table.keyed(by, heldCells, { perKey: () => places * count }),
    largest: table.keyed(by, numbersOf(count), { together: true }),
    progress: heldProgress,
  }),
  create: (settings, { state: { periods, largest, progress } }) => {
    const held = new Held(periods, progress, settings.every);
    return holding(periods, held, new Periods(settings, largest, held));
  },
});
