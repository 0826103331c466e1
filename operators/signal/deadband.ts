// deadband: passes a reading only when it has moved enough. Holds nothing back.

import { defineOperator, field, type OperatorDefinition, table, z } from "weir/sdk";
import { KeyIds, noKeySigned, Numbers } from "./key-ids.ts";

const share = /^(\d+(?:\.\d+)?)%$/;

const band: z.ZodType<{ readonly absolute: number; readonly relative: number }, number | string> = z
  .union([
    z
      .number()
      .min(0)
      .transform((absolute) => ({ absolute, relative: 0 })),
    z
      .string()
      .regex(share, "expected a number such as 0.5, or a percentage such as 2%")
      .transform((text) => ({ absolute: 0, relative: Number(share.exec(text)![1]) / 100 })),
  ])
  .meta({
    description: "How far a reading may move and not pass: `0.5`, or `2%` of what it is compared with.",
    examples: [0.5, "2%"],
  });

export const deadband: OperatorDefinition = defineOperator({
  name: "deadband",
  summary: "Passes a reading only when it has moved by more than a band.",
  rule: [
    "The first reading of a key passes. After that a reading passes when it differs by more than `band` from the one that it is compared with:",
    "the last that passed (`against: last_output`), or the one before it (`against: last_input`). A band in percent is taken of the absolute value of that reading.",
    "With `every`, a reading also passes when its event time is at least `every` after the newest that passed, and is then compared with like any other.",
    "Readings are taken in order of arrival. Null does not pass, and the next reading is compared as if it had not come. What does not pass is counted as `filtered`. Of texts and bools, `previous` with a `filter` behind it passes what has changed.",
  ].join(" "),
  kind: "keyed",
  late: () => false,
  config: z.strictObject({
    value: field.column(["float64", "int64"], "Column to watch."),
    by: field
      .keys("The key: readings of one key are compared with each other. Without it, all are one.")
      .optional(),
    band,
    against: z.enum(["last_output", "last_input"]).default("last_output").meta({
      description: "What a reading is compared with: the last that passed, or the one before it.",
    }),
    every: field
      .duration("Heartbeat: a reading passes at least this often in event time.")
      .refine(
        (every) => every > 0,
        "with a heartbeat of 0 every reading would pass: write a longer time, such as 1m, or leave it out",
      )
      .optional(),
  }),
  examples: [
    {
      title: "Half a degree, and a sign of life every minute",
      config: { value: "temp", by: "device", band: 0.5, every: "1m" },
      schema: { device: "string", ts: "time", temp: "float64" },
      time: "ts",
      input: [
        { device: "a", ts: 0, temp: 20 },
        { device: "a", ts: 10_000, temp: 20.4 },
        { device: "b", ts: 11_000, temp: 3 },
        { device: "a", ts: 20_000, temp: 20.6 },
        { device: "a", ts: 30_000, temp: null },
        { device: "a", ts: 79_999, temp: 20.6 },
        { device: "a", ts: 80_000, temp: 20.6 },
      ],
      output: [
        { device: "a", ts: 0, temp: 20 },
        { device: "b", ts: 11_000, temp: 3 },
        { device: "a", ts: 20_000, temp: 20.6 },
        { device: "a", ts: 80_000, temp: 20.6 },
      ],
    },
    {
      title: "Ten percent from one reading to the next",
      config: { value: "flow", band: "10%", against: "last_input" },
      schema: { flow: "float64" },
      input: [{ flow: 100 }, { flow: 109 }, { flow: 118 }, { flow: 131 }, { flow: 117 }],
      output: [{ flow: 100 }, { flow: 131 }, { flow: 117 }],
    },
  ],
  // What the key's next reading is compared with, and the newest time that passed.
  state: ({ by = [] }) => ({ last: table.keyed(by, [Number.NaN, Number.NaN]) }),
  create: ({ value, band: { absolute, relative }, against, every = Infinity }, { state: { last } }) => {
    const keys = new KeyIds();
    const numbers = new Numbers();
    const follows = against === "last_input";
    return {
      onBatch(batch, out) {
        const { selection, count, time } = batch;
        const ids = keys.of(last, batch);
        const [compared, passed] = last.cells as [Float64Array, Float64Array];
        const { valid } = batch.columns[value.index]!;
        const values = numbers.of(batch.columns[value.index]!, batch);
        const rows = out.scratch(batch);
        let passing = 0;
        for (let i = 0; i < count; i++) {
          const row = selection[i]!;
          const key = ids[i]! | 0;
          if (key === noKeySigned) out.drop(batch, row, "overflow");
          else if (valid === null || valid[row] === 1) {
            const reading = values[row]!;
            const reference = compared[key]!;
            const within = Math.abs(reading - reference) <= absolute + relative * Math.abs(reference);
            // The first is compared with NaN, and no comparison with NaN is true.
            if (!within || time[row]! - passed[key]! >= every) {
              rows[passing++] = row;
              compared[key] = reading;
              if (!(time[row]! <= passed[key]!)) passed[key] = time[row]!;
            } else if (follows) compared[key] = reading;
          }
        }
        out.select(batch, rows, passing);
      },
    };
  },
});
