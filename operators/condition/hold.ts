// hold: one row when a condition has held for a time. Holds one record of each key on which the
// condition is met, the newest, until the row is sent or, where it is told again, the condition has ended.

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

const never = Number.POSITIVE_INFINITY;

/** So often it is told again without a new record of the key. */
const repeatsMax = 1_000;

/**
 * By what the condition is, then whether the record ends it, then whether it meets it, what the record does: most do nothing,
 * and a look tells that without a branch for each of the three.
 */
function actionsOf(lasting: number): Uint8Array {
  const rows = [
    [none, begins, none, none],
    [goesOn, goesOn, ends, ends],
    [lasting, lasting, ends, ends],
  ];
  return Uint8Array.from(rows.flat());
}

/** The cells: the deadline, the record in hand, three of its own, and with `again` a fourth. */
type Cell = Float64Array;
type ConditionCells = readonly [Cell, Cell, Cell, Cell, Cell, Cell | undefined];

interface HoldSettings {
  readonly when: Expression;
  readonly for: number;
  readonly clear?: Expression | undefined;
  readonly quiet: number;
  readonly again?: number | undefined;
  readonly returns?: boolean | undefined;
}

class Conditions implements HoldingRules {
  readonly #settings: HoldSettings;
  readonly #held: Held;
  readonly #actions: Uint8Array;
  readonly #whenMarks = new Marks();
  readonly #endMarks = new Marks();
  /** By key, the condition, the newest time, and the moment of the last row. */
  #states!: Float64Array;
  #newest!: Float64Array;
  #last!: Float64Array;
  /** How often it was told again since its newest record. */
  #repeats: Float64Array | undefined;

  constructor(settings: HoldSettings, held: Held) {
    this.#settings = settings;
    this.#held = held;
    this.#actions = actionsOf(settings.again === undefined ? none : goesOn);
  }

