// What there is to tell of a host, kept in order until somebody can be told: an update that fails while the link is down is an
// event all the same. Bounded; what was left out is counted, and the next event says how much. Publishes nothing.

import { limits } from "../limits.ts";
import type { Told } from "./supervisor.ts";

/** As it is published. */
export interface HostEvent extends Told {
  readonly host: string;
  /** Earlier ones that nobody was told of, because too many waited; absent where there are none. */
  readonly left_out?: number;
}

export class EventQueue {
  readonly #host: string;
  #waiting: Told[] = [];
  #leftOut = 0;

  constructor(host: string) {
    this.#host = host;
  }

  add(told: Told): void {
    this.#waiting.push(told);
    if (this.#waiting.length <= limits.events_waiting_max) return;
    this.#waiting.shift();
    this.#leftOut++;
  }

  /** All that waits, oldest first; none of it waits any more. */
  take(): readonly HostEvent[] {
    const left = this.#leftOut === 0 ? {} : { left_out: this.#leftOut };
    const taken = this.#waiting.map((told, place) => ({
      host: this.#host,
      ...told,
      ...(place === 0 ? left : {}),
    }));
    this.#waiting = [];
    this.#leftOut = 0;
    return taken;
  }
}
