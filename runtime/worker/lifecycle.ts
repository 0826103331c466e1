// The life of a worker, and of one pipeline in it, as a table: what each event makes of each phase. Nothing else
// changes a phase, and every event means something in every phase, however late it comes.

import type { Phase } from "../heartbeat.ts";

/**
 * `opened`: all that it needs is there. `asked`: it is to end. `ended`: its sources have no more. `drained`: all that
 * was taken is settled. `failed`: it cannot go on.
 */
export type LifeEvent = "opened" | "asked" | "ended" | "drained" | "failed";

const stopped: Readonly<Record<LifeEvent, Phase>> = {
  opened: "stopped",
  asked: "stopped",
  ended: "stopped",
  drained: "stopped",
  failed: "stopped",
};

const failed: Readonly<Record<LifeEvent, Phase>> = {
  opened: "failed",
  asked: "failed",
  ended: "failed",
  drained: "failed",
  failed: "failed",
};

export const transitions: Readonly<Record<Phase, Readonly<Record<LifeEvent, Phase>>>> = {
  starting: {
    opened: "running",
    asked: "draining",
    ended: "stopped",
    drained: "stopped",
    failed: "failed",
  },
  running: {
    opened: "running",
    asked: "draining",
    ended: "stopped",
    drained: "stopped",
    failed: "failed",
  },
  draining: {
    // What was being opened when it was asked to end is closed again.
    opened: "draining",
    asked: "draining",
    ended: "draining",
    drained: "stopped",
    failed: "failed",
  },
  stopped,
  failed,
};

/** One life, and since when it is in its phase. */
export class Life {
  #phase: Phase = "starting";
  #since: number;

  constructor(now: number) {
    this.#since = now;
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** Wall clock ms. */
  get since(): number {
    return this.#since;
  }

  /** Takes an event; true when it changed the phase. */
  on(event: LifeEvent, now: number): boolean {
    const next = transitions[this.#phase][event];
    if (next === this.#phase) return false;
    this.#phase = next;
    this.#since = now;
    return true;
  }
}
