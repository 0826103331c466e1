// Distinct keys to dense ids. A key may have several parts; each part has its own table, and pairs of
// part ids are joined from the left, so that no text is ever built to name a composite key.
// Never forgets a key, and never holds more than it was told to.

import {
  type Batch,
  type Column,
  type ColumnReference,
  type ColumnType,
  type Dictionary,
  type KeyTable,
  noKey,
  type WritableColumn,
} from "../../operators/sdk/index.ts";
import type { TextDictionary } from "../batch/columns.ts";
import { limits } from "../limits.ts";

interface PartTable {
  readonly size: number;
  identify(batch: Batch, ids: Uint32Array): void;
  write(part: number, ids: Uint32Array, count: number, out: WritableColumn): void;
}

type KeyValue = string | number | bigint | null;

/** Keys of one column. Values are kept as they are; -0 and 0 are one key. */
class ColumnKeys implements PartTable {
  readonly #index: number;
  readonly #type: ColumnType;
  readonly #keysMax: number;
  readonly #ids = new Map<KeyValue, number>();
  readonly #values: KeyValue[] = [];
  /** By dictionary, id + 1 of each code met so far, 0 for none: a repeated text costs one array read. */
  readonly #known = new WeakMap<Dictionary, Int32Array>();

  constructor(column: ColumnReference, keysMax: number) {
    this.#index = column.index;
    this.#type = column.type;
    this.#keysMax = keysMax;
  }

  get size(): number {
    return this.#values.length;
  }

  identify(batch: Batch, ids: Uint32Array): void {
    const column = batch.columns[this.#index]!;
    if (column.type === "string" || column.type === "json") this.#identifyTexts(batch, column, ids);
    else this.#identifyValues(batch, column, ids);
  }

  #identifyTexts(batch: Batch, column: Extract<Column, { type: "string" | "json" }>, ids: Uint32Array): void {
    const { selection, count } = batch;
    const { values, valid, dictionary } = column;
    let known = this.#known.get(dictionary);
    if (known === undefined || known.length < dictionary.size) {
      const wider = new Int32Array(Math.max(16, dictionary.size * 2));
      if (known !== undefined) wider.set(known);
      known = wider;
      this.#known.set(dictionary, known);
    }
    // A repeated text without a null in sight, which is nearly every row, costs this loop alone.
    let unknown = valid === null ? 0 : 1;
    for (let i = 0; i < count; i++) {
      const found = known[values[selection[i]!]!]!;
      ids[i] = found - 1;
      if (found === 0) unknown = 1;
    }
    if (unknown === 0) return;
    for (let i = 0; i < count; i++) {
      const row = selection[i]!;
      if (valid !== null && valid[row] === 0) ids[i] = this.#id(null);
      else if (ids[i] === noKey) ids[i] = this.#learn(known, dictionary, values[row]!);
    }
  }

  #learn(known: Int32Array, dictionary: Dictionary, code: number): number {
    const found = known[code]!;
    if (found !== 0) return found - 1;
    const id = this.#id(dictionary.text(code));
    if (id !== noKey) known[code] = id + 1;
    return id;
  }

  #identifyValues(batch: Batch, column: Column, ids: Uint32Array): void {
    const { selection, count } = batch;
    const { values, valid } = column;
    for (let i = 0; i < count; i++) {
      const row = selection[i]!;
      ids[i] = this.#id(valid !== null && valid[row] === 0 ? null : values[row]!);
    }
  }

  #id(value: KeyValue): number {
    const found = this.#ids.get(value);
    if (found !== undefined) return found;
    if (this.#values.length >= this.#keysMax) return noKey;
    if (typeof value === "string" && Buffer.byteLength(value) > limits.key_bytes_max) return noKey;
    const id = this.#values.length;
    this.#ids.set(value, id);
    // -0 is found as 0, and so written back as 0.
    this.#values.push(value === 0 ? 0 : value);
    return id;
  }

  write(_part: number, ids: Uint32Array, count: number, out: WritableColumn): void {
    const dictionary = (out as unknown as Column).dictionary as TextDictionary | null;
    for (let i = 0; i < count; i++) {
      const value = this.#values[ids[i]!]!;
      if (value === null) out.valid[i] = 0;
      else if (this.#type === "string") out.values[i] = dictionary!.code(value as string);
      else out.values[i] = value as number;
    }
  }
}

/** A pair of ids is joined into one number; both stay far below 2^26. */
const pairFactor = 2 ** 26;

/** Keys of several columns: those of the left table joined with those of one more column. */
class JoinedKeys implements PartTable {
  readonly #left: PartTable;
  readonly #right: PartTable;
  readonly #rightPart: number;
  readonly #keysMax: number;
  readonly #ids = new Map<number, number>();
  readonly #pairs: number[] = [];
  #rightIds = new Uint32Array(0);

  constructor(left: PartTable, right: PartTable, rightPart: number, keysMax: number) {
    this.#left = left;
    this.#right = right;
    this.#rightPart = rightPart;
    this.#keysMax = keysMax;
  }

  get size(): number {
    return this.#pairs.length;
  }

  identify(batch: Batch, ids: Uint32Array): void {
    if (this.#rightIds.length < batch.count) this.#rightIds = new Uint32Array(batch.count * 2);
    this.#left.identify(batch, ids);
    this.#right.identify(batch, this.#rightIds);
    for (let i = 0; i < batch.count; i++) {
      const left = ids[i]!;
      const right = this.#rightIds[i]!;
      ids[i] = left === noKey || right === noKey ? noKey : this.#id(left * pairFactor + right);
    }
  }

  #id(pair: number): number {
    const found = this.#ids.get(pair);
    if (found !== undefined) return found;
    if (this.#pairs.length >= this.#keysMax) return noKey;
    const id = this.#pairs.length;
    this.#ids.set(pair, id);
    this.#pairs.push(pair);
    return id;
  }

  write(part: number, ids: Uint32Array, count: number, out: WritableColumn): void {
    const own = new Uint32Array(count);
    const right = part === this.#rightPart;
    for (let i = 0; i < count; i++) {
      const pair = this.#pairs[ids[i]!]!;
      own[i] = right ? pair % pairFactor : Math.floor(pair / pairFactor);
    }
    (right ? this.#right : this.#left).write(part, own, count, out);
  }
}

/** The one key of a table without key columns. */
class SingleKey implements PartTable {
  readonly size = 1;
  identify(batch: Batch, ids: Uint32Array): void {
    ids.fill(0, 0, batch.count);
  }
  write(): void {
    throw new RangeError("this table has no key column");
  }
}

/** A table for the keys of `by`, at most `keysMax` of them. */
export function makeKeyTable(by: readonly ColumnReference[], keysMax: number = limits.keys_max): KeyTable {
  let keys: PartTable | null = null;
  by.forEach((column, part) => {
    const own = new ColumnKeys(column, keysMax);
    keys = keys === null ? own : new JoinedKeys(keys, own, part, keysMax);
  });
  return keys ?? new SingleKey();
}
