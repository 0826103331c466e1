// Theodolite UC2, downsampling: per sensor and minute count, sum, minimum, maximum, mean and population variance.

import type { Workload } from "../../../side-by-side/workload.ts";
import { power } from "../power.ts";
import { canonicalStatistics } from "../statistics.ts";

const sensors = 1_000;

export const uc2: Workload = {
  suite: "theodolite",
  name: "uc2",
  about: "statistics per sensor and minute, 1,000 sensors, 66-byte records",
  records: 2_000_000,
  stream: (records) => power(records, sensors),
  canonical: (row) => [row["identifier"], Number(row["window_start"]), canonicalStatistics(row)].join(),
};
