// Keeps the workers of one host as they are wanted: looks, decides by `reconcile`, lets it be carried out, and looks
// again. It goes on without any network; what it was told is on the disk, and its workers outlive it.

import type { AssignedPipeline, AssignmentKey } from "../assignment.ts";
import { type Clock, sleep } from "../clock.ts";
import { messageOf } from "../errors.ts";
import { instanceOf, isMeant } from "../instance.ts";
import { limits } from "../limits.ts";
import type { Log } from "../log.ts";
import type { Asked } from "./admission.ts";
import { Beginnings } from "./beginnings.ts";
import type { Capacity } from "./capacity.ts";
import type { Driver, ObservedWorker, UnlimitedWorker, WorkerLimits } from "./driver.ts";
import { Gate } from "./gate.ts";
import type { Handovers } from "./handovers.ts";
import { Hands } from "./hands.ts";
import { Hearing } from "./hearing.ts";
import { desiredOf } from "./instances.ts";
import { lives } from "./life-signs.ts";
import { KeptWrites } from "./kept-writes.ts";
import { Lateness } from "./lateness.ts";
import { hasFailed, type Memory, memoryText, released } from "./memory.ts";
import { reconcile, type Reconciled } from "./reconcile.ts";
import type { Happening } from "./situation.ts";
import type { ScaleTiming } from "./scale.ts";
import type { TrustedKeys } from "./signature.ts";
import { type SupervisorStatus, statusOf } from "./status.ts";
import type { SupervisorFiles } from "./supervisor-files.ts";
import type { RefusedFile, WantedPipeline } from "./wanted.ts";

export interface SupervisorOptions {
  readonly driver: Driver;
  readonly files: SupervisorFiles;
  readonly host: string;
  readonly capacity: Capacity;
  /** How workers are started, and of what revision that is: those of another are started anew. */
  readonly spec: (worker: string) => UnlimitedWorker;
  readonly revision: string;
  /** How far each worker may go; one with a pipeline of its own as far as that is expected to. */
  readonly limits: WorkerLimits;
  /** Where a worker answers questions. */
  readonly socketOf: (worker: string) => string;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  /** Bytes of this host's memory that nobody has taken. */
  readonly memoryFree: () => number;
  /** How fast partitions are given more workers, or fewer; as usual when left out. */
  readonly scaling?: ScaleTiming;
  /** Only what one of these keys has signed may run; everything when left out. */
  readonly trusted?: TrustedKeys;
  /** Takes along what is kept of pipelines that come from other hosts, or go there; absent where none do. */
  readonly handovers?: Handovers;
}

