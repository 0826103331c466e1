// NEXMark q0: bids as they are.

import type { Workload } from "../../../side-by-side/workload.ts";
import { events } from "../events.ts";

export const q0: Workload = {
  suite: "nexmark",
  name: "q0",
  about: "bids with five of their fields as they are",
  records: 1_000_000,
  stream: events,
  canonical: ({ auction, bidder, price, dateTime, extra }) =>
    [auction, bidder, price, dateTime].map(Number).join() + String(extra),
};
