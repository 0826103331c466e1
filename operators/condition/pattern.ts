// pattern: a sequence of conditions that one key meets one after the other. Holds nothing back, except
// the record that completes a sequence while something must not follow it.

import {
  type Batch,
  type Column,
  defineOperator,
  type Expression,
  field,
  type OperatorDefinition,
  table,
  z,
} from "weir/sdk";
import { Held, heldCells, heldExtent, heldProgress } from "../signal/held.ts";
import { nothing } from "../signal/record-reference.ts";
import { holding, type HoldingRules } from "../signal/holding.ts";
import { noKeySigned } from "../signal/key-ids.ts";
import { isTrue } from "./truth.ts";

const conditionsMax = 16;
const never = Number.NEGATIVE_INFINITY;

interface PatternSettings {
  readonly sequence: readonly Expression[];
  readonly within?: number | undefined;
  readonly absent?: Expression | undefined;
}

/** By row of a batch, the conditions that it meets, one bit each. */
class Met {
  #bits = new Uint16Array(0);

  of(conditions: readonly Expression[], batch: Batch): Uint16Array {
    if (this.#bits.length < batch.rows) this.#bits = new Uint16Array(batch.rows);
    this.#bits.fill(0, 0, batch.rows);
    conditions.forEach((condition, place) => this.#add(condition.evaluate(batch), place, batch));
    return this.#bits;
  }

  #add({ values, valid }: Column, place: number, { selection, count }: Batch): void {
    const bits = this.#bits;
    const marks = values as Uint8Array;
    if (valid === null)
      for (let i = 0; i < count; i++) {
        const row = selection[i]!;
        bits[row] = bits[row]! | (marks[row]! << place);
      }
    else
      for (let i = 0; i < count; i++) {
        const row = selection[i]!;
        bits[row] = bits[row]! | ((marks[row]! & valid[row]!) << place);
      }
  }
}

class Sequences implements HoldingRules {
  readonly #settings: PatternSettings;
  readonly #within: number;
  readonly #last: number;
  readonly #held: Held;
  readonly #met = new Met();
  /** By key, the newest time. */
  #newest!: Float64Array;
  /** By condition but the last, and by key, the latest start of a sequence that has come as far. */
  #starts!: readonly Float64Array[];

  constructor(settings: PatternSettings, held: Held) {
    this.#settings = settings;
    this.#within = settings.within ?? Number.POSITIVE_INFINITY;
    this.#last = settings.sequence.length - 1;
    this.#held = held;
  }

  open(cells: readonly Float64Array[]): void {
    // The first two are those of every table that is held this way.
    this.#newest = cells[2]!;
    this.#starts = cells.slice(3);
  }

  rows(batch: Batch, ids: Uint32Array): void {
    const { sequence, absent } = this.#settings;
    const met = this.#met.of(sequence, batch);
    if (absent === undefined) this.#rows(batch, ids, met);
    else this.#rowsUnless(absent.evaluate(batch), batch, ids, met);
  }

  /** Nothing is held, and so nothing is due. */
  #rows({ selection, count, watermark, time }: Batch, ids: Uint32Array, met: Uint16Array): void {
    const held = this.#held;
    const newest = this.#newest;
    for (let i = 0; i < count; i++) {
      const row = selection[i]!;
      const key = ids[i]! | 0;
      const at = time[row]!;
      if (key === noKeySigned) held.leaveRow(row, "overflow");
      else if (at < newest[key]!) held.leaveRow(row, "late");
      else {
        newest[key] = at;
        if (met[row] === 0 || this.#advance(key, met[row]!, at) === never) continue;
        held.now = watermark[row]!;
        held.sendRow(row);
      }
    }
    held.now = watermark[selection[count - 1]!]!;
  }

  #rowsUnless(
    absent: Column,
    { selection, count, watermark, time }: Batch,
    ids: Uint32Array,
    met: Uint16Array,
  ): void {
    const held = this.#held;
    const newest = this.#newest;
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
      if (held.of(key) !== nothing && this.#isHeld(key, row, at, absent)) continue;
      if (met[row] === 0) continue;
      const start = this.#advance(key, met[row]!, at);
      if (start !== never) this.#complete(key, row, start + this.#within, at);
    }
  }

