// How long a runner worked: the time from when it was fed a batch until it wanted the next. Not the time for which
// nothing came, nor the time for which sinks had no room.

import type { Runner } from "../engine/runner.ts";

const worked = new WeakMap<Runner, number>();

/** Notes that it worked for `ms` more. */
export function noteBusy(runner: Runner, ms: number): void {
  worked.set(runner, busyTime(runner) + ms);
}

/** ms since it was made. */
export function busyTime(runner: Runner): number {
  return worked.get(runner) ?? 0;
}
