// What the start of pipelines waits for just now, beside its connections: whoever asks a server again and again says so to
// the log that it was given, and is heard here on the way. Decides nothing.

import type { Log } from "../log.ts";

export class StartWaits {
  /** By who waits, in the order in which they began. */
  readonly #waits = new Map<string, string>();

  /** The log with an ear for waits. */
  heardOn(log: Log): Log {
    return {
      info: (message) => log.info(message),
      warn: (message) => log.warn(message),
      error: (message) => log.error(message),
      waits: (who, what) => {
        if (what === null) this.#waits.delete(who);
        else this.#waits.set(who, `${who}: ${what}`);
      },
    };
  }

  /** What is waited for of a stream of `names`; null where nothing is. */
  of(names: readonly string[]): string | null {
    const [, what] = [...this.#waits].find(([who]) => names.some((name) => who.endsWith(` ${name}`))) ?? [];
    return what ?? null;
  }

  /** The first that has not come yet; null where nothing is waited for. */
  get first(): string | null {
    return this.#waits.values().next().value ?? null;
  }
}
