// A virtual clock whose wall somebody sets: what it shows jumps, and how time passes does not.

import { VirtualClock } from "./clock.ts";

export class SetClock extends VirtualClock {
  /** How far the wall was set ahead, ms; below 0: back. */
  set = 0;

  override now(): number {
    return super.now() + this.set;
  }

  override elapsed(): number {
    return super.now();
  }

  /** Lets time pass. */
  pass(ms: number): void {
    this.advanceTo(this.elapsed() + ms);
  }
}
