// NEXMark q3: who sells in some states.

import type { Workload } from "../../../side-by-side/workload.ts";
import { events } from "../events.ts";

export const q3: Workload = {
  suite: "nexmark",
  name: "q3",
  about: "auctions of category 10 joined with their sellers in OR, ID and CA",
  records: 1_000_000,
  stream: events,
  canonical: ({ name, city, state, id }) => [name, city, state, Number(id)].join(),
};
