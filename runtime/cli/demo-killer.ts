// Pulls the plug in the demonstration: kills its worker and its servers in turn while rows flow, and starts them again as a
// supervisor would. Counts what it did; judges nothing.

import { sleep, wallClock } from "../clock.ts";
import { messageOf } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Broker } from "../testing/faults/broker.ts";
import { type WorkerCommand, WorkerProcess } from "../testing/faults/worker-process.ts";
import type { KillFigures } from "./demo-figures.ts";

export interface KillerOptions {
  readonly command: WorkerCommand;
  readonly edge: Broker;
  readonly cloud: Broker;
  readonly told: (line: string) => void;
}

export class Killer {
  readonly #options: KillerOptions;
  #worker: WorkerProcess;
  #kills = { worker: 0, edge: 0, cloud: 0 };
  #stopping = false;
  #running: Promise<void> = Promise.resolve();
  /** What went wrong otherwise. */
  readonly faults: string[] = [];

  /** Starts the worker. */
  constructor(options: KillerOptions) {
    this.#options = options;
    this.#worker = new WorkerProcess(options.command);
  }

  get worker(): WorkerProcess {
    return this.#worker;
  }

  get kills(): KillFigures {
    return { ...this.#kills };
  }

  start(): void {
    this.#running = this.#run().catch((error: unknown) => void this.faults.push(messageOf(error)));
  }

  /** Resolves once nothing is killed any more and all runs. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    const turns = ["worker", "cloud", "worker", "edge"] as const;
    for (let turn = 0; !this.#stopping; turn++) {
      await this.#pause(limits.demo_kill_ms);
      // A machine that is busy may take longer to start it than to kill it.
      while (!this.#stopping && !this.#worker.isRunning && !this.#worker.hasEnded) await this.#pause(50);
      if (this.#stopping) return;
      const which = turns[turn % turns.length]!;
      await (which === "worker" ? this.#killWorker() : this.#killServer(which));
    }
  }

  async #killWorker(): Promise<void> {
    // One that ended by itself is none that was killed.
    if (this.#worker.hasEnded) {
      const { code, signal } = await this.#worker.ended;
      this.faults.push(`the worker ended with ${signal ?? code}:\n${this.#worker.said()}`);
    } else {
      await this.#worker.kill();
      this.#kills.worker++;
      this.#options.told("killed the worker (SIGKILL); started it again");
    }
    this.#worker = new WorkerProcess(this.#options.command);
  }

  async #killServer(which: "edge" | "cloud"): Promise<void> {
    await this.#options[which].kill();
    this.#kills[which]++;
    await this.#pause(limits.demo_kill_ms / 4);
    await this.#options[which].restart();
    this.#options.told(`killed the ${which}'s nats-server (SIGKILL); started it again`);
  }

  /** Waits, but no longer than it is told to stop. */
  async #pause(ms: number): Promise<void> {
    for (let waited = 0; waited < ms && !this.#stopping; waited += 50) await sleep(wallClock, 50);
  }
}
