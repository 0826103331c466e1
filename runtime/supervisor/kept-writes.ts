// Writes down what is to be remembered, again and again until the disk takes it: a full one costs that, and ends nothing.

import { messageOf } from "../errors.ts";
import type { Log } from "../log.ts";

export class KeptWrites {
  readonly #log: Log;
  readonly #due = new Map<string, () => void>();
  /** By what it is about. */
  readonly #complaints = new Map<string, string>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** Writes now, or with a later `retry`. What is written of the same thing later takes its place. */
  keep(what: string, write: () => void): void {
    this.#due.set(what, write);
    this.#try(what, write);
  }

  /** Tries again what could not be written yet. */
  retry(): void {
    for (const [what, write] of this.#due) this.#try(what, write);
  }

  /** What cannot be kept just now, and why; null where all is. */
  get complaint(): string | null {
    return this.#complaints.values().next().value ?? null;
  }

  #try(what: string, write: () => void): void {
    try {
      write();
      this.#due.delete(what);
      if (this.#complaints.delete(what)) this.#log.info(`${what} is kept again`);
    } catch (error) {
      const complaint = `${what} cannot be kept: ${messageOf(error)}`;
      if (!this.#complaints.has(what)) this.#log.error(complaint);
      this.#complaints.set(what, complaint);
    }
  }
}
