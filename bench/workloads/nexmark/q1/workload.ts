// NEXMark q1: prices in another currency.

import { rounded, type Workload } from "../../../side-by-side/workload.ts";
import { events } from "../events.ts";

export const q1: Workload = {
  suite: "nexmark",
  name: "q1",
  about: "bids with their price in another currency",
  records: 1_000_000,
  stream: events,
  canonical: ({ auction, bidder, price, dateTime, extra }) =>
    [Number(auction), Number(bidder), rounded(price, 3), Number(dateTime), extra].join(),
};
