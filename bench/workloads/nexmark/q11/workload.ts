// NEXMark q11: sessions of bidders.

import type { Workload } from "../../../side-by-side/workload.ts";
import { events } from "../events.ts";

export const q11: Workload = {
  suite: "nexmark",
  name: "q11",
  about: "bids of a bidder in a session, which ends with 10 s of silence",
  records: 1_000_000,
  stream: events,
  canonical: ({ bidder, window_start, n }) => [bidder, window_start, n].map(Number).join(),
};
