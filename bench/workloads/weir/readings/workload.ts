// weir's own stream: readings of which some are left out, per device and minute. Shorter windows than UC2's
// and fields that nobody reads.

import type { Workload } from "../../../side-by-side/workload.ts";
import { rounded } from "../../../side-by-side/workload.ts";
import { readingTexts } from "../../../readings.ts";

export const readings: Workload = {
  suite: "weir",
  name: "readings",
  about:
    "a filter and five aggregates per device and minute, 200 devices, 85-byte records of which 3 fields are read",
  records: 1_000_000,
  stream: readingTexts,
  canonical: ({ device, window_start, n, sum, min, max, mean }) =>
    [device, Number(window_start), Number(n), ...[sum, min, max, mean].map((each) => rounded(each))].join(),
};