  open(cells: readonly Float64Array[]): void {
    [, , this.#states, this.#newest, this.#last, this.#repeats] = cells as ConditionCells;
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
    const [states, newest, actions] = [this.#states, this.#newest, this.#actions];
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
    if (action === ends) this.#end(key, row, at);
    else if (action === begins) this.#begin(key, row, at);
    else this.#goOn(key, row, at);
  }

  due(key: number, moment: number): void {
    if (this.#repeats !== undefined && this.#states[key] === raised) this.#repeats[key]!++;
    this.#send(key, moment, moment);
  }

  end(key: number): void {
    this.#held.leaveHeld(key);
  }

  #begin(key: number, row: number, at: number): void {
    const { for: duration, quiet } = this.#settings;
    const moment = Math.max(at + duration, this.#last[key]! + quiet);
    this.#states[key] = pending;
    this.#take(key, row);
    if (moment <= at) this.#send(key, moment, at);
    else this.#held.setDeadline(key, moment);
  }

  #goOn(key: number, row: number, at: number): void {
    const moment = this.#held.deadline(key);
    this.#take(key, row);
    if (moment <= at) this.#send(key, moment, at);
    // It was told often enough without a record, and here is one.
    else if (moment === never) this.#tellAfter(key, at);
  }

  #take(key: number, row: number): void {
    this.#held.put(key, row);
    if (this.#repeats !== undefined) this.#repeats[key] = 0;
  }

  #end(key: number, row: number, at: number): void {
    const moment = this.#held.deadline(key);
    // What has ended is told if it never was, and not once more.
    if (moment <= at && this.#states[key] === pending) this.due(key, moment);
    if (this.#settings.returns === true && this.#states[key] === raised) this.#held.sendRow(row);
    this.#held.clearDeadline(key);
    this.#held.leaveHeld(key);
    this.#states[key] = idle;
  }

  /** Sends the record in hand: the condition has lasted until `moment`, and event time has come to `now`. */
  #send(key: number, moment: number, now: number): void {
    this.#held.clearDeadline(key);
    this.#states[key] = raised;
    this.#last[key] = moment;
    if (this.#repeats === undefined) this.#held.sendHeld(key);
    else {
      this.#held.sendAndKeep(key);
      this.#tellAfter(key, now);
    }
  }

  /** Sets the next moment behind `now` at which it is told again, if it may be. */
  #tellAfter(key: number, now: number): void {
    const again = this.#settings.again!;
    const last = this.#last[key]!;
    if (this.#repeats![key]! < repeatsMax)
      this.#held.setDeadline(key, last + again * (Math.floor((now - last) / again) + 1));
  }
}

export const hold: OperatorDefinition = defineOperator({
  name: "hold",
  summary: "Sends one row when a condition has held for a duration.",
  rule: [
    "A condition begins with the first record of a key on which `when` is true, and lasts until a record ends it: with `clear`, one on which `clear` is true; without, one on which `when` is false. Between the two, and where the expression is null, it goes on: that is the hysteresis.",
    "When it has lasted for `for` in event time, one row is sent, and no other before it has ended and begun anew. It is sent with the first record at or after that moment which does not end it; when the watermark reaches the moment before such a record comes, or the record ends it, with the newest record before.",
    "With `quiet` a row is sent at the earliest `quiet` after the moment of the key's previous row, and only if the condition still lasts then, so that a flapping condition does not send a row each time.",
    "With `again` a row is sent at each multiple of it after that moment as well, as long as the condition lasts: with the first record at or after that moment, or, when the watermark reaches the moment before such a record comes, with the newest before, which may have been sent already; so one that changes and then is silent is told again too. What a record stands for in the counts goes with the first row of it. After 1,000 such rows without a record of the key there are none until it has one.",
    "With `returns: true` the record that ends a condition of which a row was sent is sent as well, at once.",
    "A record that is older than the newest of its key is counted as `late` and changes nothing. All other records that are not sent are counted as `filtered`. The end of the stream is not the passing of time: what has not held for long enough by then is not sent.",
  ].join(" "),
  kind: "keyed",
  silence: (settings) => Math.max(settings.for, settings.again ?? 0),
  config: z
    .strictObject({
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
      again: field
        .duration("While the condition lasts, a row is sent again so long after the one before.")
        .refine((again) => again > 0, "the time until it is told again is longer than 0")
        .optional(),
      // Not false where it is left out: what was kept before there was such a setting goes on.
      returns: z
        .boolean()
        .optional()
        .meta({ description: "Sends the record that ends a condition as well, where a row of it was sent." }),
    })
    .refine(({ again, quiet }) => again === undefined || again >= quiet, {
      path: ["again"],
      message: "a row is sent again after quiet at the earliest: write an again that is no shorter",
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
    {
      title: "A door that tells when it moves: told after two minutes, then every five, and when it is shut",
      config: { when: "open", for: "2m", by: "door", again: "5m", returns: true },
      schema: { door: "string", ts: "time", open: "bool" },
      time: "ts",
      input: [
        { door: "a", ts: 0, open: true },
        { door: "b", ts: 60_000, open: true },
        { door: "b", ts: 90_000, open: false },
        { door: "b", ts: 600_000, open: false },
        { door: "a", ts: 660_000, open: false },
      ],
      output: [
        { door: "a", ts: 0, open: true },
        { door: "a", ts: 0, open: true },
        { door: "a", ts: 660_000, open: false },
      ],
    },
  ],
  state: ({ by = [], again }) => ({
    conditions: table.keyed(
      by,
      [
        ...heldCells,
        idle,
        Number.NEGATIVE_INFINITY,
        Number.NEGATIVE_INFINITY,
        ...(again === undefined ? [] : [0]),
      ],
      heldExtent,
    ),
    progress: heldProgress,
  }),
  create: (settings, { state: { conditions, progress } }) => {
    const held = new Held(conditions, progress, settings.for);
    return holding(conditions, held, new Conditions(settings, held));
  },
});
