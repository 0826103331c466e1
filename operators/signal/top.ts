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

/** Cells after the deadline and the record in hand, which is not used: 1 while rows of the batch are held, and what is of each period. */
const changedCell = 2;
const periodCell = 3;
const sizeCell = periodCell + places;
const recordsCell = sizeCell + places;
const none = Number.NEGATIVE_INFINITY;

interface TopSettings {
  readonly count: number;
  readonly value: ColumnReference;
  readonly every: number;
}

class Periods implements HoldingRules {
  readonly #settings: TopSettings;
  readonly #table: KeyedTable;
  readonly #held: Held;
  readonly #numbers = new Numbers();
  #values!: Float64Array;
  #valid!: Uint8Array | null;

  constructor(settings: TopSettings, table: KeyedTable, held: Held) {
    this.#settings = settings;
    this.#table = table;
    this.#held = held;
  }

  rows(batch: Batch, ids: Uint32Array): void {
    const { selection, count, watermark, time } = batch;
    const column = batch.columns[this.#settings.value.index]!;
    this.#values = this.#numbers.of(column, batch);
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
    const open = this.#period(place);
    const newest = Math.max(open[key]!, this.#period(1 - place)[key]!);
    if (this.#end(period) <= this.#held.now || period <= newest - places) this.#held.leaveRow(row, "late");
    else if (this.#valid !== null && this.#valid[row] === 0) this.#held.filterRow(row);
    else {
      if (open[key] !== period) this.#open(key, place, period);
      this.#rank(key, place, row);
    }
  }

  due(key: number, moment: number): void {
    this.#sendUntil(key, moment);
  }

  keep(key: number): void {
    const changed = this.#table.cells[changedCell]!;
    if (changed[key] !== 1) return;
    changed[key] = 0;
    for (let place = 0; place < places; place++) {
      const size = this.#size(place)[key]!;
      for (let rank = 0; rank < size; rank++) this.#held.keepIn(this.#record(place, rank), key);
    }
  }

  end(key: number): void {
    this.#sendUntil(key, Number.POSITIVE_INFINITY);
  }

  #period(place: number): Float64Array {
    return this.#table.cells[periodCell + place]!;
  }

  #size(place: number): Float64Array {
    return this.#table.cells[sizeCell + place]!;
  }

  #record(place: number, rank: number): Float64Array {
    return this.#table.cells[recordsCell + place * this.#settings.count + rank]!;
  }

  #value(place: number, rank: number): Float64Array {
    return this.#table.cells[recordsCell + (places + place) * this.#settings.count + rank]!;
  }

  #end(period: number): number {
    return (period + 1) * this.#settings.every;
  }

  #open(key: number, place: number, period: number): void {
    // Of those that were open, only the one before this stays.
    this.#sendUntil(key, this.#end(period - places));
    this.#period(place)[key] = period;
    this.#awaitEnd(key);
  }

  /** Sends the periods that end at or before `moment`, the older first. */
  #sendUntil(key: number, moment: number): void {
    const older = this.#period(0)[key]! < this.#period(1)[key]! ? 0 : 1;
    for (const place of [older, 1 - older]) {
      const period = this.#period(place);
      if (period[key] === none || this.#end(period[key]!) > moment) continue;
      const size = this.#size(place);
      for (let rank = 0; rank < size[key]!; rank++) this.#held.send(this.#record(place, rank)[key]!);
      size[key] = 0;
      period[key] = none;
    }
    this.#awaitEnd(key);
  }

  /** Sets the deadline to the end of the key's oldest period. */
  #awaitEnd(key: number): void {
    this.#held.clearDeadline(key);
    for (let place = 0; place < places; place++) {
      const period = this.#period(place)[key]!;
      if (period !== none && this.#end(period) < this.#held.deadline(key))
        this.#held.setDeadline(key, this.#end(period));
    }
  }

  /** Takes a record among the largest of its period, if it is one of them. */
  #rank(key: number, place: number, row: number): void {
    const { count } = this.#settings;
    const size = this.#size(place);
    const reading = this.#values[row]!;
    let rank = size[key]!;
    if (rank === count) {
      if (reading <= this.#value(place, count - 1)[key]!) {
        this.#held.filterRow(row);
        return;
      }
      this.#held.leave(this.#record(place, --rank)[key]!);
    } else size[key] = rank + 1;
    for (; rank > 0 && this.#value(place, rank - 1)[key]! < reading; rank--) {
      this.#record(place, rank)[key] = this.#record(place, rank - 1)[key]!;
      this.#value(place, rank)[key] = this.#value(place, rank - 1)[key]!;
    }
    this.#value(place, rank)[key] = reading;
    this.#held.takeInto(this.#record(place, rank), key, row);
    this.#table.cells[changedCell]![key] = 1;
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
    periods: table.keyed(
      by,
      [
        ...heldCells,
        0,
        ...Array.from({ length: places }, () => none),
        ...Array.from({ length: places + 2 * places * count }, () => 0),
      ],
      { perKey: () => places * count },
    ),
    progress: heldProgress,
  }),
  create: (settings, { state: { periods, progress } }) => {
    const held = new Held(periods, progress);
    return holding(periods, held, new Periods(settings, periods, held));
  },
});
