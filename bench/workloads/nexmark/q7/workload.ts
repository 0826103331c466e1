// NEXMark q7: the highest bid.

import type { Workload } from "../../../side-by-side/workload.ts";
import { events } from "../events.ts";

export const q7: Workload = {
  suite: "nexmark",
  name: "q7",
  about: "the highest bid of every 10 s",
  records: 1_000_000,
  stream: events,
  canonical: ({ window_end, price }) => `${Number(window_end)},${Number(price)}`,
};
