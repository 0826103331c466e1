// What is remembered for each key: numbers, one array a number; a timer; and records, in a store that
// all keys share. Knows nothing of what any of it means.

import type { KeyedDeclaration, KeyedTable } from "../../operators/sdk/index.ts";
import { limits } from "../limits.ts";
import { type KeyedRows, type LastingKeys, makeKeyTable } from "./keys.ts";
import { type Lasting, listOf, member, numbersOf, packed, type Plain } from "./plain.ts";
import { Records } from "./records.ts";
import { TimerHeap } from "./timers.ts";

class Keyed implements KeyedTable, KeyedRows, Lasting {
  keys: LastingKeys;
  timers: TimerHeap = new TimerHeap();
  readonly records: Records = new Records();
  readonly closings = 0;
  cells: readonly Float64Array[];
  readonly #declaration: KeyedDeclaration;
  readonly #keysMax: number;

  constructor(declaration: KeyedDeclaration, keysMax: number, keys: LastingKeys) {
    this.#declaration = declaration;
    this.#keysMax = keysMax;
    this.keys = keys;
    this.cells = declaration.initial.map((value) => new Float64Array(64).fill(value));
  }

  get held(): number {
    return this.records.held;
  }

  get due(): number {
    return this.timers.next;
  }

  reserve(): void {
    const length = this.cells[0]?.length ?? 0;
    if (this.keys.size <= length) return;
    this.cells = this.cells.map((cell, place) => {
      const wider = new Float64Array(Math.max(this.keys.size, length * 2)).fill(
        this.#declaration.initial[place]!,
      );
      wider.set(cell);
      return wider;
    });
  }

  isOpen(): boolean {
    return false;
  }

  isKept(): boolean {
    return false;
  }

  forget(key: number): void {
    this.timers.clear(key);
    this.cells.forEach((cell, place) => {
      if (key < cell.length) cell[key] = this.#declaration.initial[place]!;
    });
  }

  /** With the keys only where no other table shares them. */
  snapshot(): Plain {
    this.reserve();
    return {
      keys: this.#declaration.lasting ? this.keys.snapshot() : null,
      cells: this.cells.map((cell) => packed(cell.subarray(0, this.keys.size))),
      timers: this.timers.snapshot(),
      records: this.records.snapshot(),
    };
  }

  restore(data: Plain): void {
    if (this.#declaration.lasting) this.keys.restore(member(data, "keys"));
    this.reserve();
    listOf(member(data, "cells"), this.cells.length).forEach((numbers, cell) =>
      this.cells[cell]!.set(numbersOf(numbers, this.keys.size)),
    );
    this.timers.restore(member(data, "timers"), this.keys.size);
    this.records.restore(member(data, "records"));
  }

  clear(): void {
    if (!this.#declaration.lasting) throw new RangeError("only a lasting table has its keys to itself");
    if (this.records.held > 0)
      throw new RangeError("records are kept in this table; send or discard them first");
    this.keys = makeKeyTable(this.#declaration.by, this.#keysMax);
    this.timers = new TimerHeap();
    this.cells.forEach((cell, place) => cell.fill(this.#declaration.initial[place]!));
  }
}

/** The table of a declaration, for at most `keysMax` keys. */
export function makeKeyedTable(
  declaration: KeyedDeclaration,
  keysMax: number = limits.keys_max,
  keys: LastingKeys = makeKeyTable(declaration.by, keysMax),
): KeyedTable & KeyedRows & Lasting {
  return new Keyed(declaration, keysMax, keys);
}
