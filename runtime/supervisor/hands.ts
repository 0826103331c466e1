// Carries out what was decided: one thing after the other for each worker, those of different workers beside each
// other. What could not be done is told at the next look and decided anew. Decides nothing.

import type { AssignedPipeline, AssignmentKey } from "../assignment.ts";
import { adviceOf } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Log } from "../log.ts";
import type { Driver, UnlimitedWorker } from "./driver.ts";
import type { Action } from "./situation.ts";
import type { SupervisorFiles } from "./supervisor-files.ts";

export interface HandsOptions {
  readonly driver: Driver;
  readonly files: SupervisorFiles;
  readonly log: Log;
  /** How a worker is started. */
  readonly spec: (worker: string) => UnlimitedWorker;
  /** The text of a revision that was or is wanted. */
  readonly textOf: (key: AssignmentKey) => AssignedPipeline | null;
  /** Whether an assignment on the disk has the text of its revision still: one that has not is told anew. */
  readonly isIntact: (pipeline: AssignedPipeline) => boolean;
  /** Something has been done. */
  readonly done: () => void;
}

function whatOf({ kind, worker }: Action): string {
  return `${kind} ${worker}`;
}

export class Hands {
  readonly #options: HandsOptions;
  readonly #busy = new Map<string, Promise<void>>();
  readonly #refused = new Map<string, string>();
  /** By what cannot be done, as it was told: it is tried again at each look, for as long as a disk is full. */
  readonly #failing = new Map<string, string>();
  readonly #assigned: Map<string, readonly AssignmentKey[]>;

  constructor(options: HandsOptions) {
    this.#options = options;
    const found = [...options.files.assignments()];
    this.#assigned = new Map(found.filter(([, pipelines]) => pipelines.every(options.isIntact)));
  }

  get busy(): ReadonlySet<string> {
    return new Set(this.#busy.keys());
  }

  get assigned(): ReadonlyMap<string, readonly AssignmentKey[]> {
    return this.#assigned;
  }

  /** By worker, why it could not be started since this was asked last. */
  takeRefused(): ReadonlyMap<string, string> {
    const refused = new Map(this.#refused);
    this.#refused.clear();
    return refused;
  }

  carryOut(actions: readonly Action[]): void {
    const decided = new Set(actions.map(whatOf));
    for (const what of this.#failing.keys()) {
      const [, worker = ""] = what.split(" ");
      if (!decided.has(what) && !this.#busy.has(worker)) this.#failing.delete(what);
    }
    for (const [worker, all] of Map.groupBy(actions, (each) => each.worker)) {
      const busy = this.#one(worker, all).finally(() => {
        this.#busy.delete(worker);
        this.#options.done();
      });
      this.#busy.set(worker, busy);
    }
  }

  /** Resolves once nothing is being done any more. */
  async idle(): Promise<void> {
    while (this.#busy.size > 0) await Promise.all(this.#busy.values());
  }

  async #one(worker: string, actions: readonly Action[]): Promise<void> {
    const { log } = this.#options;
    for (const action of actions) {
      const what = whatOf(action);
      // Starts are told one by one: there is a wait before each.
      const again = action.kind === "start" ? undefined : this.#failing.get(what);
      if (again === undefined) log.info(`${what}: ${action.reason}`);
      try {
        await this.#do(action);
        this.#failing.delete(what);
        if (again !== undefined) log.info(`${what}: done at last: ${action.reason}`);
      } catch (error) {
        const message = adviceOf(error);
        if (again !== message) log.warn(`${what}: ${message}`);
        this.#failing.set(what, message);
        if (action.kind === "start") this.#refused.set(worker, message);
        // What follows was decided for the case that this is done.
        return;
      }
    }
  }

  async #do(action: Action): Promise<void> {
    const { driver, files, spec } = this.#options;
    if (action.kind === "assign") this.#assign(action.worker, action.pipelines);
    else if (action.kind === "start") {
      const { revision, limits: own } = action;
      await driver.start({ ...spec(action.worker), revision, limits: own });
    } else if (action.kind === "stop") await driver.stop(action.id, limits.worker_grace_ms);
    else if (action.kind === "kill") await driver.kill(action.id);
    else if (action.kind === "remove") await driver.remove(action.id);
    else {
      files.forgetAssignment(action.worker);
      this.#assigned.delete(action.worker);
    }
  }

  #assign(worker: string, keys: readonly AssignmentKey[]): void {
    const pipelines = keys.map((key) => {
      const pipeline = this.#options.textOf(key);
      if (pipeline === null) throw new Error(`revision ${key.revision} of ${key.name} is not kept any more`);
      return pipeline;
    });
    this.#options.files.assign(worker, pipelines);
    this.#assigned.set(worker, keys);
  }
}
