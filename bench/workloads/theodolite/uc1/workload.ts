// Theodolite UC1, database storage: every record is read, converted to JSON and written.

import type { Workload } from "../../../side-by-side/workload.ts";
import { power } from "../power.ts";

const sensors = 1_000;

export const uc1: Workload = {
  suite: "theodolite",
  name: "uc1",
  about: "every record read and written again",
  records: 1_000_000,
  stream: (records) => power(records, sensors),
  canonical: ({ identifier, timestamp, valueInW }) =>
    [identifier, Number(timestamp), Number(valueInW)].join(),
};
