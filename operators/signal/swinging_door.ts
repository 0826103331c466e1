// swinging_door: straight lines in place of readings, none of which is farther than a bound from its
// line. Holds one reading of each key: the newest, until it is known whether a line ends there.

import {
  type Batch,
  type ColumnReference,
  defineOperator,
  field,
  type KeyedTable,
  type Metrics,
  type OperatorDefinition,
  table,
  z,
} from "weir/sdk";
import { Held, heldCells, heldExtent, heldProgress } from "./held.ts";
import { nothing } from "./record-reference.ts";
import { holding, type HoldingRules } from "./holding.ts";
import { Numbers } from "./key-ids.ts";

interface DoorSettings {
  readonly value: ColumnReference;
  readonly band: number;
  readonly min: number;
  readonly max: number;
}

/**
 * A key's numbers: the last point sent, and the newest reading, which is the one in hand while there is one; the
 * least and the greatest slope of a line from the point that all readings left out since agree with; and how long
 * after the point the first of those came.
 */
const pointTime = 0;
const pointValue = 1;
const newestTime = 2;
const newestValue = 3;
const leastSlope = 4;
const greatestSlope = 5;
const firstLength = 6;
const width = 7;
const unmet = [Number.NaN, 0, Number.NEGATIVE_INFINITY, 0, 0, 0, 0];

class Lines implements HoldingRules {
  readonly #settings: DoorSettings;
  readonly #lines: KeyedTable;
  readonly #held: Held;
  readonly #metrics: Metrics;
  readonly #readings = new Numbers();
  #numbers!: Float64Array;
  readonly #slopes = new Float64Array(4);

  constructor(settings: DoorSettings, lines: KeyedTable, held: Held, metrics: Metrics) {
    this.#settings = settings;
    this.#lines = lines;
    this.#held = held;
    this.#metrics = metrics;
  }

  open(): void {
    this.#lines.reserve();
    this.#numbers = this.#lines.cells[0] as Float64Array<ArrayBuffer>;
  }

  rows(batch: Batch, ids: Uint32Array): void {
    const { selection, count, watermark, time } = batch;
    const column = batch.columns[this.#settings.value.index]!;
    const values = this.#readings.of(column, batch);
    const { valid } = column;
    const numbers = this.#numbers;
    const held = this.#held;
    const { min, max } = this.#settings;
    const isTimed = max !== Number.POSITIVE_INFINITY;
    for (let i = 0; i < count; i++) {
      const row = selection[i]!;
      const key = ids[i]! | 0;
      if (!held.meet(key, row, watermark[row]!)) continue;
      if (valid !== null && valid[row] === 0) continue;
      const at = time[row]!;
      const line = key * width;
      if (at <= numbers[line + newestTime]!) {
        held.leaveRow(row, "late");
        continue;
      }
      if (isTimed && held.deadline(key) <= at) this.due(key);
      const reading = values[row]!;
      if (held.of(key) !== nothing && !this.#swing(line, at, reading)) this.due(key);
      // Before the first reading the length is not a number.
      const length = at - numbers[line + pointTime]!;
      if (length >= min && length < max) {
        if (isTimed && held.of(key) === nothing) held.setDeadline(key, numbers[line + pointTime]! + max);
        held.put(key, row);
      } else if (!(length < min)) {
        this.#beginLine(key, at, reading);
        held.sendRow(row);
      }
      numbers[line + newestTime] = at;
      numbers[line + newestValue] = reading;
    }
  }

  /** Sends the reading in hand: a line ends there, and another begins. */
  due(key: number): void {
    const line = key * width;
    this.#report(line);
    this.#beginLine(key, this.#numbers[line + newestTime]!, this.#numbers[line + newestValue]!);
    this.#held.sendHeld(key);
  }

  end(key: number): void {
    if (this.#held.of(key) !== nothing) this.due(key);
  }

  #beginLine(key: number, at: number, reading: number): void {
    const numbers = this.#numbers;
    const line = key * width;
    this.#held.clearDeadline(key);
    numbers[line + pointTime] = at;
    numbers[line + pointValue] = reading;
    numbers[line + leastSlope] = Number.NEGATIVE_INFINITY;
    numbers[line + greatestSlope] = Number.POSITIVE_INFINITY;
  }

  /** Closes the door as far as the reading in hand demands; false, and it stays, when a line to the new one does not pass through. */
  #swing(line: number, at: number, reading: number): boolean {
    const { band } = this.#settings;
    const numbers = this.#numbers;
    const begin = numbers[line + pointTime]!;
    const value = numbers[line + pointValue]!;
    const length = numbers[line + newestTime]! - begin;
    const rise = numbers[line + newestValue]! - value;
    const slope = (reading - value) / (at - begin);
    const slopes = this.#slopes;
    const least = (slopes[0] = numbers[line + leastSlope]!);
    const least2 = (slopes[1] = (rise - band) / length);
    const greatest = (slopes[2] = numbers[line + greatestSlope]!);
    const greatest2 = (slopes[3] = (rise + band) / length);
    if (slope < least || slope < least2 || slope > greatest || slope > greatest2) return false;
    if (least === Number.NEGATIVE_INFINITY) numbers[line + firstLength] = length;
    // Which of two is taken is as good as random: a look at the one is sooner done than a branch that is guessed wrong.
    numbers[line + leastSlope] = slopes[Number(least2 > least)]!;
    numbers[line + greatestSlope] = slopes[2 + Number(greatest2 < greatest)]!;
    return true;
  }

  /**
   * How far a reading left out can be from the line to the one in hand. One that came after `length` let no
   * slope pass below `(rise - band) / length`, so that the line is `length × (slope - least)` nearer to it
   * than `band` at least; the first to come is the one that this says least of.
   */
  #report(line: number): void {
    const numbers = this.#numbers;
    const least = numbers[line + leastSlope]!;
    if (least === Number.NEGATIVE_INFINITY) return;
    const length = numbers[line + newestTime]! - numbers[line + pointTime]!;
    const slope = (numbers[line + newestValue]! - numbers[line + pointValue]!) / length;
    const nearest = Math.min(slope - least, numbers[line + greatestSlope]! - slope);
    this.#metrics.max("error_max", this.#settings.band - numbers[line + firstLength]! * Math.max(0, nearest));
  }
}

