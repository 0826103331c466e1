// NEXMark q2: bids on some auctions.

import type { Workload } from "../../../side-by-side/workload.ts";
import { events } from "../events.ts";

export const q2: Workload = {
  suite: "nexmark",
  name: "q2",
  about: "bids on every 123rd auction",
  records: 1_000_000,
  stream: events,
  canonical: ({ auction, price }) => [auction, price].map(Number).join(),
};
