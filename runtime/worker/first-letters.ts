// Says in the log why the first record of its kind was left out, so that nobody has to look for a dead letter to
// learn that a field is of another type. Never says what the record held, and never a line for each record.

import type { DeadLetter } from "../engine/dead-letter.ts";
import { limits } from "../limits.ts";
import type { Log } from "../log.ts";

/** Of all pipelines of a worker. */
export class FirstLetters {
  readonly #log: Log;
  readonly #said = new Set<string>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** `kept`: the pipeline has a dead letter. */
  see(pipeline: string, kept: boolean, { step, reason, detail, subject }: DeadLetter): void {
    if (this.#said.size >= limits.first_letters_said_max) return;
    const kind = JSON.stringify([pipeline, step, reason]);
    if (this.#said.has(kind)) return;
    this.#said.add(kind);
    const from = subject === "" ? "" : ` (from ${subject})`;
    // An operator may quote a value there; the dead letter has it all.
    const told = detail.replaceAll(/"(?:[^"\\]|\\.)*"/g, '"…"');
    const more = kept ? "the dead letter has it" : "dead_letter: in the file would keep it";
    this.#log.warn(
      `${pipeline}: a record is left out at ${step}: ${reason}: ${told}${from}; ${more}, further ones are counted`,
    );
  }
}
