// NEXMark q4: the mean of closing prices.

import { rounded, type Workload } from "../../../side-by-side/workload.ts";
import { events } from "../events.ts";

export const q4: Workload = {
  suite: "nexmark",
  name: "q4",
  about: "the mean over closing prices of all auctions in a category; the last state of it",
  records: 300_000,
  stream: events,
  canonical: ({ category, final }) => `${Number(category)},${rounded(final, 3)}`,
};
