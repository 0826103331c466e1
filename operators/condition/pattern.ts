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
import { Held, heldCells, heldExtent, heldProgress, nothing } from "../signal/held.ts";
import { holding, type HoldingRules } from "../signal/holding.ts";
import { isTrue } from "./truth.ts";

const conditionsMax = 16;
const never = Number.NEGATIVE_INFINITY;

interface PatternSettings {
  readonly sequence: readonly Expression[];
  readonly within?: number | undefined;
  readonly absent?: Expression | undefined;
}

class Sequences implements HoldingRules {
  readonly #settings: PatternSettings;
  readonly #within: number;
  readonly #held: Held;
  #conditions: readonly Column[] = [];
  #absent: Column | null = null;
  /** By key, the newest time. */
  #newest!: Float64Array;
  /** By condition but the last, and by key, the latest start of a sequence that has come as far. */
  #starts!: readonly Float64Array[];

  constructor(settings: PatternSettings, held: Held) {
    this.#settings = settings;
    this.#within = settings.within ?? Number.POSITIVE_INFINITY;
    this.#held = held;
  }

  open(cells: readonly Float64Array[]): void {
    // The first two are those of every table that is held this way.
    this.#newest = cells[2]!;
    this.#starts = cells.slice(3);
  }

  rows(batch: Batch, ids: Uint32Array): void {
    const { selection, count, watermark, time } = batch;
    this.#conditions = this.#settings.sequence.map((condition) => condition.evaluate(batch));
    this.#absent = this.#settings.absent?.evaluate(batch) ?? null;
    for (let i = 0; i < count; i++) {
      const row = selection[i]!;
      const key = ids[i]! | 0;
      if (this.#held.meet(key, row, watermark[row]!)) this.#row(key, row, time[row]!);
    }
  }

  #row(key: number, row: number, at: number): void {
    const held = this.#held;
    if (at < this.#newest[key]!) {
      held.leaveRow(row, "late");
      return;
    }
    this.#newest[key] = at;
    if (held.deadline(key) <= at) {
      held.clearDeadline(key);
      held.sendHeld(key);
    }
    if (this.#absent !== null && held.of(key) !== nothing) {
      if (isTrue(this.#absent, row)) {
        held.clearDeadline(key);
        held.leaveHeld(key);
      }
      held.filterRow(row);
      return;
    }
    const start = this.#advance(key, row, at);
    if (start === never) held.filterRow(row);
    else this.#complete(key, row, start + this.#within, at);
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
  #advance(key: number, row: number, at: number): number {
    const conditions = this.#conditions;
    const starts = this.#starts;
    const last = conditions.length - 1;
    let completed = never;
    // Most rows meet no condition: then nothing is read of the key.
    for (let place = last; place >= 0; place--) {
      if (!isTrue(conditions[place]!, row)) continue;
      const start = place === 0 ? at : starts[place - 1]![key]!;
      if (start === never || at - start > this.#within) continue;
      if (place === last) completed = start;
      else starts[place]![key] = start;
    }
    if (completed !== never) for (const each of starts) each[key] = never;
    return completed;
  }

  #complete(key: number, row: number, moment: number, at: number): void {
    if (this.#absent === null || moment <= at) {
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
