// NEXMark q5: the auction with the most bids.

import type { Workload } from "../../../side-by-side/workload.ts";
import { events } from "../events.ts";

export const q5: Workload = {
  suite: "nexmark",
  name: "q5",
  about: "the most bids on one auction, windows of 10 s every 2 s",
  records: 1_000_000,
  stream: events,
  canonical: ({ window_end, n }) => `${Number(window_end)},${Number(n)}`,
};
