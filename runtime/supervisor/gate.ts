// Lets in what may run on a host: where keys are trusted, only what one of them has signed, whether somebody asks for it now or it
// was on the disk. What is refused takes nothing away that was accepted before. Without keys everything may run, and
// signatures are carried along. Starts and ends nothing.

import type { Clock } from "../clock.ts";
import { instanceOf } from "../instance.ts";
import { limits } from "../limits.ts";
import type { Log } from "../log.ts";
import { admit, admitAll, type Asked, type Newest, type Refusal } from "./admission.ts";
import type { KeptWrites } from "./kept-writes.ts";
import type { Memory, PipelineMemory } from "./memory.ts";
import { accepting, nothingAccepted, type TrustedKeys, verify, verifyAgain } from "./signature.ts";
import type { KeptRevision, SupervisorFiles } from "./supervisor-files.ts";
import { type RefusedFile, revisionMark, type WantedPipeline } from "./wanted.ts";

export interface GateOptions {
  readonly host: string;
  /** Null where nothing has to be signed. */
  readonly keys: TrustedKeys | null;
  readonly files: SupervisorFiles;
  readonly writes: KeptWrites;
  readonly clock: Clock;
  readonly log: Log;
}

/** What may begin anew, or leaves, is no other revision, but counts as well. */
function markOf(pipelines: readonly WantedPipeline[]): string {
  const markOfOne = (each: WantedPipeline): string => {
    const marks = `${each.forget === true ? "!" : ""}${each.leaves === true ? "-" : ""}`;
    return `${each.name}@${revisionMark(each)}~${each.term ?? ""}${marks}`;
  };
  return pipelines.map(markOfOne).sort().join(" ");
}

export class Gate {
  readonly #options: GateOptions;
  #keys: TrustedKeys | null;
  #asked: Asked;
  #newest: Newest;
  #wanted: readonly WantedPipeline[] = [];
  #refused: readonly Refusal[] = [];
  /** Not told yet. */
  #fresh: readonly Refusal[] = [];
  readonly #logged = new Set<string>();

  /** What is on the disk is judged as if somebody asked for it. */
  constructor(options: GateOptions) {
    const { files, keys, log } = options;
    this.#options = options;
    this.#keys = keys;
    const { pipelines, damaged } = files.wanted() ?? { pipelines: [], damaged: [] };
    this.#asked = { pipelines, unreadable: damaged.map((reason) => ({ name: "wanted.json", reason })) };
    const accepted = files.accepted();
    if (accepted === null && keys !== null)
      log.warn("accepted.json cannot be read: what was accepted before counts as far as it is wanted still");
    this.#newest = accepted ?? this.#acceptedIn(pipelines);
    this.#take(false);
  }

  get wanted(): readonly WantedPipeline[] {
    return this.#wanted;
  }

  /** What is asked for and may not run, for whoever looks. */
  get refused(): readonly RefusedFile[] {
    return this.#refused.map(({ file, name, reason }) => ({ file: file ?? name, name, reason }));
  }

