// The state of one engine as what has changed since it was last asked for, with when that was. Knows neither where
// changes are kept nor when they are asked for.

import { messageOf, WeirError } from "../errors.ts";
import { applyChange, StateShadow } from "../state/change.ts";
import { damaged, type Plain } from "../state/plain.ts";
import { limits } from "../limits.ts";
import type { PipelineEngine } from "./pipeline-engine.ts";
import type { PipelineStatus } from "./status.ts";

/** Before each change, when it was made by the clock that nobody sets, ms: a number of eight bytes, little-endian. */
const stampBytes = 8;

export class Checkpoints {
  readonly #engine: PipelineEngine;
  /** A copy of the state as it was at the last checkpoint. */
  #shadow = new StateShadow();
  /** When that was. */
  #made = 0;
  /** How large it was when that was last looked at, and when. */
  #bytes: number | null = null;
  #looked = Number.NEGATIVE_INFINITY;

  constructor(engine: PipelineEngine) {
    this.#engine = engine;
  }

  /** What has changed since the last one; null where nothing has. Between calls of the engine only. */
  take(elapsed: number): Uint8Array<ArrayBuffer> | null {
    this.#made = elapsed;
    const change = this.#shadow.change(this.#engine.tree(), stampBytes);
    if (elapsed - this.#looked >= limits.state_size_look_ms) {
      this.#looked = elapsed;
      this.#bytes = this.#shadow.bytes;
    }
    return stamped(change, elapsed);
  }

  /** What the engine says of its pipeline, with how large its state is. */
  status(): PipelineStatus {
    const status = this.#engine.status();
    return this.#bytes === null ? status : { ...status, state_bytes: this.#bytes };
  }

  /** All that was taken so far as one; null before the first. Of the last checkpoint, whatever the engine did since. */
  whole(): Uint8Array<ArrayBuffer> | null {
    return stamped(this.#shadow.whole(stampBytes), this.#made);
  }

  /**
   * Goes on where these were taken, of an engine with the same plan. Where it throws, the engine is as it was. `areGiven`:
   * nobody else looks at their memory any more.
   */
  restore(changes: readonly Uint8Array[], elapsed: number, areGiven: boolean = false): void {
    if (changes.length === 0) return;
    let tree: Plain = null;
    let made = Number.NaN;
    try {
      for (const change of changes) {
        made = madeOf(change);
        tree = applyChange(tree, change.subarray(stampBytes), areGiven);
      }
      this.#engine.restoreTree(tree, elapsed - made);
    } catch (error) {
      throw named(this.#engine.plan.name, error);
    }
    this.#shadow = new StateShadow(tree);
    this.#made = made;
  }
}

/** For state of a pipeline that a runner does not run. */
export function notHere(pipeline: string): WeirError {
  return new WeirError("WEIR_STATE", `there is state of pipeline ${pipeline}, which does not run here`, {
    remedy: "run it with the others again, or leave its state out",
  });
}

function stamped(change: Uint8Array<ArrayBuffer> | null, made: number): Uint8Array<ArrayBuffer> | null {
  if (change !== null) new DataView(change.buffer).setFloat64(0, made, true);
  return change;
}

function madeOf({ buffer, byteOffset, length }: Uint8Array): number {
  const made = length < stampBytes ? Number.NaN : new DataView(buffer, byteOffset).getFloat64(0, true);
  if (!Number.isFinite(made)) throw damaged("expected when it was made");
  return made;
}

/** What went wrong, with the pipeline that it is about. */
function named(name: string, error: unknown): WeirError {
  if (!(error instanceof WeirError)) throw error;
  const { code, message, remedy } = error;
  return new WeirError(code, message.includes(name) ? message : `pipeline ${name}: ${messageOf(error)}`, {
    ...(remedy === undefined ? {} : { remedy }),
    cause: error,
  });
}
