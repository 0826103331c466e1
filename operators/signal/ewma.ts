// ewma: an average that forgets. Adds a column; holds nothing back and leaves nothing out.

import { defineOperator, field, type OperatorDefinition, table, z } from "weir/sdk";
import { AddedColumn, columnName, withColumn } from "./added-column.ts";
import { KeyIds, noKeySigned, Numbers } from "./key-ids.ts";

/** Readings of a key follow each other within a few seconds, for the most part. */
const agesKnown = 4_096;

export const ewma: OperatorDefinition = defineOperator({
  name: "ewma",
  summary: "Adds an exponentially weighted moving average with a half-life in event time.",
  rule: [
    "The average is that of all the key's readings so far, this one included, each weighted by `2^(-age / half_life)`. Age is counted in event time from the key's newest reading; a reading that comes late has the weight of its age.",
    "Where the value is null the average is null, and the reading counts for nothing.",
  ].join(" "),
  kind: "keyed",
  late: () => false,
  config: z.strictObject({
    value: field.column(["float64", "int64"], "Column to average."),
    by: field.keys("The key: one average each. Without it, there is one for all readings.").optional(),
    half_life: field
      .duration("After this long a reading weighs half of what it did.")
      .refine((duration) => duration > 0, "a half-life is longer than 0"),
    as: columnName("ewma"),
  }),
  examples: [
    {
      title: "Half as much after ten seconds",
      config: { value: "temp", by: "device", half_life: "10s" },
      schema: { device: "string", ts: "time", temp: "float64" },
      time: "ts",
      input: [
        { device: "a", ts: 0, temp: 10 },
        { device: "a", ts: 10_000, temp: 40 },
        { device: "a", ts: 10_000, temp: null },
        { device: "b", ts: 10_000, temp: 5 },
      ],
      output: [
        { device: "a", ts: 0, temp: 10, ewma: 10 },
        { device: "a", ts: 10_000, temp: 40, ewma: 30 },
        { device: "a", ts: 10_000, temp: null, ewma: null },
        { device: "b", ts: 10_000, temp: 5, ewma: 5 },
      ],
    },
  ],
  schema: (input, { as }) => withColumn(input, as, "float64"),
  // The average, the weights' sum as of the newest reading, and that one's time.
  state: ({ by = [] }) => ({ averages: table.keyed(by, [0, 0, Number.NEGATIVE_INFINITY]) }),
  create: ({ value, half_life, as }, { input, state: { averages } }) => {
    const keys = new KeyIds();
    const numbers = new Numbers();
    const added = new AddedColumn(input, as, new Float64Array(0));
    const weights = new Weights(half_life);
    return {
      onBatch(batch, out) {
        const { selection, count, time } = batch;
        const ids = keys.of(averages, batch);
        const [mean, weight, newest] = averages.cells as [Float64Array, Float64Array, Float64Array];
        const present = batch.columns[value.index]!.valid;
        const readings = numbers.of(batch.columns[value.index]!, batch);
        const { values, valid } = added.begin(batch);
        const rows = out.scratch(batch);
        let going = 0;
        for (let i = 0; i < count; i++) {
          const row = selection[i]!;
          const key = ids[i]! | 0;
          if (key === noKeySigned) {
            out.drop(batch, row, "overflow");
            continue;
          }
          rows[going++] = row;
          valid[row] = 0;
          if (present !== null && present[row] === 0) continue;
          const age = newest[key]! - time[row]!;
          // A newer reading makes the others weigh less; an older one weighs less itself.
          const own = age > 0 ? weights.after(age) : 1;
          const others = age < 0 ? weight[key]! * weights.after(-age) : weight[key]!;
          if (age < 0) newest[key] = time[row]!;
          weight[key] = others + own;
          mean[key] = nearer(mean[key]!, readings[row]!, own / (others + own));
          values[row] = mean[key]!;
          valid[row] = 1;
        }
        added.send(batch, rows, going, out);
      },
    };
  },
});

/** What a reading weighs after a time. The exponential costs three times as much as to find what it was the last time. */
class Weights {
  readonly #decay: number;
  /** By whole ms; NaN where it is not known yet. */
  readonly #known = new Float64Array(agesKnown).fill(Number.NaN);

  constructor(half_life: number) {
    this.#decay = Math.LN2 / half_life;
  }

  after(age: number): number {
    const place = age | 0;
    if (place !== age || place >= agesKnown) return Math.exp(-age * this.#decay);
    const known = this.#known[place]!;
    return Number.isNaN(known) ? (this.#known[place] = Math.exp(-age * this.#decay)) : known;
  }
}

/** What lies between `from` and `to`, at `share` of the way. A difference beyond the range of numbers is never made. */
function nearer(from: number, to: number, share: number): number {
  const value = from + (to - from) * share;
  return Number.isFinite(value) ? value : from * (1 - share) + to * share;
}
