// The loops around a closure: the slow twin of the generated ones, with the same results to the bit.

import type { Batch, Column } from "../../operators/sdk/index.ts";
import { closureOf, type RowFunction } from "./closure.ts";
import type { Kernel } from "./kernel.ts";
import { Output } from "./output.ts";
import type { Tree } from "./tree.ts";

export class ClosureKernel implements Kernel {
  readonly #run: RowFunction;
  readonly #output: Output;

  constructor(tree: Tree) {
    this.#run = closureOf(tree);
    this.#output = new Output(tree.type);
  }

  evaluate(batch: Batch): Column {
    const { columns, selection, count } = batch;
    const out = this.#output.begin(batch.rows);
    const { valid, texts } = this.#output;
    let nulls = 0;
    for (let i = 0; i < count; i++) {
      const row = selection[i]!;
      const value = this.#run(columns, row);
      valid[row] = value === null ? 0 : 1;
      if (value === null) nulls++;
      else if (typeof value === "string") out[row] = texts.code(value);
      else out[row] = typeof value === "boolean" ? Number(value) : value;
    }
    return this.#output.finish(nulls);
  }

  select(batch: Batch, rows: Uint32Array): number {
    const { columns, selection, count } = batch;
    let found = 0;
    for (let i = 0; i < count; i++) {
      const row = selection[i]!;
      if (this.#run(columns, row) === true) rows[found++] = row;
    }
    return found;
  }
}
