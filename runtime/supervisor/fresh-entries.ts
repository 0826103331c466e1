// Entries that a device has been given so short a time ago that it may run them and not have said so yet. What is moved on in that
// moment is not to be taken for something that runs nowhere. By a clock that nobody sets; keeps nothing else.

import { limits } from "../limits.ts";
import type { TurnEntry } from "./fleet.ts";

export class FreshEntries {
  /** By entry, when it was first seen; null once its device has said that it runs it. */
  #seen: ReadonlyMap<string, number | null> = new Map();

  /** What devices run: what they say, and what they may run and not have said. Devices that cannot be heard are left out. */
  runs(
    entries: readonly TurnEntry[],
    said: ReadonlyMap<string, ReadonlySet<string>>,
    now: number,
  ): ReadonlyMap<string, ReadonlySet<string>> {
    const seen = new Map<string, number | null>();
    const runs = new Map([...said].map(([host, names]) => [host, new Set(names)]));
    for (const { host, name, term } of entries) {
      const key = `${host} ${name} ${term}`;
      const isSaid = said.get(host)?.has(name) === true;
      const since = isSaid ? null : (this.#seen.get(key) ?? (this.#seen.has(key) ? null : now));
      seen.set(key, since);
      if (since !== null && now - since < limits.control_entry_fresh_ms) runs.get(host)?.add(name);
    }
    this.#seen = seen;
    return runs;
  }
}
