// Theodolite UC3, aggregation by time attributes: statistics per sensor and hour of the day in Paris, over windows of 30 days
// that begin every day, 30 of them open at a time. The stream is two months of 20 sensors.

import type { Workload } from "../../../side-by-side/workload.ts";
import { power } from "../power.ts";
import { canonicalStatistics } from "../statistics.ts";

const sensors = 20;
const length_ms = 60 * 86_400_000;

export const uc3: Workload = {
  suite: "theodolite",
  name: "uc3",
  about: "statistics per sensor and hour of the day, over 30 days every day, 20 sensors",
  records: 1_000_000,
  stream: (records) => power(records, sensors, Math.floor((length_ms * sensors) / records)),
  canonical: (row) =>
    [row["identifier"], Number(row["hour"]), Number(row["window_start"]), canonicalStatistics(row)].join(),
};
