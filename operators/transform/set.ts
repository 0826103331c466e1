// set: adds columns computed from others, or replaces them.

import { type ColumnType, defineOperator, field, type OperatorDefinition, withFields, z } from "weir/sdk";

export const set: OperatorDefinition = defineOperator({
  name: "set",
  summary: "Adds columns computed by expressions, or replaces them.",
  rule: "Every expression sees the record as it came in, so the order of the settings does not matter. A name that exists is replaced where it stands; a new one is added at the end. A field within a field, such as `state.temperature`, is then in the row under that name, and no longer in `state`. A text that is the same in every row stands in quotes of its own, for YAML takes the outer ones: `unit: '\"°C\"'`.",
  kind: "stateless",
  config: z
    .record(z.string(), field.expression([], "The new column's value."))
    .meta({ description: "New columns by name." }),
  examples: [
    {
      title: "Fahrenheit",
      config: { temp_f: "temp * 1.8 + 32" },
      schema: { device: "string", temp: "float64" },
      input: [
        { device: "a", temp: 20 },
        { device: "b", temp: null },
      ],
      output: [
        { device: "a", temp: 20, temp_f: 68 },
        { device: "b", temp: null, temp_f: null },
      ],
    },
  ],
  schema: (input, config) => {
    const added: Record<string, ColumnType> = {};
    for (const [name, expression] of Object.entries(config)) added[name] = expression.type;
    return withFields(input, added);
  },
  create: (config, { input, output }) => {
    const carried = output.fields.map(({ name }) =>
      Object.hasOwn(config, name) ? config[name]! : input.fields.findIndex((each) => each.name === name),
    );
    return {
      onBatch(batch, out) {
        out.project(
          batch,
          carried.map((from) => (typeof from === "number" ? batch.columns[from]! : from.evaluate(batch))),
        );
      },
    };
  },
});