  /** From here on these are asked for; true where what is wanted has changed. */
  ask(asked: Asked): boolean {
    const mark = ({ pipelines, unreadable }: Asked): string =>
      `${markOf(pipelines)} ${JSON.stringify(unreadable)}`;
    return mark(asked) !== mark(this.#asked) && this.#judge(asked, true);
  }

  /** From here on these keys are trusted; true where what is wanted has changed. */
  trust(keys: TrustedKeys): boolean {
    const ids = [...keys.keys()].sort().join(", ");
    if (this.#keys === null || ids === [...this.#keys.keys()].sort().join(", ")) return false;
    this.#options.log.info(`trusted from here on: ${ids}`);
    this.#keys = keys;
    return this.#judge(this.#asked, false);
  }

  /** What was refused since this was asked last; `isLogged`: the log has it already. */
  takeRefusals(): readonly (Refusal & { readonly isLogged: boolean })[] {
    const fresh = this.#fresh;
    this.#fresh = [];
    return fresh.map((each) => {
      const line = JSON.stringify(each);
      const isLogged = this.#logged.has(line);
      if (this.#logged.size >= limits.refusals_logged_max) this.#logged.clear();
      this.#logged.add(line);
      return { ...each, isLogged };
    });
  }

  /** Why somebody who asks for a pipeline now would be refused; null where it would be accepted. */
  refusalOf(pipeline: WantedPipeline): string | null {
    const { host, clock } = this.#options;
    if (this.#keys === null) return null;
    const accepted = this.#newest.get(pipeline.name) ?? nothingAccepted;
    return verify(pipeline, { host, keys: this.#keys, now: clock.now(), accepted }).refusal;
  }

  /** A revision that was accepted once, as it is kept; null where it is not, or may not run any more. */
  revision(name: string, revision: string): KeptRevision | null {
    const kept = this.#options.files.revision(name, revision);
    if (kept === null || this.#keys === null) return kept;
    const { host } = this.#options;
    return verifyAgain({ name, ...kept }, { host, keys: this.#keys }).refusal === null ? kept : null;
  }

  /** The memory without good revisions that may not run any more, so that nothing goes back to one of them. */
  withTrusted(memory: Memory): Memory {
    if (this.#keys === null) return memory;
    const known = new Map<string, boolean>();
    const isTrusted = (pipeline: string, revision: string): boolean => {
      const key = `${pipeline} ${revision}`;
      const found = known.get(key) ?? this.revision(pipeline, revision) !== null;
      known.set(key, found);
      return found;
    };
    const isDoubtful = ({ good, wanted }: PipelineMemory): boolean => good !== null && good !== wanted;
    const lost = Object.entries(memory.pipelines).filter(
      ([name, each]) => isDoubtful(each) && !isTrusted(instanceOf(name).pipeline, each.good!),
    );
    if (lost.length === 0) return memory;
    const without = lost.map(([name, each]) => [name, { ...each, good: null }] as const);
    return { ...memory, pipelines: { ...memory.pipelines, ...Object.fromEntries(without) } };
  }

  #judge(asked: Asked, isVerified: boolean): boolean {
    const before = markOf(this.#wanted);
    this.#asked = asked;
    this.#take(isVerified);
    const { files, writes } = this.#options;
    if (before === markOf(this.#wanted)) return false;
    const wanted = this.#wanted;
    writes.keep("what is wanted", () => files.keepWanted(wanted));
    return true;
  }

  /**
   * Judges what is asked for, and keeps what was accepted before anything of it may run. `isVerified`: what is wanted was by
   * the keys of now.
   */
  #take(isVerified: boolean): void {
    const { host, clock, files, writes } = this.#options;
    const keys = this.#keys;
    const { wanted, refused, newest } =
      keys === null
        ? { ...admitAll(this.#asked, this.#wanted), newest: this.#newest }
        : admit(this.#asked, this.#wanted, this.#newest, { host, keys, now: clock.now() }, isVerified);
    const before = new Set(this.#refused.map((each) => JSON.stringify(each)));
    const fresh = refused.filter((each) => !before.has(JSON.stringify(each)));
    this.#fresh = [...this.#fresh, ...fresh].slice(-limits.supervisor_happenings_max);
    this.#refused = refused;
    this.#wanted = wanted;
    if (newest === this.#newest) return;
    this.#newest = newest;
    writes.keep("what was accepted last", () => files.keepAccepted(newest));
  }

  /** What is signed well counts as accepted, because it was wanted. */
  #acceptedIn(pipelines: readonly WantedPipeline[]): Newest {
    const { host, keys } = this.#options;
    const accepted = pipelines.flatMap((each) => {
      const { signature } = keys === null ? { signature: null } : verifyAgain(each, { host, keys });
      return signature === null
        ? []
        : [[instanceOf(each.name).pipeline, accepting(signature, nothingAccepted)] as const];
    });
    return new Map(accepted);
  }
}
