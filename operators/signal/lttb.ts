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
import { largestTriangles } from "./largest-triangles.ts";

const readingsMax = 1_000;

/** Cells after the deadline and the record in hand, which is not used: the newest time, how many readings are held, and they. */
const newestCell = 2;
const sizeCell = 3;
const readingsCell = 4;

interface RunSettings {
  readonly value: ColumnReference;
  readonly readings: number;
  readonly points: number;
  readonly within?: number | undefined;
}

class Runs implements HoldingRules {
  readonly #settings: RunSettings;
  readonly #table: KeyedTable;
  readonly #held: Held;
  readonly #times: Float64Array;
  readonly #values: Float64Array;
  readonly #chosen: Uint32Array;
  #valid: Uint8Array | null = null;

  constructor(settings: RunSettings, table: KeyedTable, held: Held) {
    this.#settings = settings;
    this.#table = table;
    this.#held = held;
    this.#times = new Float64Array(settings.readings);
    this.#values = new Float64Array(settings.readings);
    this.#chosen = new Uint32Array(settings.points);
  }

  rows(batch: Batch, ids: Uint32Array): void {
    const { selection, count, watermark, time } = batch;
    this.#valid = batch.columns[this.#settings.value.index]!.valid;
    for (let i = 0; i < count; i++) {
      const row = selection[i]!;
      const key = ids[i]! | 0;
      if (this.#held.meet(key, row, watermark[row]!)) this.#row(key, row, time[row]!);
    }
  }

  #row(key: number, row: number, at: number): void {
    const { cells } = this.#table;
    const { readings, within } = this.#settings;
    if (this.#valid !== null && this.#valid[row] === 0) {
      this.#held.filterRow(row);
      return;
    }
    if (at < cells[newestCell]![key]!) {
      this.#held.leaveRow(row, "late");
      return;
    }
    cells[newestCell]![key] = at;
    if (this.#held.deadline(key) <= at) this.end(key);
    const size = cells[sizeCell]!;
    if (within !== undefined && size[key] === 0) this.#held.setDeadline(key, at + within);
    this.#held.takeInto(cells[readingsCell + size[key]!]!, key, row);
    size[key] = size[key]! + 1;
    if (size[key] === readings) this.end(key);
  }

  due(key: number): void {
    this.end(key);
  }

  keep(key: number): void {
    const { cells } = this.#table;
    // Rows of the batch are the last of the run.
    for (let place = cells[sizeCell]![key]! - 1; place >= 0; place--)
      if (!this.#held.keepIn(cells[readingsCell + place]!, key)) break;
  }

  /** Sends what is to be left of the key's run. */
  end(key: number): void {
    const { cells } = this.#table;
    const size = cells[sizeCell]![key]!;
    cells[sizeCell]![key] = 0;
    this.#held.clearDeadline(key);
    for (let place = 0; place < size; place++) {
      const reading = cells[readingsCell + place]![key]!;
      this.#times[place] = this.#held.time(reading);
      this.#values[place] = this.#held.number(reading, this.#settings.value);
    }
    const taken = largestTriangles(this.#times, this.#values, size, this.#chosen);
    let next = 0;
    for (let place = 0; place < size; place++) {
      const reading = cells[readingsCell + place]![key]!;
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
    runs: table.keyed(
      by,
      [...heldCells, Number.NEGATIVE_INFINITY, ...Array.from({ length: 1 + readings }, () => 0)],
      { perKey: () => readings },
    ),
    progress: heldProgress,
  }),
  create: (settings, { state: { runs, progress } }) => {
    const held = new Held(runs, progress);
    return holding(runs, held, new Runs(settings, runs, held));
  },
});
