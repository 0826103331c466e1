// How far in event time a record of a join reaches: until when one of the other side may come that joins
// it. Arithmetic only.

import { justAfter } from "../window/just-after.ts";
import { windowStart } from "../window/kinds/periods.ts";
import type { JoinSettings } from "./join-settings.ts";

export interface Reach {
  /** The last moment at which a record of the other side may come that joins one of side `side` at `time`. */
  last(time: number, side: number): number;
  /** The instant at which what reaches to `last` is over. */
  over(last: number): number;
}

/** A right record joins a left one when it is no more than `before` earlier and no more than `after` later. */
function within(before: number, after: number): Reach {
  const bySide = [after, before];
  return { last: (time, side) => time + bySide[side]!, over: justAfter };
}

/** Both are in the same window of `size` ms. */
function sameWindow(size: number, offset: number): Reach {
  return { last: (time) => windowStart(time, size, offset) + size - 1, over: (last) => last + 1 };
}

export function reachOf({ within: limits, window, offset = 0 }: JoinSettings): Reach {
  if (window !== undefined) return sameWindow(window, offset);
  const { before, after } = limits!;
  return within(before, after);
}

/** The longest that a record waits for one of the other side, ms. */
export function longestReach({ within: limits, window }: JoinSettings): number {
  return window ?? Math.max(limits!.before, limits!.after);
}
