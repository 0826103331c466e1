// Keeps the ingest of this host's workers running, in a process or container of its own, so that no end of a worker ends it.
// It lies under a driver of its own: what becomes of workers is decided without it. It outlives its supervisor as they do.

import type { Clock } from "../clock.ts";
import { messageOf } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Log } from "../log.ts";
import type { Driver, ObservedWorker, WorkerSpec } from "./driver.ts";
import { lives } from "./life-signs.ts";
import { afterRefusal, isDue, isGood, neverFailed, type RestartRecord } from "./restart.ts";

export type UnitAction =
  | { readonly kind: "start" }
  | { readonly kind: "stop" | "remove"; readonly id: string; readonly failed: boolean };

/** What one look leads to. Whether it goes on once nobody asks is its own decision: it has something to write until then. */
export function unitActions(
  units: readonly ObservedWorker[],
  { isWanted, revision, isDue: due }: { isWanted: boolean; revision: string; isDue: boolean },
): readonly UnitAction[] {
  // Nobody knows what it does: another one in its place may be one too many.
  if (units.some(({ state }) => state === "unknown")) return [];
  const ended = units
    .filter((each) => !lives(each))
    .map(({ id, exitCode }): UnitAction => ({ kind: "remove", id, failed: exitCode !== 0 }));
  const living = units.filter(lives);
  const other = living.find((each) => each.revision !== revision);
  if (other !== undefined) return [...ended, { kind: "stop", id: other.id, failed: false }];
  return living.length === 0 && isWanted && due ? [...ended, { kind: "start" }] : ended;
}

export interface IngestUnitOptions {
  /** Of nothing else. */
  readonly driver: Driver;
  readonly spec: WorkerSpec;
  /** Some worker asks for a journal. */
  readonly isWanted: () => boolean;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
}

export class IngestUnit {
  readonly #options: IngestUnitOptions;
  #units: readonly ObservedWorker[] = [];
  #restart: RestartRecord = neverFailed;
  #looking: Promise<void> | null = null;
  #complaint = "";
  #endLooks: () => void = () => undefined;

  constructor(options: IngestUnitOptions) {
    this.#options = options;
  }

  start(): void {
    const look = (): void => {
      this.#looking ??= this.#look().finally(() => {
        this.#looking = null;
      });
    };
    look();
    this.#endLooks = this.#options.clock.every(limits.supervisor_look_ms, look);
  }

  /** The one that is there; null for none. */
  status(): ObservedWorker | null {
    return this.#units[0] ?? null;
  }

  async logs(lines: number): Promise<readonly string[] | null> {
    const unit = this.status();
    return unit === null ? null : this.#options.driver.logs(unit.id, lines);
  }

  /** Ends looking; it runs on. */
  async close(): Promise<void> {
    this.#endLooks();
    await this.#looking;
  }

  /** Ends it, once it has written what it received. */
  async drain(): Promise<void> {
    await this.close();
    const { driver } = this.#options;
    for (const { id } of await driver.list()) {
      await driver.stop(id, limits.worker_grace_ms);
      await driver.remove(id);
    }
  }

  async #look(): Promise<void> {
    const { driver, spec, isWanted, clock, log } = this.#options;
    try {
      this.#units = await driver.list();
      const now = clock.now();
      const [unit] = this.#units;
      if (unit !== undefined && lives(unit) && isGood(unit.started, now)) this.#restart = neverFailed;
      const due = isDue(this.#restart, now);
      const actions = unitActions(this.#units, {
        isWanted: isWanted(),
        revision: spec.revision,
        isDue: due,
      });
      for (const action of actions) await this.#do(action);
      // What is told of it is not what was there before it was started.
      if (actions.length > 0) this.#units = await driver.list();
      this.#complaint = "";
    } catch (error) {
      const complaint = messageOf(error);
      if (complaint !== this.#complaint) log.error(`the ingest of journals: ${complaint}`);
      this.#complaint = complaint;
    }
  }

  async #do(action: UnitAction): Promise<void> {
    const { driver, spec, log } = this.#options;
    if (action.kind === "start") {
      log.info("start ingest: a worker asks for a journal");
      // Counted before, so that one which cannot even be started waits as well.
      this.#fail();
      await driver.start(spec);
    } else if (action.kind === "stop") {
      log.info("stop ingest: it is started in another way now");
      await driver.stop(action.id, limits.worker_grace_ms);
    } else {
      if (action.failed) log.warn("the ingest ended; what comes until it is back is lost");
      await driver.remove(action.id);
    }
  }

  #fail(): void {
    const { clock, random } = this.#options;
    this.#restart = afterRefusal(this.#restart, clock.now(), random());
  }
}
