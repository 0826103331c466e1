// lttb: of each run of readings, those that a drawn curve needs to look the same. Holds a key's run until
// it is complete.

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
import { Held, heldCells, heldProgress, nothing } from "./held.ts";
import { holding, type HoldingRules } from "./holding.ts";
import { Numbers } from "./key-ids.ts";
import { largestTriangles } from "./largest-triangles.ts";

const readingsMax = 1_000;

/** Numbers of a key: how many readings are held, the newest time, and behind them all records, then all times, then all values. */
const size = 0;
const newest = 1;
const firstReading = 2;

function widthOf(readings: number): number {
  return firstReading + 3 * readings;
}

interface RunSettings {
  readonly value: ColumnReference;
  readonly readings: number;
  readonly points: number;
  readonly within?: number | undefined;
}

class Runs implements HoldingRules {
  readonly #settings: RunSettings;
  readonly #width: number;
  readonly #readings: KeyedTable;
  readonly #held: Held;
  readonly #values = new Numbers();
  readonly #chosen: Uint32Array;
  /** Those of all keys, in this call. */
  #numbers = new Float64Array(0);
  /** By row of the present batch, where a key may hold it; 0, which is no place of a record, for the others. */
  #places = new Uint32Array(0);

  constructor(settings: RunSettings, readings: KeyedTable, held: Held) {
    this.#settings = settings;
    this.#width = widthOf(settings.readings);
    this.#readings = readings;
    this.#held = held;
    this.#chosen = new Uint32Array(settings.points);
  }

  open(): void {
    this.#readings.reserve();
    this.#numbers = this.#readings.cells[0] as Float64Array<ArrayBuffer>;
  }

  rows(batch: Batch, ids: Uint32Array): void {
    const { selection, count, watermark, time } = batch;
    const column = batch.columns[this.#settings.value.index]!;
    const values = this.#values.of(column, batch);
    if (this.#places.length < batch.rows) this.#places = new Uint32Array(batch.rows);
    const places = this.#places.fill(0);
    for (let i = 0; i < count; i++) {
      const row = selection[i]!;
      const key = ids[i]! | 0;
      if (!this.#held.meet(key, row, watermark[row]!)) continue;
      if (column.valid !== null && column.valid[row] === 0) this.#held.filterRow(row);
      else places[row] = this.#row(key, row, time[row]!, values[row]!);
    }
    // In the order of the batch, in which records are kept soonest.
    for (let i = 0; i < count; i++) this.#held.keepIn(this.#numbers, places[selection[i]!]!);
  }

  /** Returns where the row is held; 0 when it is late. */
  #row(key: number, row: number, at: number, value: number): number {
    const numbers = this.#numbers;
    const first = key * this.#width;
    const { readings, within } = this.#settings;
    if (at < numbers[first + newest]!) {
      this.#held.leaveRow(row, "late");
      return 0;
    }
    numbers[first + newest] = at;
    if (within !== undefined) {
      if (this.#held.deadline(key) <= at) this.end(key);
      if (numbers[first + size] === 0) this.#held.setDeadline(key, at + within);
    }
    const place = first + firstReading + numbers[first + size]!;
    this.#held.takeInto(numbers, place, row);
    numbers[place + readings] = at;
    numbers[place + 2 * readings] = value;
    if (++numbers[first + size]! === readings) this.end(key);
    return place;
  }

  due(key: number): void {
    this.end(key);
  }

  /** Sends what is to be left of the key's run. */
  end(key: number): void {
    const numbers = this.#numbers;
    const { readings } = this.#settings;
    const first = key * this.#width + firstReading;
    const count = numbers[first - firstReading + size]!;
    numbers[first - firstReading + size] = 0;
    this.#held.clearDeadline(key);
    const times = numbers.subarray(first + readings, first + 2 * readings);
    const values = numbers.subarray(first + 2 * readings, first + 3 * readings);
    const taken = largestTriangles(times, values, count, this.#chosen);
    let next = 0;
    for (let place = 0; place < count; place++) {
      const reading = numbers[first + place]!;
      numbers[first + place] = nothing;
      if (next < taken && this.#chosen[next] === place) {
        this.#held.send(reading);
        next++;
      } else this.#held.leave(reading);
    }
  }
}

export const lttb: OperatorDefinition = defineOperator({
  name: "lttb",
  summary: "Reduces each run of readings to those that keep the look of its curve.",
  rule: [
    "Largest triangle three buckets (S. Steinarsson, Downsampling Time Series for Visual Representation, 2013). Each `readings` readings of a key that follow each other are reduced to `points` of them: the first, the last, and one of each of `points - 2` buckets of as equal size as can be.",
    "Of a bucket the reading is taken that makes the largest triangle with the one taken before it and the mean of the next bucket; of equal ones, the first. Event time is the one axis, `value` the other.",
    "A run that ends before it is complete, because the stream ends or event time (the watermark, or a reading of the key) reaches `within` after its first reading, is reduced in the same way; one of no more than `points` readings is sent whole.",
    "Null readings are left out and counted as `filtered`, as all that are not sent; a reading that is older than the newest of its key is counted as `late`.",
  ].join(" "),
  kind: "keyed",
  config: z
    .strictObject({
      value: field.column(["float64", "int64"], "Column to draw."),
      by: field.keys("The key: one curve each. Without it, all readings are of one curve.").optional(),
      readings: z.int().min(3).max(readingsMax).meta({ description: "Length of a run, in readings." }),
      points: z.int().min(3).max(readingsMax).meta({ description: "Readings that are left of each run." }),
      within: field
        .duration("Longest time from a run's first reading until it is sent, in event time.")
        .refine((within) => within > 0, "the longest time is longer than 0")
        .optional(),
    })
    .refine(({ readings, points }) => points < readings, {
      path: ["points"],
      message: "`points` has to be below `readings`",
    }),
  examples: [
    {
      title: "Four of eight",
      config: { value: "level", readings: 8, points: 4 },
      schema: { ts: "time", level: "float64" },
      time: "ts",
      input: [1, 1, 9, 1, 1, 2, -5, 1, 7].map((level, second) => ({ ts: second * 1_000, level })),
      output: [
        { ts: 0, level: 1 },
        { ts: 2_000, level: 9 },
        { ts: 6_000, level: -5 },
        { ts: 7_000, level: 1 },
        { ts: 8_000, level: 7 },
      ],
    },
  ],
  state: ({ by = [], readings }) => ({
    runs: table.keyed(by, heldCells, { perKey: () => readings }),
    readings: table.keyed(
      by,
      Array.from({ length: widthOf(readings) }, (_, place) =>
        place === newest ? Number.NEGATIVE_INFINITY : place === size ? 0 : nothing,
      ),
      { together: true },
    ),
    progress: heldProgress,
  }),
  create: (settings, { state: { runs, readings, progress } }) => {
    const held = new Held(runs, progress, settings.within ?? 0);
    return holding(runs, held, new Runs(settings, readings, held));
  },
});
