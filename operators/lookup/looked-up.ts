// The columns that a lookup adds, filled from the rows of a table. Their arrays are used again from batch
// to batch; texts are not copied, for a column refers to the table's own dictionary. Knows no keys.

import type { Batch, Column, ReferenceTable, Schema } from "weir/sdk";
import { Carried } from "../carried.ts";

type Values = Column["values"];

interface Target {
  values: Values;
  valid: Uint8Array;
}

export class LookedUp {
  readonly #carried: Carried;
  readonly #targets: (Target | null)[];

  constructor(input: Schema, output: Schema, added: readonly string[]) {
    this.#targets = added.map(() => null);
    this.#carried = new Carried(input, output, added);
  }

  /** The columns of the output: for the i-th selected record those of row `places[i]`, nulls where that is below 0. */
  columns(batch: Batch, table: ReferenceTable, places: Int32Array): Column[] {
    const added = table.columns.map((column, place) => this.#fill(place, column, batch, places));
    return this.#carried.with(added, batch);
  }

  #fill(place: number, column: Column, batch: Batch, places: Int32Array): Column {
    const target = this.#target(place, column.values, batch.rows);
    gather(target.values, column.values, target.valid, column.valid, batch, places);
    return { ...column, values: target.values, valid: target.valid } as Column;
  }

  #target(place: number, like: Values, rows: number): Target {
    const known = this.#targets[place]!;
    if (known !== null && known.valid.length >= rows) return known;
    const values = new (like.constructor as new (length: number) => Values)(rows);
    const target = { values, valid: new Uint8Array(rows) };
    this.#targets[place] = target;
    return target;
  }
}

function gather(
  values: { [row: number]: number | bigint },
  source: { readonly [row: number]: number | bigint },
  valid: Uint8Array,
  sourceValid: Uint8Array | null,
  { selection, count }: Batch,
  places: Int32Array,
): void {
  for (let i = 0; i < count; i++) {
    const row = selection[i]!;
    const place = places[i]!;
    if (place < 0 || (sourceValid !== null && sourceValid[place] === 0)) {
      valid[row] = 0;
      continue;
    }
    values[row] = source[place]!;
    valid[row] = 1;
  }
}
