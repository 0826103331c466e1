// Theodolite UC4, hierarchical aggregation: sensors in groups, groups in groups, three levels of five. Per group and 5 s
// count, sum and mean of what its members had last; a group of groups takes the sums of its members.

import { type Row, rounded, type Workload } from "../../../side-by-side/workload.ts";
import { power } from "../power.ts";

const sensors = 125;

export const uc4: Workload = {
  suite: "theodolite",
  name: "uc4",
  about:
    "125 sensors in three levels of groups; per group and 5 s the statistics of its members' last values",
  records: 500_000,
  stream: (records) => power(records, sensors),
  canonical: ({ member_of, window_start, count, sum, mean }: Row) =>
    [member_of, Number(window_start), Number(count), rounded(sum, 4), rounded(mean, 4)].join(),
};
