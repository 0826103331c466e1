// One column of kept records, indexed by slot. Texts get codes of a dictionary of its own, which is made
// anew when most of it is no longer in use. Knows nothing of records.

import type { Column, Dictionary } from "../../operators/sdk/index.ts";
import { makeColumn, TextDictionary } from "../batch/columns.ts";

type Values = Column["values"];

/** Texts that a dictionary may hold beyond twice as many as there are slots in use. */
const spareTexts = 1_024;

export class KeptColumn {
  readonly #type: Column["type"];
  #values: Values;
  #valid: Uint8Array;
  #texts: TextDictionary | null;
  /** The dictionary that came last, and by its codes, the own one + 1; 0 for none. */
  #source: Dictionary | null = null;
  #known = new Int32Array(0);

  constructor(type: Column["type"], slots: number) {
    this.#type = type;
    this.#texts = type === "string" || type === "json" ? new TextDictionary() : null;
    const { values, valid } = makeColumn(type, slots, this.#texts);
    this.#values = values;
    this.#valid = valid;
  }

  reserve(slots: number): void {
    this.#values = wider(this.#values, slots);
    this.#valid = wider(this.#valid, slots);
  }

  /** Keeps the values of `rows[i]` in `slots[i]`, for i below `count`. */
  keep({ values, valid, dictionary }: Column, rows: Uint32Array, slots: Uint32Array, count: number): void {
    if (valid === null) for (let i = 0; i < count; i++) this.#valid[slots[i]!] = 1;
    else for (let i = 0; i < count; i++) this.#valid[slots[i]!] = valid[rows[i]!]!;
    if (this.#texts !== null) this.#keepTexts(values as Int32Array, dictionary!, rows, slots, count);
    else if (this.#values instanceof Float64Array)
      copyNumbers(this.#values, slots, values as Float64Array, rows, count);
    else for (let i = 0; i < count; i++) this.#values[slots[i]!] = values[rows[i]!]!;
  }

  /** NaN for null. */
  number(slot: number): number {
    return this.#valid[slot] === 1 ? Number(this.#values[slot]) : Number.NaN;
  }

  /** The values of the slots, in that order. */
  gather(slots: readonly number[]): Column {
    const values = new (this.#values.constructor as new (length: number) => Values)(slots.length);
    const valid = new Uint8Array(slots.length);
    for (let i = 0; i < slots.length; i++) {
      values[i] = this.#values[slots[i]!]!;
      valid[i] = this.#valid[slots[i]!]!;
    }
    return this.#column(values, valid);
  }

  /** Makes the dictionary anew when that is worth it. `slots` are those in use. */
  renew(size: number, slots: () => readonly number[]): void {
    const before = this.#texts;
    if (before === null || before.size <= 2 * size + spareTexts) return;
    const texts = new TextDictionary();
    for (const slot of slots())
      if (this.#valid[slot] === 1) this.#values[slot] = texts.code(before.text(this.#values[slot] as number));
    this.#texts = texts;
    this.#source = null;
  }

  #column(values: Values, valid: Uint8Array): Column {
    return { type: this.#type, values, valid, dictionary: this.#texts } as Column;
  }

  #keepTexts(
    codes: Int32Array,
    source: Dictionary,
    rows: Uint32Array,
    slots: Uint32Array,
    count: number,
  ): void {
    if (source !== this.#source || this.#known.length < source.size) {
      const known = new Int32Array(Math.max(64, source.size * 2));
      if (source === this.#source) known.set(this.#known);
      [this.#source, this.#known] = [source, known];
    }
    const own = this.#values as Int32Array;
    for (let i = 0; i < count; i++) {
      const slot = slots[i]!;
      if (this.#valid[slot] === 0) continue;
      const code = codes[rows[i]!]!;
      if (this.#known[code] === 0) this.#known[code] = this.#texts!.code(source.text(code)) + 1;
      own[slot] = this.#known[code]! - 1;
    }
  }
}

function wider<T extends Values>(values: T, length: number): T {
  const copy = new (values.constructor as new (length: number) => T)(length);
  copy.set(values as never);
  return copy;
}

/** Apart from the other kinds of arrays, so that numbers are not made objects on their way. */
export function copyNumbers(
  target: Float64Array,
  to: Uint32Array,
  source: Float64Array,
  from: Uint32Array,
  count: number,
): void {
  for (let i = 0; i < count; i++) target[to[i]!] = source[from[i]!]!;
}