  /** What is held of the key is sent or given up, if the row says so; whether it was held until then. */
  #isHeld(key: number, row: number, at: number, absent: Column): boolean {
    const held = this.#held;
    if (held.deadline(key) <= at) {
      held.clearDeadline(key);
      held.sendHeld(key);
      return false;
    }
    if (isTrue(absent, row)) {
      held.clearDeadline(key);
      held.leaveHeld(key);
    }
    return true;
  }

  due(key: number): void {
    this.#held.sendHeld(key);
  }

  end(key: number): void {
    this.#held.leaveHeld(key);
  }

  /**
   * Of a sequence that has come as far as another, only the later start matters: the earlier one could be completed
   * by no record that does not complete this one. Answers the start of the sequence that the row completes.
   */
  #advance(key: number, met: number, at: number): number {
    const starts = this.#starts;
    const last = this.#last;
    let completed = never;
    // From the last condition that is met to the first.
    for (let left = met; left !== 0; ) {
      const place = 31 - Math.clz32(left);
      left ^= 1 << place;
      const start = place === 0 ? at : starts[place - 1]![key]!;
      if (start === never || at - start > this.#within) continue;
      if (place === last) completed = start;
      else starts[place]![key] = start;
    }
    if (completed !== never) for (const each of starts) each[key] = never;
    return completed;
  }

  #complete(key: number, row: number, moment: number, at: number): void {
    if (moment <= at) {
      this.#held.sendRow(row);
      return;
    }
    this.#held.put(key, row);
    this.#held.setDeadline(key, moment);
  }
}

export const pattern: OperatorDefinition = defineOperator({
  name: "pattern",
  summary: "Sends the record that completes a sequence of conditions.",
  rule: [
    "A sequence is complete when records of one key, in this order but not necessarily next to each other, make the conditions of `sequence` true, one record each, and the last is not more than `within` after the first. The record that completes it is sent.",
    "Of sequences that have begun, the one that began latest is completed; then all of the key are given up, so that no record is part of two that are sent.",
    "With `absent` the last record is held until `within` after the first, and is sent only if no record on which `absent` is true comes before that moment; until then other records of the key are looked at for nothing else. The moment has come when the watermark or a record of the key reaches it, not when the stream ends.",
    "Null is not true. Records of equal time count in the order of arrival; one that is older than the newest of its key is counted as `late` and changes nothing. All others that are not sent are counted as `filtered`.",
  ].join(" "),
  kind: "keyed",
  config: z
    .strictObject({
      sequence: z
        .array(field.expression(["bool"], "A condition."))
        .min(1)
        .max(conditionsMax)
        .meta({ description: "The conditions, in the order in which they have to become true." }),
      by: field
        .keys("The key: each has sequences of its own. Without it, all records are of one key.")
        .optional(),
      within: field.duration("Longest time from the first record to the last, in event time.").optional(),
      absent: field.expression(["bool"], "What must not follow, before `within` is over.").optional(),
    })
    .refine(({ absent, within }) => absent === undefined || within !== undefined, {
      path: ["absent"],
      message: "`absent` needs `within`: how long it must not come",
    }),
  examples: [
    {
      title: "The door opens, then it gets warm",
      config: { sequence: ["door", "temp > 8"], within: "10m", by: "device" },
      schema: { device: "string", ts: "time", door: "bool", temp: "float64" },
      time: "ts",
      input: [
        { device: "a", ts: 0, door: true, temp: 4 },
        { device: "a", ts: 60_000, door: false, temp: 6 },
        { device: "b", ts: 61_000, door: false, temp: 9 },
        { device: "a", ts: 120_000, door: false, temp: 9 },
        { device: "a", ts: 180_000, door: false, temp: 10 },
      ],
      output: [{ device: "a", ts: 120_000, door: false, temp: 9 }],
    },
    {
      title: "A start that no heartbeat follows",
      config: { sequence: ["event == 'start'"], absent: "event == 'beat'", within: "30s", by: "device" },
      schema: { device: "string", ts: "time", event: "string" },
      time: "ts",
      input: [
        { device: "a", ts: 0, event: "start" },
        { device: "b", ts: 1_000, event: "start" },
        { device: "a", ts: 20_000, event: "beat" },
        { device: "a", ts: 40_000, event: "beat" },
      ],
      output: [{ device: "b", ts: 1_000, event: "start" }],
    },
  ],
  state: ({ by = [], sequence }) => ({
    starts: table.keyed(by, [...heldCells, never, ...sequence.slice(1).map(() => never)], heldExtent),
    progress: heldProgress,
  }),
  create: (settings, { state: { starts, progress } }) => {
    const held = new Held(starts, progress, settings.within ?? 0);
    return holding(starts, held, new Sequences(settings, held));
  },
});
