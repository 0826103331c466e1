// A runner with its sources and sinks, from open to drained. Two kinds: one that acknowledges when rows have arrived, and
// one that acknowledges when they are in its commit log.

import type { Clock } from "../clock.ts";
import type { Source } from "../connect/connect.ts";
import { FairTurn } from "../connect/fair-turn.ts";
import type { Runner } from "../engine/runner.ts";
import type { FeedGate } from "./feed-gate.ts";
import { SourceTask } from "./source-task.ts";

export interface Task {
  readonly runner: Runner;
  readonly sources: readonly Source[];
  /** Why nothing new is taken just now, the disk of its state being full; null, or absent, while it is not. */
  readonly lacksRoom?: string | null;
  /** Takes nothing new from here on; `run` then finishes what is in flight. */
  stop(): void;
  /** Runs until every source has ended or to `stop`. */
  run(): Promise<void>;
  close(): Promise<void>;
}

export interface ReadingOptions {
  readonly sources: readonly Source[];
  readonly runner: Runner;
  readonly clock: Clock;
  readonly gate: FeedGate;
  readonly taken: (input: number, position: unknown) => void;
  readonly room: () => Promise<void>;
}

/** The sources of a runner, each read by a loop of its own. */
export class Reading {
  readonly #options: ReadingOptions;
  readonly #tasks: readonly SourceTask[];

  constructor(options: ReadingOptions) {
    const { sources, runner, clock, gate, taken, room } = options;
    this.#options = options;
    this.#tasks = sources.map(
      (source, input) =>
        new SourceTask({
          source,
          input,
          runner,
          clock,
          gate,
          room,
          taken: (position) => taken(input, position),
        }),
    );
  }

  stop(): void {
    for (const task of this.#tasks) task.stop();
  }

  /** Reads all of them to their ends or to `stop`; true where all have ended. When one fails, none is read any longer. */
  async run(): Promise<boolean> {
    const read = await Promise.allSettled(this.#tasks.map((task, input) => this.#read(task, input)));
    const failure = read.find((each) => each.status === "rejected");
    if (failure !== undefined) throw failure.reason;
    return read.every((each) => each.status === "fulfilled" && each.value);
  }

  /** All have ended: open windows fire, a part at a time where they have very many rows, as there is room, until all have or `isOver`. */
  async finish(isOver: () => boolean = () => false): Promise<void> {
    const { runner, clock, gate, room } = this.#options;
    const turn = new FairTurn();
    await gate.pass(() => runner.finish(clock.now()));
    while (runner.isBehind && !isOver()) {
      await room();
      if (turn.isOver) await turn.end();
      await gate.pass(() => runner.goOn());
    }
  }

  async #read(task: SourceTask, input: number): Promise<boolean> {
    const { runner, clock, gate } = this.#options;
    try {
      const ended = await task.run();
      if (ended && this.#tasks.length > 1)
        await gate.pass(() => runner.end(clock.now(), input, clock.elapsed()));
      return ended;
    } catch (error) {
      this.stop();
      throw error;
    }
  }
}
