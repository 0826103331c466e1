// Pipelines that take along what they keep from host to host. One whose turn ends here does not run any more, and is left once no
// worker has it; one whose turn begins runs once it has taken what the turn before left. Whose turn it is, the control centre
// decides; nothing else of the supervisor waits for any of it.

import type { Clock } from "../clock.ts";
import { backOff } from "../connect/back-off.ts";
import { messageOf } from "../errors.ts";
import { Handover, type HandoverFolders, type HandoverMarks, waitsForWorker } from "./handover.ts";
import type { Happening } from "./situation.ts";
import type { WantedPipeline } from "./wanted.ts";

export interface HandoversOptions {
  readonly host: string;
  readonly folders: HandoverFolders;
  /** Rejects while it cannot be reached. */
  readonly bucket: () => Promise<HandoverMarks>;
  readonly clock: Clock;
  readonly random: () => number;
}

/** One turn that begins or ends here. */
interface Going {
  readonly term: number;
  readonly leaves: boolean;
  isDone: boolean;
  attempt: number;
  /** Of the supervisor's clock. */
  notBefore: number;
  trouble: string;
}

export class Handovers {
  readonly #options: HandoversOptions;
  readonly #handover: Handover;
  readonly #going = new Map<string, Going>();
  /** Pipelines for which something is being done, one thing after the other. */
  readonly #busy = new Set<string>();
  #changed: () => void = () => undefined;
  #tell: (happening: Happening) => void = () => undefined;

  constructor(options: HandoversOptions) {
    this.#options = options;
    this.#handover = new Handover(options.host, options.folders);
  }

  /** `changed`: something may run now, or has left. */
  on(changed: () => void, tell: (happening: Happening) => void): void {
    this.#changed = changed;
    this.#tell = tell;
  }

  /** What may not run now of what is wanted, and why; does what is to be done for it. */
  look(wanted: readonly WantedPipeline[]): ReadonlyMap<string, string> {
    const held = new Map<string, string>();
    for (const pipeline of wanted) {
      const reason = this.#hold(pipeline);
      if (reason !== null) held.set(pipeline.name, reason);
    }
    const names = new Set(wanted.map(({ name }) => name));
    for (const name of this.#going.keys()) if (!names.has(name)) this.#going.delete(name);
    return held;
  }

  /** It is not this host's any more, and what it kept is where it can be. */
  hasLeft(name: string): boolean {
    const going = this.#going.get(name);
    return going?.leaves === true && going.isDone;
  }

  #hold(pipeline: WantedPipeline): string | null {
    const { name, term, leaves, carries } = pipeline;
    if (term === undefined || (leaves !== true && carries === undefined)) return null;
    if (leaves !== true && this.#options.folders.termOf(name) === term) return null;
    const going = this.#goingOf(pipeline);
    if (going.isDone && leaves !== true) return null;
    const what =
      leaves === true ? "what it keeps goes to its next host" : "it waits for what its host before kept";
    return going.trouble === "" ? what : `${what}: ${going.trouble}`;
  }

  #goingOf(pipeline: WantedPipeline): Going {
    const { name, term = 0, leaves = false } = pipeline;
    const known = this.#going.get(name);
    const going: Going =
      known?.term === term && known.leaves === leaves
        ? known
        : { term, leaves, isDone: false, attempt: 0, notBefore: 0, trouble: "" };
    this.#going.set(name, going);
    const isDue = !going.isDone && this.#options.clock.elapsed() >= going.notBefore;
    if (isDue && !this.#busy.has(name)) {
      this.#busy.add(name);
      void this.#go(pipeline, going).finally(() => this.#busy.delete(name));
    }
    return going;
  }

  async #go(pipeline: WantedPipeline, going: Going): Promise<void> {
    const { clock, random } = this.#options;
    try {
      const bucket = await this.#options.bucket();
      const outcome = await (pipeline.leaves === true
        ? this.#handover.leave(pipeline, bucket)
        : this.#handover.take(pipeline, bucket));
      going.trouble = typeof outcome === "string" ? outcome : "";
      going.isDone = typeof outcome !== "string";
      if (typeof outcome === "object" && outcome !== null) this.#tell({ name: pipeline.name, ...outcome });
    } catch (error) {
      going.trouble = messageOf(error);
    }
    // A worker lets go soon, and is asked for at each look.
    if (!going.isDone && going.trouble !== waitsForWorker)
      going.notBefore = clock.elapsed() + backOff(going.attempt++, random());
    if (going.isDone) this.#changed();
  }
}
