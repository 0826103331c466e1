// filter: keeps the records for which an expression is true.

import { defineOperator, field, type OperatorDefinition } from "weir/sdk";

export const filter: OperatorDefinition = defineOperator({
  name: "filter",
  summary: "Keeps the records for which the expression is true.",
  rule: "A record passes when the expression is true. False and null do not pass; both are counted as `filtered`.",
  kind: "stateless",
  config: field.expression(["bool"], "The condition to pass."),
  examples: [
    {
      title: "A plausible temperature",
      config: "temp > -60 && temp < 60",
      schema: { device: "string", temp: "float64" },
      input: [
        { device: "a", temp: 21.5 },
        { device: "a", temp: 850 },
        { device: "b", temp: null },
      ],
      output: [{ device: "a", temp: 21.5 }],
    },
  ],
  condition: (condition) => condition,
  create: (condition) => ({
    onBatch(batch, out) {
      const rows = out.scratch(batch);
      out.select(batch, rows, condition.select(batch, rows));
    },
  }),
});
