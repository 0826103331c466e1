// An operator written on columns, with state per key: the form that built-in operators use.

import { defineOperator, field, noKey, type OperatorDefinition, table, z } from "weir/sdk";

export const spike: OperatorDefinition = defineOperator({
  name: "spike",
  summary: "Keeps the readings that jumped from the one before.",
  rule: "A reading passes when it differs from the previous reading of its key by at least `jump`. The first reading of a key never passes; null is left out and remembered by nobody.",
  kind: "keyed",
  config: z.strictObject({
    value: field.column(["float64"], "Column to watch."),
    by: field.keys("The key: readings of one key are compared with each other."),
    jump: field.number({ min: 0 }, "Smallest difference that passes."),
  }),
  examples: [
    {
      title: "Two degrees at once",
      config: { value: "temp", by: "device", jump: 2 },
      schema: { device: "string", temp: "float64" },
      input: [
        { device: "a", temp: 20 },
        { device: "a", temp: 21 },
        { device: "b", temp: 30 },
        { device: "a", temp: 24 },
      ],
      output: [{ device: "a", temp: 24 }],
    },
  ],
  state: ({ by }) => ({ previous: table.keyed(by, [Number.NaN]) }),
  create: ({ value, jump }, { state: { previous } }) => ({
    onBatch(batch, out) {
      const column = batch.columns[value.index]!;
      const ids = new Uint32Array(batch.count);
      previous.keys.identify(batch, ids);
      previous.reserve();
      const last = previous.cells[0]!;
      const rows = out.scratch(batch);
      let count = 0;
      for (let i = 0; i < batch.count; i++) {
        const row = batch.selection[i]!;
        const id = ids[i]!;
        if (column.valid?.[row] === 0) continue;
        if (id === noKey) {
          out.drop(batch, row, "overflow");
          continue;
        }
        const reading = column.values[row] as number;
        // The first reading is compared with NaN, and every comparison with NaN is false.
        if (Math.abs(reading - last[id]!) >= jump) rows[count++] = row;
        last[id] = reading;
      }
      out.select(batch, rows, count);
    },
  }),
});
