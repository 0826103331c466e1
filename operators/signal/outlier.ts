// outlier: the Hampel identifier. Marks readings far from the median of those before them, or leaves
// them out. Holds no records, only each key's last readings.

import {
  type Batch,
  type Collector,
  defineOperator,
  field,
  type OperatorDefinition,
  table,
  z,
} from "weir/sdk";
import { AddedColumn, columnName, withColumn } from "./added-column.ts";
import { KeyIds, noKeySigned, Numbers } from "./key-ids.ts";
import { LastReadings, readingsMin } from "./last-readings.ts";

const lastMax = 255;

export const outlier: OperatorDefinition = defineOperator({
  name: "outlier",
  summary: "Marks or leaves out readings that are far from the median of those before them.",
  rule: [
    "The Hampel identifier (Hampel 1974; Davies and Gather 1993), looking back: a reading is an outlier when it differs from the median of the key's `last` readings before it by more than `deviations` × 1.4826 × MAD, and by more than `floor`.",
    "MAD is the median of the distances of those readings from their median; 1.4826 × MAD estimates the standard deviation and is hardly moved by outliers. Of an even number of readings the median is the mean of the two in the middle.",
    "Every reading then belongs to the last ones, outlier or not, so that a lasting change is accepted once it is the majority. The first three readings of a key are never outliers. Readings that do not vary have a MAD of 0; then `floor` alone decides.",
    "Readings are taken in order of arrival. A null reading is no outlier, is marked null, and is not among the last ones. Outliers that are left out are counted as `filtered`.",
  ].join(" "),
  kind: "keyed",
  late: () => false,
  config: z.strictObject({
    value: field.column(["float64", "int64"], "Column to watch."),
    by: field
      .keys("The key: readings of one key are compared with each other. Without it, all are one.")
      .optional(),
    last: z
      .int()
      .min(readingsMin)
      .max(lastMax)
      .default(11)
      .meta({ description: "How many readings before it a reading is compared with." }),
    deviations: field
      .number({ min: 0 }, "Distance from the median that is still believed, in standard deviations.")
      .default(3),
    floor: field.number({ min: 0 }, "Distance from the median that is believed in any case.").default(0),
    action: z
      .enum(["mark", "drop"])
      .default("mark")
      .meta({ description: "Adds a column that is true for outliers, or leaves them out." }),
    as: columnName("outlier"),
  }),
  examples: [
    {
      title: "A spike is marked",
      config: { value: "temp", by: "device", last: 5 },
      schema: { device: "string", temp: "float64" },
      input: [20, 21, 19, 22, 85, null, 21].map((temp) => ({ device: "a", temp })),
      output: [
        { device: "a", temp: 20, outlier: false },
        { device: "a", temp: 21, outlier: false },
        { device: "a", temp: 19, outlier: false },
        { device: "a", temp: 22, outlier: false },
        { device: "a", temp: 85, outlier: true },
        { device: "a", temp: null, outlier: null },
        { device: "a", temp: 21, outlier: false },
      ],
    },
    {
      title: "A spike is left out, small steps of a quiet sensor are not",
      config: { value: "temp", floor: 1, action: "drop" },
      schema: { temp: "float64" },
      input: [20, 20, 20, 20.5, 85, 20].map((temp) => ({ temp })),
      output: [20, 20, 20, 20.5, 20].map((temp) => ({ temp })),
    },
  ],
  schema: (input, { action, as }) => (action === "drop" ? input : withColumn(input, as, "bool")),
  state: ({ by = [], last }) => ({
    readings: table.keyed(by, LastReadings.initial(last), { together: true }),
  }),
  create: ({ value, last, deviations, floor, action, as }, { input, state: { readings } }) => {
    const keys = new KeyIds();
    const numbers = new Numbers();
    const before = new LastReadings(readings, last);
    const drops = action === "drop";
    const added = new AddedColumn(input, as, new Uint8Array(0));
    /** Marks the rows of a batch; null ones are not valid. Writes those that go on to `rows`, and returns how many. */
    const mark = (batch: Batch, ids: Uint32Array, rows: Uint32Array, out: Collector): number => {
      const { selection, count } = batch;
      const { values: marks, valid: isMarked } = added.begin(batch);
      const { valid } = batch.columns[value.index]!;
      const values = numbers.of(batch.columns[value.index]!, batch);
      let going = 0;
      for (let i = 0; i < count; i++) {
        const row = selection[i]!;
        const key = ids[i]! | 0;
        if (key === noKeySigned) {
          out.drop(batch, row, "overflow");
          continue;
        }
        const isThere = valid === null || valid[row] === 1;
        isMarked[row] = isThere ? 1 : 0;
        marks[row] = isThere && before.judge(key, values[row]!, deviations, floor) ? 1 : 0;
        if (!drops || marks[row] === 0) rows[going++] = row;
      }
      return going;
    };
    return {
      onBatch(batch, out) {
        const ids = keys.of(readings, batch);
        before.begin();
        const rows = out.scratch(batch);
        const going = mark(batch, ids, rows, out);
        if (drops) out.select(batch, rows, going);
        else added.send(batch, rows, going, out);
      },
    };
  },
});
