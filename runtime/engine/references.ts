// The reference tables of one pipeline: new content goes to every step that reads the table, or, where one
// cannot use it, to none. Counts both. Reads nothing itself.

import type { ReferenceContent } from "../codec/reference/content.ts";
import { WeirError } from "../errors.ts";
import { lookupsOf, type PlannedLookup } from "../pipeline/lookups.ts";
import type { PipelinePlan } from "../pipeline/pipeline.ts";
import { LiveReference } from "./live-reference.ts";

export interface ReferenceStatus {
  /** The file or bucket. */
  readonly table: string;
  readonly rows: number;
  /** How often content was taken; 0 while there is none. */
  readonly loads: number;
  /** How often content could not be used. */
  readonly refused: number;
  /** What was wrong with the latest; null when it was taken. */
  readonly fault: { readonly message: string; readonly remedy: string } | null;
}

/** The tables of one step, by the setting that names each. */
export type LiveReferences = Readonly<Record<string, LiveReference>>;

export class References {
  readonly #readers: readonly { readonly lookup: PlannedLookup; readonly table: LiveReference }[];
  readonly #status = new Map<string, ReferenceStatus>();

  constructor(plan: PipelinePlan) {
    this.#readers = lookupsOf(plan).map((lookup) => ({
      lookup,
      table: new LiveReference(lookup.declaration),
    }));
    for (const { table } of this.#readers)
      this.#status.set(table.name, { table: table.name, rows: 0, loads: 0, refused: 0, fault: null });
  }

  /** The tables of the step called `label`, the same ones however often the step was made. */
  of(label: string): LiveReferences {
    const readers = this.#readers.filter(({ lookup }) => lookup.label === label);
    return Object.fromEntries(readers.map(({ lookup, table }) => [lookup.setting, table]));
  }

  replace(name: string, content: ReferenceContent): void {
    const before = this.#status.get(name);
    if (before === undefined) return;
    const tables = this.#readers.map(({ table }) => table).filter((table) => table.name === name);
    try {
      const decoded = tables.map((table) => table.decode(content));
      tables.forEach((table, place) => table.replace(decoded[place]!));
      this.#status.set(name, { ...before, rows: decoded[0]!.rows, loads: before.loads + 1, fault: null });
    } catch (error) {
      if (!(error instanceof WeirError)) throw error;
      const fault = { message: error.message, remedy: error.remedy ?? "" };
      this.#status.set(name, { ...before, refused: before.refused + 1, fault });
    }
  }

  status(): readonly ReferenceStatus[] {
    return [...this.#status.values()];
  }
}
