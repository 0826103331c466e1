// drop: leaves the named fields out of every record.

import { defineOperator, type OperatorDefinition, z } from "weir/sdk";

export const drop: OperatorDefinition = defineOperator({
  name: "drop",
  summary: "Leaves the named fields out.",
  rule: "The named fields are removed, `state.temperature` from within `state`; all others stay. A name that a record does not have changes nothing.",
  kind: "stateless",
  config: z.array(z.string().min(1)).min(1).meta({ description: "Fields to leave out." }),
  examples: [
    {
      title: "Without the serial number",
      config: ["serial"],
      schema: { device: "string", serial: "string", temp: "float64" },
      input: [{ device: "a", serial: "0815", temp: 20 }],
      output: [{ device: "a", temp: 20 }],
    },
  ],
  schema: (input, names) => ({
    fields: input.fields.filter(({ name }) => !names.includes(name)),
    rest: input.rest === null ? null : { except: [...new Set([...input.rest.except, ...names])] },
  }),
  create: (names, { input }) => {
    const kept = input.fields.flatMap(({ name }, index) => (names.includes(name) ? [] : [index]));
    return {
      onBatch(batch, out) {
        out.project(
          batch,
          kept.map((index) => batch.columns[index]!),
        );
      },
    };
  },
});
