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
class Within implements Reach {
  readonly #before: number;
  readonly #after: number;

  constructor(before: number, after: number) {
    this.#before = before;
    this.#after = after;
  }

  last(time: number, side: number): number {
    return time + (side === 0 ? this.#after : this.#before);
  }

  over(last: number): number {
    return justAfter(last);
  }
}

/** Both are in the same window of `size` ms. */
class SameWindow implements Reach {
  readonly #size: number;
  readonly #offset: number;

  constructor(size: number, offset: number) {
    this.#size = size;
    this.#offset = offset;
  }

  last(time: number): number {
    return windowStart(time, this.#size, this.#offset) + this.#size - 1;
  }

  over(last: number): number {
    return last + 1;
  }
}

export function reachOf({ within: limits, window, offset = 0 }: JoinSettings): Reach {
  if (window !== undefined) return new SameWindow(window, offset);
  const { before, after } = limits!;
  return new Within(before, after);
}

/** The longest that a record waits for one of the other side, ms. */
export function longestReach({ within: limits, window }: JoinSettings): number {
  return window ?? Math.max(limits!.before, limits!.after);
}
