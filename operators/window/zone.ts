// Wall-clock time in a named zone: what the clocks there show at an instant, and when they first show a
// given time. Built on what `Intl` tells of the zone; knows no window and no local default.

import { zoneOffset } from "weir/sdk";

/** No zone is further from UTC than this, so that what lies this far off is clear of any change of its clocks. */
const day = 86_400_000;

export class Zone {
  /** How far the clocks are ahead of UTC at a time, ms. */
  readonly offset: (time: number) => number;

  /** Throws a RangeError when there is no zone of that name. */
  constructor(name: string) {
    this.offset = zoneOffset(name);
  }

  /** What the clocks show at `time`, as if it were UTC, ms. */
  local(time: number): number {
    return time + this.offset(time);
  }

  /** The first instant at which the clocks show `local`; where they jump over it, the instant of the jump. */
  instant(local: number): number {
    const [before, after] = [this.offset(local - day), this.offset(local + day)];
    const first = local - Math.max(before, after);
    const last = local - Math.min(before, after);
    if (this.local(first) === local) return first;
    if (this.local(last) === local) return last;
    return this.#jump(first, last, local);
  }

  /** The first instant after `early` and not after `late` at which the clocks show `local` or later. */
  #jump(early: number, late: number, local: number): number {
    while (late - early > 1) {
      const middle = Math.floor((early + late) / 2);
      if (this.local(middle) >= local) late = middle;
      else early = middle;
    }
    return late;
  }
}

/** Whether there is a zone of that name. */
export function isZone(name: string): boolean {
  try {
    return Number.isFinite(new Zone(name).offset(0));
  } catch {
    return false;
  }
}
