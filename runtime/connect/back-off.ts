// How long to wait before the next try: doubling, bounded, with jitter so that a fleet does not come back
// in one instant. Pure; the waiting is the caller's.

import { limits } from "../limits.ts";

/** Milliseconds before try number `attempt` (0 is the first repeat); `random` is in [0, 1). */
export function backOff(attempt: number, random: number): number {
  const { nats_reconnect_ms_min: shortest, nats_reconnect_ms_max: longest } = limits;
  const ceiling = Math.min(longest, shortest * 2 ** Math.min(attempt, 30));
  return Math.round(Math.max(shortest / 2, ceiling * (0.5 + random / 2)));
}
