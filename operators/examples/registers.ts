// An operator that makes several rows of one record: of a gateway's message, whose devices stand in a list, one for each register.

import { defineOperator, field, type OperatorDefinition, z } from "weir/sdk";

/** What is read of the list; all else in it is left alone. */
const devices = z.array(
  z.object({ id: z.number(), values: z.array(z.object({ addr: z.number(), v: z.number() })) }),
);

export const registers: OperatorDefinition = defineOperator({
  name: "registers",
  summary: "Makes a row of each register of each device in a list.",
  rule: "A row holds the device's `id`, the register's `addr` and its value `v`, and has the time of the record. A record whose list is null or empty makes none; one whose list is another is rejected.",
  kind: "stateless",
  config: z.strictObject({ list: field.column(["json"], "The list of devices.") }),
  examples: [
    {
      title: "Two devices in one message",
      config: { list: "devices" },
      schema: { devices: "json" },
      input: [
        {
          devices: [
            {
              id: 1,
              values: [
                { addr: 40001, v: 12 },
                { addr: 40002, v: 13 },
              ],
            },
            { id: 2, values: [] },
          ],
        },
        { devices: null },
        { devices: "offline" },
      ],
      output: [
        { id: 1, addr: 40001, v: 12 },
        { id: 1, addr: 40002, v: 13 },
      ],
    },
  ],
  schema: () => ({
    rest: null,
    fields: (["id", "addr", "v"] as const).map((name) => ({ name, type: "float64" as const })),
  }),
  create: ({ list }) => ({
    onBatch(batch, out) {
      const column = batch.columns[list.index]!;
      for (let i = 0; i < batch.count; i++) {
        const row = batch.selection[i]!;
        const text = column.valid?.[row] === 0 ? "[]" : column.dictionary!.text(column.values[row] as number);
        const read = devices.safeParse(JSON.parse(text));
        if (!read.success) {
          out.reject(batch, row, "type", `expected a list of devices, got ${text}`);
          continue;
        }
        const rows = read.data.flatMap(({ id, values }) => values.map(({ addr, v }) => [id, addr, v]));
        if (rows.length === 0) {
          out.drop(batch, row, "filtered");
          continue;
        }
        const draft = out.draft(rows.length);
        for (const [place, values] of rows.entries()) {
          for (const [at, value] of values.entries()) draft.columns[at]!.values[place] = value;
          draft.time[place] = batch.time[row]!;
          draft.watermark[place] = batch.watermark[row]!;
          // All rows together stand for what the record stands for.
          draft.weight[place] = place === 0 ? (batch.weight?.[row] ?? 1) : 0;
        }
        out.append(draft);
      }
    },
  }),
});