export const swinging_door: OperatorDefinition = defineOperator({
  name: "swinging_door",
  summary: "Sends only the readings that straight lines between them need, within an error bound.",
  rule: [
    "Swinging door trending (E. H. Bristol, ISA 1990): a line is drawn from the last reading sent to each new one. The new one is held in place of the one before as long as every reading left out in between lies within `band` of the line, above or below. When one does not, the held reading is sent, and the new one is looked at from there.",
    "So a straight line between two readings that follow each other in the output is never farther than `band` from a reading left out between them, but for those left out by `min`. A key's first reading is sent at once, its last when the stream ends.",
    "With `max` a held reading is sent when event time (the watermark, or a reading of the key) reaches `max` after the last one sent; a reading that comes so late itself, while none is held, is sent at once. With `min` a reading less than `min` after the last one sent is left out whatever it says.",
    "Null readings are left out and counted as `filtered`, as all that are not sent; a reading that is not newer than the newest of its key is counted as `late`.",
    "The metric `error_max` is never below the largest distance so far of a reading left out from its line, and never above `band`; readings left out by `min` do not count.",
  ].join(" "),
  kind: "keyed",
  config: z
    .strictObject({
      value: field.column(["float64", "int64"], "Column to follow."),
      by: field.keys("The key: one line each. Without it, all readings are on one line.").optional(),
      band: field.number({ min: 0 }, "How far a reading that is left out may be from the line."),
      min: field.duration("Shortest time from one reading sent to the next, in event time.").default(0),
      max: field
        .duration("Longest time that a reading is held after the last one sent, in event time.")
        .refine((max) => max > 0, "the longest time is longer than 0")
        .optional(),
    })
    .refine(({ min, max }) => max === undefined || min < max, {
      path: ["min"],
      message: "`min` has to be shorter than `max`",
    }),
  examples: [
    {
      title: "Up and down again",
      config: { value: "level", band: 0.5 },
      schema: { ts: "time", level: "float64" },
      time: "ts",
      input: [
        { ts: 0, level: 0 },
        { ts: 1_000, level: 1.2 },
        { ts: 2_000, level: 1.9 },
        { ts: 3_000, level: 3 },
        { ts: 4_000, level: 2.1 },
        { ts: 5_000, level: 1 },
      ],
      output: [
        { ts: 0, level: 0 },
        { ts: 3_000, level: 3 },
        { ts: 5_000, level: 1 },
      ],
    },
  ],
  state: ({ by = [] }) => ({
    readings: table.keyed(by, heldCells, heldExtent),
    lines: table.keyed(by, unmet, { together: true }),
    progress: heldProgress,
  }),
  create: (
    { value, band, min, max = Number.POSITIVE_INFINITY },
    { state: { readings, lines, progress }, metrics },
  ) => {
    const held = new Held(readings, progress, max);
    return holding(readings, held, new Lines({ value, band, min, max }, lines, held, metrics));
  },
});
