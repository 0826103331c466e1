// Where windows stand that begin one after the other and may overlap: pure arithmetic over `Periods` or
// even steps. Holds no record and sends nothing.

import type { Slicing } from "../filler.ts";
import type { Windows } from "./open-at-once.ts";
import { type Periods, windowStart } from "./periods.ts";

/** Windows that begin one after the other; a pane may be part of several. */
export interface Steps extends Slicing, Windows {
  /** The name of the window that begins at `start`; null where windows have none. */
  nameOf(start: number): string | null;
}

export interface HoppingSettings {
  /** Length of a window, ms. */
  readonly size: number;
  /** From the start of one window to that of the next, ms; at most `size`. */
  readonly every: number;
  readonly offset: number;
}

/**
 * Time cut where a window begins or ends, which is at most two panes for each step ("paired windows":
 * Krishnamurthy, Wu, Franklin, "On-the-fly sharing for streamed aggregation", SIGMOD 2006).
 */
export function pairedSlices({ size, every, offset }: HoppingSettings): Slicing {
  const cut = size % every;
  return {
    startOf(time) {
      const step = windowStart(time, every, offset);
      return cut > 0 && time - step >= cut ? step + cut : step;
    },
    endOf(start) {
      const step = windowStart(start, every, offset);
      return start - step < cut ? step + cut : step + every;
    },
    closingOf: (start) => windowStart(start, every, offset) + size,
  };
}

export function hoppingSteps(settings: HoppingSettings): Steps {
  const { size, every, offset } = settings;
  return {
    ...pairedSlices(settings),
    openAt: (time) => windowStart(time - size, every, offset) + every,
    next: (start) => start + every,
    windowEnd: (start) => start + size,
    nameOf: () => null,
  };
}

/** Periods as windows that do not overlap. */
export function periodSteps(periods: Periods): Steps {
  return {
    startOf: (time) => periods.startOf(time),
    endOf: (start) => periods.endOf(start),
    closingOf: (start) => periods.closingOf(start),
    openAt: (time) => periods.startOf(time),
    next: (start) => periods.endOf(start),
    windowEnd: (start) => periods.endOf(start),
    nameOf: (start) => periods.nameOf(start),
  };
}

/** Multiples of a length of time, against the epoch plus `offset`. */
export interface Multiples {
  readonly length: number;
  readonly offset: number;
}

/** The first multiple after `time`. */
export function nextMultiple(time: number, { length, offset }: Multiples): number {
  return windowStart(time, length, offset) + length;
}

/** The same panes, cut at multiples as well. */
export function cutAt(slicing: Slicing, multiples: Multiples): Slicing {
  return {
    startOf: (time) => Math.max(slicing.startOf(time), windowStart(time, multiples.length, multiples.offset)),
    endOf: (start) => Math.min(slicing.endOf(start), nextMultiple(start, multiples)),
    closingOf: (start) => slicing.closingOf(start),
  };
}
