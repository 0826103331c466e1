// A few numbers for each key, in one array a number. Knows nothing of what they mean.

import type { KeyTable, ValueDeclaration, ValueTable } from "../../operators/sdk/index.ts";
import { limits } from "../limits.ts";
import { makeKeyTable } from "./keys.ts";

class Values implements ValueTable {
  readonly keys: KeyTable;
  readonly held = 0;
  cells: readonly Float64Array[];
  readonly #initial: readonly number[];

  constructor(declaration: ValueDeclaration, keysMax: number) {
    this.keys = makeKeyTable(declaration.by, keysMax);
    this.#initial = declaration.initial;
    this.cells = declaration.initial.map((value) => new Float64Array(64).fill(value));
  }

  reserve(): void {
    const length = this.cells[0]?.length ?? 0;
    if (this.keys.size <= length) return;
    this.cells = this.cells.map((cell, place) => {
      const wider = new Float64Array(Math.max(this.keys.size, length * 2)).fill(this.#initial[place]!);
      wider.set(cell);
      return wider;
    });
  }
}

/** The table of a declaration, for at most `keysMax` keys. */
export function makeValueTable(declaration: ValueDeclaration, keysMax: number = limits.keys_max): ValueTable {
  return new Values(declaration, keysMax);
}
