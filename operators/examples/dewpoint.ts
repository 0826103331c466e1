// An operator written per record that adds a column.

import { defineMap, field, type OperatorDefinition, z } from "weir/sdk";

/** Magnus formula with the coefficients of Sonntag (1990), for water between -45 °C and 60 °C. */
const a = 17.62;
const b = 243.12;

export const dewpoint: OperatorDefinition = defineMap({
  name: "dewpoint",
  summary: "Adds the dew point in °C, from a temperature in °C and a relative humidity in %.",
  config: z.strictObject({
    temperature: field.column(["float64"], "Temperature in °C."),
    humidity: field.column(["float64"], "Relative humidity in %."),
  }),
  examples: [
    {
      title: "Saturated air, and a humidity that cannot be",
      config: { temperature: "t", humidity: "h" },
      schema: { t: "float64", h: "float64" },
      input: [
        { t: 20, h: 100 },
        { t: 20, h: 0 },
      ],
      output: [
        { t: 20, h: 100, dewpoint: 20 },
        { t: 20, h: 0, dewpoint: null },
      ],
    },
  ],
  columns: () => ({ dewpoint: "float64" }),
  map:
    ({ temperature, humidity }) =>
    (record) => {
      const t = record.number(temperature);
      const gamma = Math.log(record.number(humidity) / 100) + (a * t) / (b + t);
      const result = Math.round(((b * gamma) / (a - gamma)) * 100) / 100;
      return { dewpoint: Number.isFinite(gamma) ? result : null };
    },
});
