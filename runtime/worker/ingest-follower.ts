// The ingest of all workers that share a state folder: carries out what they ask for in files there, each as long as somebody
// reads, and ends when nothing is asked for any more. What goes wrong with one of them leaves the others alone.

import { type Clock, sleep } from "../clock.ts";
import { backOff } from "../connect/back-off.ts";
import { messageOf } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Log } from "../log.ts";
import type { IngestPlan } from "./ingest-plan.ts";
import { IngestProcess } from "./ingest-process.ts";
import { readRequests, removeRequest } from "./ingest-requests.ts";

export interface FollowerOptions {
  readonly state: string;
  readonly connections: IngestPlan["connections"];
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
}

export class IngestFollower {
  readonly #options: FollowerOptions;
  readonly #running = new Map<string, { readonly process: IngestProcess; readonly ended: Promise<void> }>();
  /** By folder, failures in a row, and until when it is not tried again. */
  readonly #failed = new Map<string, { readonly times: number; readonly notBefore: number }>();
  #stopping = false;

  constructor(options: FollowerOptions) {
    this.#options = options;
  }

  /** Resolves once it was told to stop, or nothing is left to do; all that was received is durable then. */
  async run(): Promise<void> {
    const { clock, log } = this.#options;
    while (!this.#stopping) {
      if (!this.#look()) {
        log.info("ingest: nothing is asked for; ending");
        break;
      }
      await sleep(clock, limits.ingest_watch_ms);
    }
    await Promise.all([...this.#running.values()].map(({ ended }) => ended));
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all([...this.#running.values()].map(({ process }) => process.stop()));
  }

  /** Starts what is asked for and does not run; false where nothing is to be done any more. */
  #look(): boolean {
    const requests = readRequests(this.#options.state);
    for (const plan of requests) {
      const due = (this.#failed.get(plan.folder)?.notBefore ?? 0) <= this.#options.clock.elapsed();
      if (due && !this.#running.has(plan.folder)) this.#start(plan);
    }
    return requests.length > 0 || this.#running.size > 0;
  }

  #start(plan: IngestPlan): void {
    const { clock, log, connections } = this.#options;
    const process = new IngestProcess(plan, clock, log, connections);
    const begun = clock.elapsed();
    const ended = process
      .run()
      .then(
        () => {
          this.#failed.delete(plan.folder);
          // Another plan stands in the same file, and is carried out next.
          if (process.dismissed === "nobody reads") removeRequest(plan.folder);
        },
        (fault: unknown) => this.#fail(plan.folder, begun, fault),
      )
      .finally(() => this.#running.delete(plan.folder));
    this.#running.set(plan.folder, { process, ended });
  }

  #fail(folder: string, begun: number, fault: unknown): void {
    const { clock, log, random } = this.#options;
    const isSoon = clock.elapsed() - begun < limits.ingest_settled_ms;
    const times = isSoon ? (this.#failed.get(folder)?.times ?? 0) + 1 : 0;
    this.#failed.set(folder, { times, notBefore: clock.elapsed() + backOff(times, random()) });
    log.error(`ingest: ${messageOf(fault)}`);
  }
}
