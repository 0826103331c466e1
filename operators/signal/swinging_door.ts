// swinging_door: straight lines in place of readings, none of which is farther than a bound from its
// line. Holds one reading of each key: the newest, until it is known whether a line ends there.

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
import { Held, heldCells, nothing } from "./held.ts";
import { holding, type HoldingRules } from "./holding.ts";
import { Numbers } from "./key-ids.ts";

/** Cells after the deadline and the reading in hand: the newest time, the last point sent, and the door. */
const newestCell = 2;
const timeCell = 3;
const valueCell = 4;
/** The least and the greatest slope of a line from the last point that all readings since it agree with. */
const leastCell = 5;
const greatestCell = 6;

interface DoorSettings {
  readonly value: ColumnReference;
  readonly band: number;
  readonly min: number;
  readonly max: number;
}

class Lines implements HoldingRules {
  readonly #settings: DoorSettings;
  readonly #table: KeyedTable;
  readonly #held: Held;
  readonly #numbers = new Numbers();
  #values!: Float64Array;
  #valid!: Uint8Array | null;

  constructor(settings: DoorSettings, table: KeyedTable, held: Held) {
    this.#settings = settings;
    this.#table = table;
    this.#held = held;
  }

  begin(batch: Batch): void {
    const column = batch.columns[this.#settings.value.index]!;
    this.#values = this.#numbers.of(column, batch);
    this.#valid = column.valid;
  }

  row(key: number, row: number, { time }: Batch): void {
    if (this.#valid !== null && this.#valid[row] === 0) {
      this.#held.filterRow(row);
      return;
    }
    const at = time[row]!;
    const newest = this.#table.cells[newestCell]!;
    if (at <= newest[key]!) {
      this.#held.leaveRow(row, "late");
      return;
    }
    newest[key] = at;
    if (this.#held.deadline(key) <= at) this.due(key);
    if (this.#follow(key, row, at)) return;
    this.due(key);
    this.#follow(key, row, at);
  }

  /** Sends the reading in hand: a line ends there, and another begins. */
  due(key: number): void {
    const hand = this.#held.of(key);
    this.#beginLine(key, this.#held.time(hand), this.#held.number(hand, this.#settings.value));
    this.#held.sendHeld(key);
  }

  end(key: number): void {
    this.#held.sendHeld(key);
  }

  #beginLine(key: number, at: number, reading: number): void {
    const { cells } = this.#table;
    this.#held.clearDeadline(key);
    cells[timeCell]![key] = at;
    cells[valueCell]![key] = reading;
    cells[leastCell]![key] = Number.NEGATIVE_INFINITY;
    cells[greatestCell]![key] = Number.POSITIVE_INFINITY;
  }

  /** Looks at a reading from the last one sent; false when the line to it is too far from another. */
  #follow(key: number, row: number, at: number): boolean {
    const { cells } = this.#table;
    const { band, min, max } = this.#settings;
    const length = at - cells[timeCell]![key]!;
    // Before the first reading the length is not a number, and so not below the longest either.
    if (!(length < max)) {
      this.#beginLine(key, at, this.#values[row]!);
      this.#held.sendRow(row);
      return true;
    }
    if (length < min) {
      this.#held.filterRow(row);
      return true;
    }
    const rise = this.#values[row]! - cells[valueCell]![key]!;
    const slope = rise / length;
    const least = cells[leastCell]!;
    const greatest = cells[greatestCell]!;
    if (slope < least[key]! || slope > greatest[key]!) return false;
    least[key] = Math.max(least[key]!, (rise - band) / length);
    greatest[key] = Math.min(greatest[key]!, (rise + band) / length);
    if (this.#held.of(key) === nothing && max !== Number.POSITIVE_INFINITY)
      this.#held.setDeadline(key, cells[timeCell]![key]! + max);
    this.#held.put(key, row);
    return true;
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
    lines: table.keyed(by, [...heldCells, Number.NEGATIVE_INFINITY, Number.NaN, 0, 0, 0]),
  }),
  create: ({ value, band, min, max = Number.POSITIVE_INFINITY }, { state: { lines } }) => {
    const held = new Held(lines);
    return holding(lines, held, new Lines({ value, band, min, max }, lines, held));
  },
});
