// What was aggregated where records were decoded, merged into the panes of a window: rows that hold the cells of
// each aggregate, as partial.ts makes them. Finds no slot and sends nothing.

import type { AggregateState, Batch, Column, ColumnReference, Schema } from "weir/sdk";
import type { Present } from "./aggregates/present.ts";
import type { Adder } from "./filler.ts";
import type { Grouping } from "./kind.ts";

/** The columns of such rows: the key, then the cells of each kept aggregate. */
export function partialSchema({ by, shared }: Grouping): Schema {
  const cells = shared.kept.flatMap(({ initial }) => initial);
  return {
    fields: [
      ...by.map(({ name, type }) => ({ name, type })),
      ...cells.map((_, cell) => ({ name: `cell ${cell}`, type: "float64" as const })),
    ],
    rest: null,
  };
}

export class Merging implements Adder {
  readonly #by: readonly ColumnReference[];
  readonly #kept: Grouping["shared"]["kept"];
  readonly #states: readonly AggregateState[];
  /** Where the cells begin among the columns of a batch that was placed. */
  readonly #firstCell: number;

  constructor({ by, shared }: Grouping, states: readonly AggregateState[]) {
    this.#by = by;
    this.#kept = shared.kept;
    this.#states = states;
    this.#firstCell = Math.max(0, ...by.map(({ index }) => index + 1));
  }

  /** Such a batch with the columns of its key where records have them. */
  placed(batch: Batch): Batch {
    const columns: Column[] = [];
    this.#by.forEach(({ index }, place) => (columns[index] = batch.columns[place]!));
    for (let place = this.#by.length; place < batch.columns.length; place++)
      columns[this.#firstCell + place - this.#by.length] = batch.columns[place]!;
    return { ...batch, columns };
  }

  evaluate({ columns }: Batch): readonly Column[] {
    return columns.slice(this.#firstCell);
  }

  add(_batch: Batch, columns: readonly Column[], { slots, rows, count }: Present): void {
    let cell = 0;
    for (const [place, aggregate] of this.#kept.entries()) {
      const cells = aggregate.initial.map(() => columns[cell++]!.values as Float64Array);
      const [target, source] = [this.#states[place]!, { cells, buffers: [] }];
      for (let i = 0; i < count; i++) aggregate.merge(target, slots[i]!, source, rows[i]!);
    }
  }
}
