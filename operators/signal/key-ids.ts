// The ids of a batch's keys, in an array that is used again from batch to batch. Allocation only.

import { type Batch, type Column, type KeyedTable, noKey } from "weir/sdk";

/** `noKey` as a signed number: comparing an id with `noKey` itself would make a float64 of every id. */
export const noKeySigned: number = noKey | 0;

export class KeyIds {
  #ids = new Uint32Array(0);

  /** By place in the batch's selection, the id of the row's key. Makes room in `table` for all of them. */
  of(table: KeyedTable, batch: Batch): Uint32Array {
    if (this.#ids.length < batch.count) this.#ids = new Uint32Array(batch.count);
    table.keys.identify(batch, this.#ids);
    table.reserve();
    return this.#ids;
  }
}

/** A column's values as float64, whatever kind of number it holds; converted into an array that is used again. */
export class Numbers {
  #converted = new Float64Array(0);

  of(column: Column, { selection, count, rows }: Batch): Float64Array {
    if (column.values instanceof Float64Array) return column.values;
    if (this.#converted.length < rows) this.#converted = new Float64Array(rows);
    for (let i = 0; i < count; i++) {
      const row = selection[i]!;
      this.#converted[row] = Number(column.values[row]);
    }
    return this.#converted;
  }
}
