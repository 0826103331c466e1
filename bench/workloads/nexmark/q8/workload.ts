// NEXMark q8: new sellers.

import type { Workload } from "../../../side-by-side/workload.ts";
import { events } from "../events.ts";

export const q8: Workload = {
  suite: "nexmark",
  name: "q8",
  about: "people who came and opened an auction in the same 10 s",
  records: 1_000_000,
  stream: events,
  canonical: ({ id, name, time }) => [Number(id), name, Math.floor(Number(time) / 10_000)].join(),
};