/** Something that happened, and when. */
export type Told = Happening & { readonly at: number };

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #hands: Hands;
  /** Times of what is seen here are those of a clock that nobody sets. */
  readonly #since: number;
  readonly #beginnings: Beginnings;
  readonly #hearing: Hearing;
  readonly #told: Told[] = [];
  readonly #lateness = new Lateness(limits.supervisor_look_ms);
  readonly #gate: Gate;
  #refused: readonly RefusedFile[] = [];
  readonly #writes: KeptWrites;
  #memory: Memory;
  #kept = "";
  #workers: readonly ObservedWorker[] | null = [];
  #unplaced: Reconciled["unplaced"] = [];
  #going: ReadonlyMap<string, string> = new Map();
  #driverFault = "";
  #looking: Promise<void> | null = null;
  #again = false;
  #closed = false;
  #draining = false;
  #held: boolean;
  readonly #listeners = new Set<(told: Told) => void>();
  #endLooks: () => void = () => undefined;
  #cancelDue: () => void = () => undefined;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    const { files, driver, host, log, clock, spec, trusted: keys = null, handovers } = options;
    this.#beginnings = new Beginnings(clock);
    this.#since = clock.elapsed();
    this.#writes = new KeptWrites(log);
    this.#memory = files.memory();
    this.#gate = new Gate({ host, keys, files, writes: this.#writes, clock, log });
    this.#held = files.held();
    const textOf = (key: AssignmentKey): AssignedPipeline | null => this.#textOf(key);
    const isIntact = (each: AssignedPipeline): boolean => keys === null || textOf(each)?.text === each.text;
    const workers = (): readonly ObservedWorker[] | null => this.#workers;
    const changed = (): void => this.#lookSoon();
    this.#hearing = new Hearing({ socketOf: options.socketOf, clock, workers, changed });
    handovers?.on(changed, (happening) => this.tell(happening));
    this.#hands = new Hands({ driver, files, log, spec, textOf, isIntact, done: () => this.#lookSoon() });
  }

  /** What was wanted when it was last told, and may run. */
  get wanted(): readonly WantedPipeline[] {
    return this.#gate.wanted;
  }

  /** Whether a pipeline is wanted here only to leave for another host, and has. */
  hasLeft(name: string): boolean {
    return this.#options.handovers?.hasLeft(name) === true;
  }

  /** Pipelines that may run in its workers, whatever is wanted of them now. */
  running(): readonly string[] {
    return this.#hearing.running();
  }

  /** What is wanted, and may not run. */
  get refused(): readonly RefusedFile[] {
    return this.#gate.refused;
  }

  /** From here on these are wanted, as far as they may run; `unreadable`: what cannot even be read. */
  want(pipelines: readonly WantedPipeline[], unreadable: Asked["unreadable"] = []): void {
    const known = new Set(this.wanted.flatMap(({ name, forget }) => (forget === true ? [name] : [])));
    this.#wants(this.#gate.ask({ pipelines, unreadable }));
    const newly = this.wanted.filter(({ name, forget }) => forget === true && !known.has(name));
    // What was put aside because it did not fit is the same revision still.
    for (const { name } of newly)
      this.#release(name, "it is to begin anew where it does not fit what it keeps");
  }

  /** From here on these keys are trusted, and no others. */
  trust(keys: TrustedKeys): void {
    this.#wants(this.#gate.trust(keys));
  }

  /** Why a pipeline that somebody asks for now would not be let in; null where it would be. */
  refusalOf(pipeline: WantedPipeline): string | null {
    return this.#gate.refusalOf(pipeline);
  }

  /** These files cannot be used; that is only shown. */
  refuse(files: readonly RefusedFile[]): void {
    this.#refused = files;
  }

  /** Lets nothing run for the time being, whatever is wanted; or everything again. It is remembered. */
  hold(held: boolean): void {
    if (held === this.#held) return;
    this.#held = held;
    this.#options.log.info(held ? "nothing is to run for the time being" : "what is wanted runs again");
    this.#writes.keep("that nothing is to run", () => this.#options.files.keepHeld(held));
    this.#lookSoon();
  }

  /**
   * Lets a pipeline, or a worker, that failed too often go again, as if it never had. One that has not failed is left as it
   * is: `fine`. Null where there is none of that name.
   */
  release(name: string): "released" | "fine" | null {
    return this.#release(name, "somebody lets it go again");
  }

  #release(name: string, reason: string): "released" | "fine" | null {
    const { pipelines, workers } = this.#memory;
    const meant = [...Object.keys(pipelines), ...Object.keys(workers)].filter((each) => isMeant(each, name));
    if (meant.length === 0) return null;
    const failed = meant.filter((each) => hasFailed(this.#memory, each));
    if (failed.length === 0) return "fine";
    this.#remember(failed.reduce(released, this.#memory));
    this.tell({ what: "released", name, reason });
    this.#lookSoon();
    return "released";
  }

  /** Calls `told` for what happens from here on; ends by the returned function. */
  onTold(told: (told: Told) => void): () => void {
    this.#listeners.add(told);
    return () => this.#listeners.delete(told);
  }

  /** Looks at once, and again and again. */
  start(): void {
    this.#wants(false);
    this.#lateness.note(this.#options.clock.elapsed());
    this.#endLooks = this.#options.clock.every(limits.supervisor_look_ms, () => {
      this.#lateness.note(this.#options.clock.elapsed());
      this.#lookSoon();
    });
    this.#lookSoon();
  }

  /** Notes something that happened, and tells who listens; `isLogged`: the log has it from before. */
  tell(happening: Happening, isLogged = false): void {
    const { clock, log } = this.#options;
    const told = { ...happening, at: clock.now() };
    this.#told.push(told);
    for (const listener of this.#listeners) listener(told);
    if (this.#told.length > limits.supervisor_happenings_max) this.#told.shift();
    if (isLogged) return;
    const text = `${happening.name} ${happening.what.replace("_", " ")}: ${happening.reason}`;
    if (isFine(happening)) log.info(text);
    else log.warn(text);
  }

  status(): SupervisorStatus {
    return statusOf({
      host: this.#options.host,
      driver: this.#options.driver.kind,
      driverFault: this.#driverFault,
      unkept: this.#writes.complaint,
      since: this.#since,
      now: this.#options.clock.elapsed(),
      held: this.#held,
      wanted: this.#gate.wanted,
      refused: [...this.#refused, ...this.#gate.refused],
      workers: this.#workers,
      heard: this.#hearing.heard,
      memory: this.#memory,
      unplaced: this.#unplaced,
      going: this.#going,
      told: this.#told,
    });
  }

  /** The end of what a worker said; null where there is none of that name. */
  async logs(worker: string, lines: number): Promise<readonly string[] | null> {
    const found = this.#workers?.find(({ name }) => name === worker);
    return found === undefined ? null : this.#options.driver.logs(found.id, lines);
  }

  /** Ends all workers, each when it has settled what it took. What is wanted is not forgotten: it is there at the next start. */
  async drain(): Promise<void> {
    this.#draining = true;
    for (;;) {
      this.#lookSoon();
      await this.#looking;
      await this.#hands.idle();
      // Whether it is looked again meanwhile does not matter: what was seen after all was done counts.
      if (this.#hands.busy.size === 0 && this.#workers?.length === 0) return;
      await sleep(this.#options.clock, limits.process_poll_ms);
    }
  }

  /** Ends looking. Workers run on. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#hearing.close();
    this.#endLooks();
    await this.#looking;
    this.#cancelDue();
  }

  /** Tells what may not run, and looks where what is wanted has changed. */
  #wants(isOther: boolean): void {
    for (const { name, reason, revision, isLogged } of this.#gate.takeRefusals())
      this.tell({ what: "refused", name, reason, ...(revision === null ? {} : { revision }) }, isLogged);
    if (isOther) this.#lookSoon();
  }

  #lookSoon(): void {
    if (this.#closed) return;
    this.#again = true;
    this.#looking ??= this.#lookWhileAsked().finally(() => {
      this.#looking = null;
    });
  }

  async #lookWhileAsked(): Promise<void> {
    while (this.#again && !this.#closed) {
      this.#again = false;
      try {
        await this.#look();
      } catch (error) {
        this.#options.log.error(`a look failed: ${messageOf(error)}`);
      }
    }
  }

  async #look(): Promise<void> {
    const { clock, random, capacity, revision, limits: bounds, scaling, memoryFree } = this.#options;
    // Asked before the driver is: what is being done now may be seen by it half done.
    const { busy } = this.#hands;
    const workers = await this.#list();
    this.#workers = workers;
    for (const each of workers ?? []) if (lives(each)) this.#hearing.ask(each.name);
    this.#going = this.#options.handovers?.look(this.#gate.wanted) ?? this.#going;
    const wanted = this.#draining || this.#held ? [] : this.#gate.wanted;
    const pipelines = wanted.filter(({ name }) => !this.#going.has(name)).flatMap(desiredOf);
    const { actions, happenings, unplaced, memory } = reconcile(
      { pipelines, worker: revision, limits: bounds, host: capacity, ...(scaling && { scaling }) },
      {
        workers,
        heard: this.#hearing.heard,
        assigned: this.#hands.assigned,
        busy: new Set([...busy, ...this.#hands.busy]),
        refused: this.#hands.takeRefused(),
        since: this.#since,
        late: this.#lateness.largest(),
        memoryFree: memoryFree(),
      },
      this.#gate.withTrusted(this.#memory),
      clock.elapsed(),
      random,
    );
    this.#writes.retry();
    this.#remember(memory);
    this.#unplaced = unplaced;
    for (const each of happenings) this.tell(each);
    this.#hands.carryOut(actions);
    this.#lookWhenDue(memory, clock.elapsed());
  }

  /** What waits for its back-off is not to wait for the next look as well. */
  #lookWhenDue({ pipelines, workers }: Memory, now: number): void {
    const waiting = [...Object.values(pipelines), ...Object.values(workers)].flatMap(({ restart }) =>
      restart.notBefore > now ? [restart.notBefore] : [],
    );
    this.#cancelDue();
    if (waiting.length > 0)
      this.#cancelDue = this.#options.clock.after(Math.min(...waiting) - now, () => this.#lookSoon());
  }

  async #list(): Promise<readonly ObservedWorker[] | null> {
    const { driver, log } = this.#options;
    try {
      const workers = this.#beginnings.told(await driver.list());
      if (this.#driverFault !== "") log.info("the driver answers again");
      this.#driverFault = "";
      return workers;
    } catch (error) {
      const fault = messageOf(error);
      if (fault !== this.#driverFault) log.error(`nothing is changed while the driver fails: ${fault}`);
      this.#driverFault = fault;
      return null;
    }
  }

  #textOf({ name, revision, attempt, term }: AssignmentKey): AssignedPipeline | null {
    const { pipeline } = instanceOf(name);
    const wanted = this.#gate.wanted.find(
      (each) => (each.name === name || each.name === pipeline) && each.revision === revision,
    );
    const kept = wanted ?? this.#gate.revision(pipeline, revision);
    if (kept === null) return null;
    const { forget, resumes } = wanted ?? {};
    return { name, revision, attempt, term, forget, resumes, file: kept.file, text: kept.text };
  }

  #remember(memory: Memory): void {
    this.#memory = memory;
    const text = memoryText(memory);
    if (text === this.#kept) return;
    this.#writes.keep("what is remembered", () => {
      this.#options.files.keepMemory(memory);
      if (!this.#draining && !this.#held) this.#options.files.forgetRevisions(this.#needed(memory));
    });
    this.#kept = text;
  }

  /** What was wanted or ran well last. */
  #needed(memory: Memory): ReadonlyMap<string, ReadonlySet<string>> {
    const needed = new Map<string, Set<string>>();
    for (const [name, { wanted, good }] of Object.entries(memory.pipelines)) {
      const { pipeline } = instanceOf(name);
      const others = needed.get(pipeline) ?? [];
      needed.set(pipeline, new Set([...others, wanted, ...(good === null ? [] : [good])]));
    }
    return needed;
  }
}

function isFine({ what }: Happening): boolean {
  return !["failed", "rolled_back", "quarantined", "refused", "apart", "doubled", "begun_anew"].includes(
    what,
  );
}
