// hold: one row when a condition has held for a time. Holds one record of each key on which the
// condition is met, the newest, until the row is sent or the condition has ended.

import {
  type Batch,
  defineOperator,
  type Expression,
  field,
  type OperatorDefinition,
  table,
  z,
} from "weir/sdk";
import { Held, heldCells, heldExtent, heldProgress } from "../signal/held.ts";
import { holding, type HoldingRules } from "../signal/holding.ts";
import { Marks } from "./truth.ts";

/** What a condition is: not met; met, and not for long enough; met, and its row sent. */
const idle = 0;
const pending = 1;
const raised = 2;

/** What a record does: nothing, or it ends the condition, or begins it, or comes while it has not lasted for long enough. */
const none = 0;
const ends = 1;
const begins = 2;
const goesOn = 3;

/**
 * By what the condition is, then whether the record ends it, then whether it meets it, what the record does: most do nothing,
 * and a look tells that without a branch for each of the three.
 */
const actions = Uint8Array.from(
  [
    [none, begins, none, none],
    [goesOn, goesOn, ends, ends],
    [none, none, ends, ends],
  ].flat(),
);

/** The cells: the deadline, the record in hand, and three of its own. */
type Cell = Float64Array;
type ConditionCells = readonly [Cell, Cell, Cell, Cell, Cell];

interface HoldSettings {
  readonly when: Expression;
  readonly for: number;
  readonly clear?: Expression | undefined;
  readonly quiet: number;
}

class Conditions implements HoldingRules {
  readonly #settings: HoldSettings;
  readonly #held: Held;
  readonly #whenMarks = new Marks();
  readonly #endMarks = new Marks();
  /** By key, the condition, the newest time, and the moment of the last row. */
  #states!: Float64Array;
  #newest!: Float64Array;
  #last!: Float64Array;

  constructor(settings: HoldSettings, held: Held) {
    this.#settings = settings;
    this.#held = held;
  }

  open(cells: readonly Float64Array[]): void {
    [, , this.#states, this.#newest, this.#last] = cells as ConditionCells;
  }

  rows(batch: Batch, ids: Uint32Array): void {
    const { selection, count, watermark, time } = batch;
    const { when, clear } = this.#settings;
    const condition = when.evaluate(batch);
    const meets = this.#whenMarks.ofTrue(condition, batch);
    const clears =
      clear === undefined
        ? this.#endMarks.ofFalse(condition, batch)
        : this.#endMarks.ofTrue(clear.evaluate(batch), batch);
    const held = this.#held;
    const [states, newest] = [this.#states, this.#newest];
    for (let i = 0; i < count; i++) {
      const row = selection[i]!;
      const key = ids[i]! | 0;
      if (!held.meet(key, row, watermark[row]!)) continue;
      const at = time[row]!;
      if (at < newest[key]!) {
        held.leaveRow(row, "late");
        continue;
      }
      newest[key] = at;
      const action = actions[(states[key]! << 2) | (clears[row]! << 1) | meets[row]!]!;
      if (action !== none) this.#act(action, key, row, at);
    }
  }

  #act(action: number, key: number, row: number, at: number): void {
    if (action === ends) this.#end(key, at);
    else if (action === begins) this.#begin(key, row, at);
    else this.#goOn(key, row, at);
  }

  due(key: number, moment: number): void {
    this.#raise(key, moment);
    this.#held.sendHeld(key);
  }

  end(key: number): void {
    this.#held.leaveHeld(key);
  }

  #begin(key: number, row: number, at: number): void {
    const { for: duration, quiet } = this.#settings;
    const moment = Math.max(at + duration, this.#last[key]! + quiet);
    if (moment <= at) {
      this.#raise(key, moment);
      this.#held.sendRow(row);
      return;
    }
    this.#states[key] = pending;
    this.#held.setDeadline(key, moment);
    this.#held.put(key, row);
  }

  #goOn(key: number, row: number, at: number): void {
    const moment = this.#held.deadline(key);
    if (moment > at) {
      this.#held.put(key, row);
      return;
    }
    this.#held.leaveHeld(key);
    this.#raise(key, moment);
    this.#held.sendRow(row);
  }

  #end(key: number, at: number): void {
    const moment = this.#held.deadline(key);
    if (moment <= at) this.due(key, moment);
    this.#held.clearDeadline(key);
    this.#held.leaveHeld(key);
    this.#states[key] = idle;
  }

  /** The row of a condition that has lasted until `moment` is about to be sent. */
  #raise(key: number, moment: number): void {
    this.#held.clearDeadline(key);
    this.#states[key] = raised;
    this.#last[key] = moment;
  }
}

export const hold: OperatorDefinition = defineOperator({
  name: "hold",
  summary: "Sends one row when a condition has held for a duration.",
  rule: [
    "A condition begins with the first record of a key on which `when` is true, and lasts until a record ends it: with `clear`, one on which `clear` is true; without, one on which `when` is false. Between the two, and where the expression is null, it goes on: that is the hysteresis.",
    "When it has lasted for `for` in event time, one row is sent, and no other before it has ended and begun anew. It is sent with the first record at or after that moment which does not end it; when the watermark reaches the moment before such a record comes, or the record ends it, with the newest record before.",
    "With `quiet` a row is sent at the earliest `quiet` after the moment of the key's previous row, and only if the condition still lasts then, so that a flapping condition does not send a row each time. To be told again while a condition lasts, take a `state` window with `emit: { early: 30m }`.",
    "A record that is older than the newest of its key is counted as `late` and changes nothing. All other records that are not sent are counted as `filtered`. The end of the stream is not the passing of time: what has not held for long enough by then is not sent.",
  ].join(" "),
  kind: "keyed",
  silence: (settings) => settings.for,
  config: z.strictObject({
    when: field.expression(["bool"], "The condition."),
    for: field.duration(
      "How long it has to hold, in event time; with `0s` the record that begins it is sent at once.",
    ),
    by: field
      .keys("The key: each has a condition of its own. Without it, there is one for all records.")
      .optional(),
    clear: field
      .expression(["bool"], "What ends the condition. Without it, `when` being false does.")
      .optional(),
    quiet: field.duration("Shortest time from one row of a key to the next.").default(0),
  }),
  examples: [
    {
      title: "Too warm for ten minutes",
      config: { when: "temp > -15", for: "10m", by: "device", clear: "temp < -18" },
      schema: { device: "string", ts: "time", temp: "float64" },
      time: "ts",
      input: [
        { device: "r1", ts: 0, temp: -10 },
        { device: "r2", ts: 0, temp: -12 },
        { device: "r1", ts: 300_000, temp: -16 },
        { device: "r2", ts: 300_000, temp: -19 },
        { device: "r1", ts: 600_000, temp: -11 },
        { device: "r2", ts: 600_000, temp: -12 },
        { device: "r1", ts: 900_000, temp: -11 },
      ],
      output: [{ device: "r1", ts: 600_000, temp: -11 }],
    },
  ],
  state: ({ by = [] }) => ({
    conditions: table.keyed(
      by,
      [...heldCells, idle, Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY],
      heldExtent,
    ),
    progress: heldProgress,
  }),
  create: (settings, { state: { conditions, progress } }) => {
    const held = new Held(conditions, progress, settings.for);
    return holding(conditions, held, new Conditions(settings, held));
  },
});
