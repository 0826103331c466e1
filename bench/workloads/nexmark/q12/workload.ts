// NEXMark q12: windows of processing time. A whole pass falls into one window, whatever time it takes: the clock of the
// pass stands still, as every other engine's would have to for its rows to be comparable.

import type { Workload } from "../../../side-by-side/workload.ts";
import { events } from "../events.ts";

export const q12: Workload = {
  suite: "nexmark",
  name: "q12",
  about: "bids of a bidder in ten seconds of processing time",
  records: 1_000_000,
  stream: events,
  canonical: ({ bidder, n }) => [bidder, n].map(Number).join(),
};
