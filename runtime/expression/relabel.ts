// A text made of one string column, such as lowerAscii(device): one text for each distinct text, so
// that a row costs one look-up from code to code. Serves the code back end.

import type { Batch, Column, Dictionary } from "../../operators/sdk/index.ts";
import type { TextDictionary } from "../batch/columns.ts";
import type { Kernel } from "./kernel.ts";
import type { LiftedTable } from "./lift.ts";
import { Output } from "./output.ts";

/** Stands for null among the codes. */
const none = -1;

export class RelabelKernel implements Pick<Kernel, "evaluate"> {
  readonly #table: LiftedTable;
  readonly #output = new Output("string");
  // What the codes translate between; they are made anew when either is another one.
  #from: Dictionary | undefined;
  #to: TextDictionary | undefined;
  #codes: number[] = [];

  constructor(table: LiftedTable) {
    this.#table = table;
  }

  evaluate(batch: Batch): Column {
    const input = batch.columns[this.#table.index]!;
    if (input.type !== "string") throw new TypeError(`expected a string column, got ${input.type}`);
    const out = this.#output.begin(batch.rows);
    const { valid, texts } = this.#output;
    const codes = this.#translated(input.dictionary, texts);
    const { ofNull } = this.#table;
    const codeOfNull = typeof ofNull === "string" ? texts.code(ofNull) : none;
    let nulls = 0;
    for (let i = 0; i < batch.count; i++) {
      const row = batch.selection[i]!;
      const there = input.valid === null || input.valid[row] === 1;
      const code = there ? codes[input.values[row]!]! : codeOfNull;
      out[row] = code;
      if (code === none) nulls++;
      valid[row] = code === none ? 0 : 1;
    }
    return this.#output.finish(nulls);
  }

  #translated(from: Dictionary, to: TextDictionary): readonly number[] {
    if (from !== this.#from || to !== this.#to) this.#codes = [];
    this.#from = from;
    this.#to = to;
    const results = this.#table.lookup(from);
    for (let code = this.#codes.length; code < from.size; code++) {
      const text = results[code];
      this.#codes.push(typeof text === "string" ? to.code(text) : none);
    }
    return this.#codes;
  }
}
