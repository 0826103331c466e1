// Waiting for what a fault run expects to happen: for a condition, never for a time to pass; for long, but not for ever.

import { sleep, stopwatch, wallClock } from "../../clock.ts";
import { limits } from "../../limits.ts";

/** What was waited for did not come: the run is stuck. */
export class Stuck extends Error {
  constructor(what: string, ms: number) {
    super(`waited ${Math.round(ms / 1000)} s for ${what}`);
    this.name = "Stuck";
  }
}

/** Resolves once the condition holds. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  ms: number = limits.faults_wait_ms_max,
): Promise<void> {
  const start = stopwatch();
  while (!(await condition())) {
    if (stopwatch() - start > ms) throw new Stuck(what, ms);
    await sleep(wallClock, limits.faults_look_ms);
  }
}

/** The time of a fault itself: how long something is stopped, cut or slow. */
export function lasting(ms: number): Promise<void> {
  return sleep(wallClock, ms);
}
