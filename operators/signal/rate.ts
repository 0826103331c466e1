// rate: how fast a counter counts. Adds a column; holds nothing back and leaves nothing out.

import { defineOperator, field, type OperatorDefinition, table, z } from "weir/sdk";
import { AddedColumn, columnName, withColumn } from "./added-column.ts";
import { KeyIds, noKeySigned, Numbers } from "./key-ids.ts";

export const rate: OperatorDefinition = defineOperator({
  name: "rate",
  summary: "Adds the rate per second at which a counter has counted since its previous reading.",
  rule: [
    "The rate is the increase since the key's previous reading, divided by the seconds of event time between the two.",
    "A counter that is smaller than before has begun anew from 0: its increase is its value. Of one that rolls over at its largest value, what was left up to it is missed: `previous` puts each reading beside the one before, and of one of 16 bits `set: { pulses: (n - before + 65536) % 65536 }` is what it has counted.",
    "The rate is null for the first reading of a key and where the value is null; also for a reading that is not newer than the newest of its key, which is then not compared with any other. Whole numbers are read as float64.",
  ].join(" "),
  kind: "keyed",
  late: () => false,
  config: z.strictObject({
    value: field.column(["float64", "int64"], "The counter."),
    by: field.keys("The key: one counter each. Without it, all readings are of one counter.").optional(),
    as: columnName("rate"),
  }),
  examples: [
    {
      title: "Bytes per second, across a restart",
      config: { value: "bytes", by: "port", as: "bytes_per_s" },
      schema: { port: "string", ts: "time", bytes: "float64" },
      time: "ts",
      input: [
        { port: "eth0", ts: 0, bytes: 1_000 },
        { port: "eth0", ts: 10_000, bytes: 3_000 },
        { port: "eth0", ts: 15_000, bytes: 500 },
        { port: "eth0", ts: 16_000, bytes: null },
        { port: "eth0", ts: 14_000, bytes: 400 },
        { port: "eth0", ts: 17_000, bytes: 700 },
      ],
      output: [
        { port: "eth0", ts: 0, bytes: 1_000, bytes_per_s: null },
        { port: "eth0", ts: 10_000, bytes: 3_000, bytes_per_s: 200 },
        { port: "eth0", ts: 15_000, bytes: 500, bytes_per_s: 100 },
        { port: "eth0", ts: 16_000, bytes: null, bytes_per_s: null },
        { port: "eth0", ts: 14_000, bytes: 400, bytes_per_s: null },
        { port: "eth0", ts: 17_000, bytes: 700, bytes_per_s: 100 },
      ],
    },
  ],
  schema: (input, { as }) => withColumn(input, as, "float64"),
  // The key's previous reading and its time.
  state: ({ by = [] }) => ({ last: table.keyed(by, [Number.NaN, Number.NaN]) }),
  create: ({ value, as }, { input, state: { last } }) => {
    const keys = new KeyIds();
    const numbers = new Numbers();
    const added = new AddedColumn(input, as, new Float64Array(0));
    return {
      onBatch(batch, out) {
        const { selection, count, time } = batch;
        const ids = keys.of(last, batch);
        const [counted, since] = last.cells as [Float64Array, Float64Array];
        const present = batch.columns[value.index]!.valid;
        const counters = numbers.of(batch.columns[value.index]!, batch);
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
          // The first is compared with NaN, and no comparison with NaN is true.
          if ((present !== null && present[row] === 0) || time[row]! <= since[key]!) continue;
          const counter = counters[row]!;
          const before = counted[key]!;
          const increase = counter < before ? counter : counter - before;
          const perSecond = (increase / (time[row]! - since[key]!)) * 1000;
          values[row] = perSecond;
          valid[row] = Number.isFinite(perSecond) ? 1 : 0;
          counted[key] = counter;
          since[key] = time[row]!;
        }
        added.send(batch, rows, going, out);
      },
    };
  },
});
