// An operator written per record: keep or leave out. The whole file is what a stranger would write.

import { defineFilter, field, type OperatorDefinition, z } from "weir/sdk";

export const plausible: OperatorDefinition = defineFilter({
  name: "plausible",
  summary: "Keeps readings inside a physical range.",
  config: z.strictObject({
    value: field.column(["float64"], "Column to check."),
    min: field.number({}, "Lowest believable reading."),
    max: field.number({}, "Highest believable reading."),
  }),
  examples: [
    {
      title: "A room's temperature",
      config: { value: "temp", min: -40, max: 85 },
      schema: { temp: "float64" },
      input: [{ temp: 21 }, { temp: 850 }, { temp: null }],
      output: [{ temp: 21 }],
    },
  ],
  keep:
    ({ value, min, max }) =>
    (record) => {
      const reading = record.number(value);
      return reading >= min && reading <= max;
    },
});
