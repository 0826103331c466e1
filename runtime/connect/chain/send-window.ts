// How many bytes of a chain may be on their way at once: so many that answers come soon. On a narrow link whole batches of rows
// would else wait behind each other for longer than an answer is waited for, be given up, and be sent again, for ever. Doubled and
// halved as congestion windows are (Jacobson, "Congestion avoidance and control", SIGCOMM 1988), but by how long an answer takes,
// since nothing is lost on a connection that stays. Pure: times, in ms of a clock that nobody sets, are arguments.

import { limits } from "../../limits.ts";

/** What is on its way. */
interface Flying {
  readonly number: number;
  readonly bytes: number;
}

/** An entry whose answer is timed: one at a time. */
interface Timed {
  readonly number: number;
  readonly at: number;
  readonly wasFull: boolean;
}

export class SendWindow {
  #bytes: number = limits.sink_window_bytes_first;
  #flying: Flying[] = [];
  #flyingBytes = 0;
  #timed: Timed | null = null;
  /** One entry goes alone, until one is confirmed. */
  #isProbing = false;

  get bytes(): number {
    return this.#bytes;
  }

  /** How many more bytes may be sent now; an entry that is larger goes all the same. */
  get room(): number {
    return this.#isProbing ? 1 - this.#flying.length : this.#bytes - this.#flyingBytes;
  }

  /** Whether nothing more is to be sent now. */
  get isFull(): boolean {
    return this.#isProbing ? this.#flying.length > 0 : this.#flyingBytes > this.#bytes / 2;
  }

  /** Nothing is on its way. */
  begin(): void {
    this.#flying = [];
    this.#flyingBytes = 0;
    this.#timed = null;
  }

  /** These entries go, whose numbers are higher than those before. */
  sent(entries: readonly Flying[], at: number): void {
    const last = entries.at(-1);
    if (last === undefined) return;
    this.#flying.push(...entries);
    for (const { bytes } of entries) this.#flyingBytes += bytes;
    this.#timed ??= { number: last.number, at, wasFull: !this.#isProbing && this.isFull };
  }

  /** Entries up to `number` are confirmed. */
  answered(number: number, at: number): void {
    let done = 0;
    for (; done < this.#flying.length && this.#flying[done]!.number <= number; done++)
      this.#flyingBytes -= this.#flying[done]!.bytes;
    this.#flying.splice(0, done);
    this.#isProbing = false;
    this.#time(number, at);
  }

  #time(number: number, at: number): void {
    const timed = this.#timed;
    if (timed === null || number < timed.number) return;
    this.#timed = null;
    const took_ms = at - timed.at;
    if (took_ms > limits.sink_answer_late_ms) this.#set(this.#bytes / 2);
    // Twice as much takes twice as long at most. Where the window was not full, more would be a guess.
    else if (took_ms < limits.sink_answer_late_ms / 2 && timed.wasFull) this.#set(this.#bytes * 2);
  }

  /** The other side takes nothing for now: to ask it again and again, one entry does, and the rest of a window would only cost. */
  refused(): void {
    this.#isProbing = true;
  }

  /** Answers failed to come, or the connection was cut: the next may be another link. */
  silent(): void {
    this.#set(Math.min(this.#bytes / 2, limits.sink_window_bytes_first));
  }

  #set(bytes: number): void {
    const atLeast = Math.max(bytes, limits.sink_window_bytes_min);
    this.#bytes = Math.min(atLeast, limits.sink_in_flight_bytes_max);
  }
}
