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
import { Held, heldCells, heldProgress } from "./held.ts";
import { holding, type HoldingRules } from "./holding.ts";
import { noKeySigned, Numbers } from "./key-ids.ts";
import { largestTriangles } from "./largest-triangles.ts";

const readingsMax = 1_000;

/** Numbers of a key: how many readings are held, the newest time, and then of each reading its record, its time and its value. */
const size = 0;
const newest = 1;
const firstReading = 2;
const record = 0;
const time = 1;
const reading = 2;
const numbersOfReading = 3;

function widthOf(readings: number): number {
  return firstReading + numbersOfReading * readings;
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
  /** Of the run that ends, and of all keys in this call. */
  readonly #runTimes: Float64Array;
  readonly #runValues: Float64Array;
  #numbers = new Float64Array(0);
  /** The rows of the present batch that belong to a run, and the records that are kept of them. */
  #rows = new Uint32Array(0);
  #records = new Uint32Array(0);

  constructor(settings: RunSettings, readings: KeyedTable, held: Held) {
    this.#settings = settings;
    this.#width = widthOf(settings.readings);
    this.#readings = readings;
    this.#held = held;
    this.#chosen = new Uint32Array(settings.points);
    this.#runTimes = new Float64Array(settings.readings);
    this.#runValues = new Float64Array(settings.readings);
  }

  open(): void {
    this.#readings.reserve();
    this.#numbers = this.#readings.cells[0] as Float64Array<ArrayBuffer>;
  }

  rows(batch: Batch, ids: Uint32Array): void {
    const { selection, count, watermark } = batch;
    const kept = this.#keep(batch, ids);
    const values = this.#values.of(batch.columns[this.#settings.value.index]!, batch);
    const [rows, records] = [this.#rows, this.#records];
    let next = 0;
    for (let i = 0; i < count; i++) {
      const row = selection[i]!;
      const key = ids[i]! | 0;
      if (!this.#held.meet(key, row, watermark[row]!) || next === kept || rows[next] !== row) continue;
      this.#add(key, records[next++]!, batch.time[row]!, values[row]!);
    }
  }

  /** Nearly every row will be held, so all that may be are kept at once; returns how many. The others are counted. */
  #keep(batch: Batch, ids: Uint32Array): number {
    const { selection, count } = batch;
    if (this.#rows.length < count) {
      this.#rows = new Uint32Array(count);
      this.#records = new Uint32Array(count);
    }
    const [rows, numbers] = [this.#rows, this.#numbers];
    const { valid } = batch.columns[this.#settings.value.index]!;
    let kept = 0;
    for (let i = 0; i < count; i++) {
      const row = selection[i]!;
      const key = ids[i]! | 0;
      if (key === noKeySigned) continue;
      const at = key * this.#width + newest;
      if (valid !== null && valid[row] === 0) continue;
      if (batch.time[row]! < numbers[at]!) this.#held.leaveRow(row, "late");
      else {
        numbers[at] = batch.time[row]!;
        rows[kept++] = row;
      }
    }
    this.#held.keepRows(rows, kept, this.#records);
    return kept;
  }

  #add(key: number, slot: number, at: number, value: number): void {
    const numbers = this.#numbers;
    const first = key * this.#width;
    const { readings, within } = this.#settings;
    if (within !== undefined) {
      if (this.#held.deadline(key) <= at) this.end(key);
      if (numbers[first + size] === 0) this.#held.setDeadline(key, at + within);
    }
    const place = first + firstReading + numbersOfReading * numbers[first + size]!;
    numbers[place + record] = slot;
    numbers[place + time] = at;
    numbers[place + reading] = value;
    if (++numbers[first + size]! === readings) this.end(key);
  }

  due(key: number): void {
    this.end(key);
  }

  /** Sends what is to be left of the key's run. */
  end(key: number): void {
    const numbers = this.#numbers;
    const first = key * this.#width;
    const count = numbers[first + size]!;
    numbers[first + size] = 0;
    this.#held.clearDeadline(key);
    const [times, values, chosen] = [this.#runTimes, this.#runValues, this.#chosen];
    const readings = first + firstReading;
    for (let place = 0, at = readings; place < count; place++, at += numbersOfReading) {
      times[place] = numbers[at + time]!;
      values[place] = numbers[at + reading]!;
    }
    const taken = largestTriangles(times, values, count, chosen);
    for (let place = 0, next = 0, at = readings; place < count; place++, at += numbersOfReading) {
      if (next === taken || chosen[next] !== place) this.#held.leave(numbers[at + record]!);
      else {
        this.#held.send(numbers[at + record]!);
        next++;
      }
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
        place === newest ? Number.NEGATIVE_INFINITY : 0,
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
