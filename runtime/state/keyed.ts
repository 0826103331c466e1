// What is remembered for each key: numbers, one array a number or one for all; a timer; and records, in a
// store that all keys share. Knows nothing of what any of it means.

import type { KeyedDeclaration, KeyedTable } from "../../operators/sdk/index.ts";
import { limits } from "../limits.ts";
import { type KeyedRows, type LastingKeys, makeKeyTable } from "./keys.ts";
import { type Lasting, listOf, member, numbersOf, packed, type Plain } from "./plain.ts";
import { Records } from "./records.ts";
import { TimerHeap } from "./timers.ts";

/** Keys that there is room for at first. */
const keysFirst = 64;

class Keyed implements KeyedTable, KeyedRows, Lasting {
  keys: LastingKeys;
  timers: TimerHeap = new TimerHeap();
  readonly records: Records = new Records();
  readonly closings = 0;
  cells: readonly Float64Array[];
  readonly #declaration: KeyedDeclaration;
  readonly #keysMax: number;
  /** By array of `cells`, what it holds of a key that is new. */
  readonly #initial: readonly (readonly number[])[];

  constructor(declaration: KeyedDeclaration, keysMax: number, keys: LastingKeys) {
    this.#declaration = declaration;
    this.#keysMax = keysMax;
    this.keys = keys;
    const { initial, together } = declaration;
    this.#initial = together === true && initial.length > 0 ? [initial] : initial.map((value) => [value]);
    this.cells = this.#initial.map((numbers) => repeated(numbers, keysFirst));
  }

  get held(): number {
    return this.records.held;
  }

  get due(): number {
    return this.timers.next;
  }

  reserve(): void {
    if (this.cells.length === 0) return;
    const length = this.cells[0]!.length / this.#initial[0]!.length;
    if (this.keys.size <= length) return;
    this.cells = this.cells.map((cell, place) => {
      const wider = repeated(this.#initial[place]!, Math.max(this.keys.size, length * 2));
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
      const numbers = this.#initial[place]!;
      if (key * numbers.length < cell.length) cell.set(numbers, key * numbers.length);
    });
  }

  /** With the keys only where no other table shares them. */
  snapshot(): Plain {
    this.reserve();
    return {
      keys: this.#declaration.lasting ? this.keys.snapshot() : null,
      cells: this.cells.map((cell, place) => packed(cell.subarray(0, this.#used(place)))),
      timers: this.timers.snapshot(),
      records: this.records.snapshot(),
    };
  }

  restore(data: Plain): void {
    if (this.#declaration.lasting) this.keys.restore(member(data, "keys"));
    this.reserve();
    listOf(member(data, "cells"), this.cells.length).forEach((numbers, place) =>
      this.cells[place]!.set(numbersOf(numbers, this.#used(place))),
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
    this.cells.forEach((cell, place) => fill(cell, this.#initial[place]!));
  }

  /** How much of an array of `cells` belongs to keys that were met. */
  #used(place: number): number {
    return this.keys.size * this.#initial[place]!.length;
  }
}

/** `numbers` for each key of an array. */
function fill(cell: Float64Array, numbers: readonly number[]): void {
  if (numbers.length === 1) cell.fill(numbers[0]!);
  else for (let at = 0; at < cell.length; at += numbers.length) cell.set(numbers, at);
}

/** `numbers` for each of as many keys. */
function repeated(numbers: readonly number[], keys: number): Float64Array {
  const cell = new Float64Array(keys * numbers.length);
  fill(cell, numbers);
  return cell;
}

/** The table of a declaration, for at most `keysMax` keys. */
export function makeKeyedTable(
  declaration: KeyedDeclaration,
  keysMax: number = limits.keys_max,
  keys: LastingKeys = makeKeyTable(declaration.by, keysMax),
): KeyedTable & KeyedRows & Lasting {
  return new Keyed(declaration, keysMax, keys);
}
