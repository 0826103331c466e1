// What is remembered for each key: numbers, one array a number; a timer; and records, in a store that
// all keys share. Knows nothing of what any of it means.

import type { KeyedDeclaration, KeyedTable, KeyTable } from "../../operators/sdk/index.ts";
import { limits } from "../limits.ts";
import { makeKeyTable } from "./keys.ts";
import { Records } from "./records.ts";
import { TimerHeap } from "./timers.ts";

class Keyed implements KeyedTable {
  readonly keys: KeyTable;
  readonly timers: TimerHeap = new TimerHeap();
  readonly records: Records = new Records();
  cells: readonly Float64Array[];
  readonly #initial: readonly number[];

  constructor(declaration: KeyedDeclaration, keysMax: number) {
    this.keys = makeKeyTable(declaration.by, keysMax);
    this.#initial = declaration.initial;
    this.cells = declaration.initial.map((value) => new Float64Array(64).fill(value));
  }

  get held(): number {
    return this.records.held;
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
export function makeKeyedTable(declaration: KeyedDeclaration, keysMax: number = limits.keys_max): KeyedTable {
  return new Keyed(declaration, keysMax);
}
