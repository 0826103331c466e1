// What workers say of themselves: asks each for its heartbeat, soon again while one starts, and remembers the last one of each.
// Decides nothing by it.

import { type Clock, sleep } from "../clock.ts";
import { askSocket } from "../connect/socket-question.ts";
import { parseHeartbeat } from "../heartbeat.ts";
import { limits } from "../limits.ts";
import type { ObservedWorker } from "./driver.ts";
import { lives } from "./life-signs.ts";
import type { Heard } from "./situation.ts";

export interface HearingOptions {
  /** Where a worker answers questions. */
  readonly socketOf: (worker: string) => string;
  readonly clock: Clock;
  /** The workers that were seen last; null where nobody knows. */
  readonly workers: () => readonly ObservedWorker[] | null;
  /** One has carried out another assignment than before. */
  readonly changed: () => void;
}

export class Hearing {
  readonly #options: HearingOptions;
  readonly #heard = new Map<string, Heard>();
  readonly #asking = new Set<string>();
  #closed = false;

  constructor(options: HearingOptions) {
    this.#options = options;
  }

  /** By worker, its last word. */
  get heard(): ReadonlyMap<string, Heard> {
    return this.#heard;
  }

  /** Pipelines that may run: what workers that live said last, however long ago; of all where nobody knows who lives. */
  running(): readonly string[] {
    const workers = this.#options.workers();
    const living = workers?.filter(lives).map(({ name }) => name) ?? [...this.#heard.keys()];
    return living.flatMap((name) => this.#heard.get(name)?.beat.pipelines.map((each) => each.name) ?? []);
  }

  /** Asks a worker for its heartbeat, unless an earlier question waits for its answer. */
  ask(worker: string): void {
    const last = this.#heard.get(worker)?.at ?? 0;
    if (this.#asking.has(worker) || this.#options.clock.elapsed() - last < limits.worker_heartbeat_ms / 2)
      return;
    this.#asking.add(worker);
    void this.#askWhileItStarts(worker).finally(() => this.#asking.delete(worker));
  }

  close(): void {
    this.#closed = true;
  }

  /** That one runs is seen soon, and not at the next look. */
  async #askWhileItStarts(worker: string): Promise<void> {
    const { clock, socketOf } = this.#options;
    for (;;) {
      const answer = await askSocket(socketOf(worker), "/heartbeat", limits.worker_hang_ms);
      const beat = answer === null ? null : parseHeartbeat(answer.text);
      if (beat !== null && beat.worker === worker) this.#hear(worker, { at: clock.elapsed(), beat });
      if (this.#closed || !this.#starts(worker)) return;
      await sleep(clock, limits.supervisor_ask_ms);
    }
  }

  /** Whether it was started not long ago, and has not said yet that its pipelines run. */
  #starts(worker: string): boolean {
    const present = this.#options.workers()?.find((each) => each.name === worker && lives(each));
    const heard = this.#heard.get(worker);
    if (present === undefined) return false;
    if (this.#options.clock.elapsed() - present.started > limits.worker_start_ms_max) return false;
    const isHeard = heard !== undefined && heard.at >= present.started;
    return !isHeard || heard.beat.pipelines.some(({ phase }) => phase === "starting");
  }

  #hear(worker: string, heard: Heard): void {
    const before = this.#heard.get(worker)?.beat;
    this.#heard.set(worker, heard);
    // What another one waits for is not to wait for the next look.
    if (before?.assignment !== heard.beat.assignment) this.#options.changed();
  }
}
