// Lets sockets and timers have their turn. A read of what is there already ends no turn of the event loop, so that whoever reads
// on and on would keep all others of the thread waiting until there is nothing left.

import { setImmediate as nextTurn } from "node:timers/promises";
import { stopwatch } from "../clock.ts";
import { limits } from "../limits.ts";

export class FairTurn {
  #since = stopwatch();

  /** It may have lasted too long: to be ended before more is given out. */
  get isOver(): boolean {
    return stopwatch() - this.#since >= limits.turn_ms_max;
  }

  async end(): Promise<void> {
    await nextTurn();
    this.#since = stopwatch();
  }
}
