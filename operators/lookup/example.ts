// What the reference shows of lookup, and the tests run. Data only.

import type { Example } from "weir/sdk";

export const example: Example = {
  title: "Readings above the limit of their own device",
  config: {
    table: { file: "devices.csv" },
    on: { device: "id" },
    add: { site: "string", limit: "float64" },
  },
  schema: { device: "string", temp: "float64" },
  lookups: {
    "devices.csv": { r1: { site: "north", limit: -18 }, r2: { site: "south", limit: null } },
  },
  input: [
    { device: "r1", temp: -20 },
    { device: "r2", temp: 4 },
    { device: "r9", temp: 4 },
    { device: null, temp: 4 },
  ],
  output: [
    { device: "r1", temp: -20, site: "north", limit: -18 },
    { device: "r2", temp: 4, site: "south", limit: null },
    { device: "r9", temp: 4, site: null, limit: null },
    { device: null, temp: 4, site: null, limit: null },
  ],
};
