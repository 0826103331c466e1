// select: keeps only the named columns, in that order; may rename and compute on the way.

import { defineOperator, type Expression, field, type OperatorDefinition, z } from "weir/sdk";

type Setting =
  | readonly { readonly name: string; readonly index: number; readonly type: string }[]
  | Readonly<Record<string, Expression>>;

function isList(config: Setting): config is Extract<Setting, readonly unknown[]> {
  return Array.isArray(config);
}

export const select: OperatorDefinition = defineOperator({
  name: "select",
  summary: "Keeps only the named columns, in that order.",
  rule: "With a list, the named columns are kept. With a map, each column is the value of its expression. Every other field of the record is left out.",
  kind: "stateless",
  config: z.union([
    z.array(field.column([], "A column to keep.")).min(1),
    z.record(z.string(), field.expression([], "The column's value.")),
  ]),
  examples: [
    {
      title: "A list",
      config: ["device", "temp"],
      schema: { device: "string", site: "string", temp: "float64" },
      input: [{ device: "a", site: "north", temp: 20 }],
      output: [{ device: "a", temp: 20 }],
    },
    {
      title: "A map renames and computes",
      config: { id: "device", kelvin: "temp + 273.15" },
      schema: { device: "string", temp: "float64" },
      input: [{ device: "a", temp: 20 }],
      output: [{ id: "a", kelvin: 293.15 }],
    },
  ],
  schema: (_input, config: Setting) => ({
    fields: isList(config)
      ? config.map(({ name, type }) => ({ name, type: type as Expression["type"] }))
      : Object.entries(config).map(([name, { type }]) => ({ name, type })),
    rest: null,
  }),
  create: (config: Setting) => {
    const list = isList(config) ? config : null;
    const expressions = isList(config) ? [] : Object.values(config);
    return {
      onBatch(batch, out) {
        const columns =
          list === null
            ? expressions.map((expression) => expression.evaluate(batch))
            : list.map(({ index }) => batch.columns[index]!);
        out.project(batch, columns);
      },
    };
  },
});
