// The columns of an operator's output that adds some to its input, or puts some in the place of those of their names. Knows no
// values.

import type { Batch, Column, Schema } from "weir/sdk";

export class Carried {
  /** By column of the output: its place in the input, or `~place` among the added ones. */
  readonly #places: readonly number[];

  constructor(input: Schema, output: Schema, added: readonly string[]) {
    this.#places = output.fields.map(({ name }) => {
      const place = added.indexOf(name);
      return place >= 0 ? ~place : input.fields.findIndex((each) => each.name === name);
    });
  }

  /** The columns of the output. */
  with(added: readonly Column[], { columns }: Batch): Column[] {
    return this.#places.map((from) => (from < 0 ? added[~from]! : columns[from]!));
  }
}
