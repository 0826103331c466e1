// Distinct keys to dense ids. A key may have several columns; its values are kept as words of 32 bits, and
// no text is ever made of them but to write them out. Never holds more keys than it was told to.

import {
  type Batch,
  type ColumnReference,
  type Dictionary,
  type KeyTable,
  noKey,
  type WritableColumn,
} from "../../operators/sdk/index.ts";
import { allRows } from "../batch/batch.ts";
import { limits } from "../limits.ts";
import { blockRows, type KeyBlock, keyBlock } from "./key-block.ts";
import { KeyIndex } from "./key-index.ts";
import { type KeyPart, keyPartOf, partWordsMax, type TextPart, tooLong } from "./key-parts.ts";
import type { Lasting, Plain } from "./plain.ts";
import { WrittenCodes } from "./written-codes.ts";

/** A key table that outlives its process: its snapshot holds the values of the keys by id. */
export type LastingKeys = KeyTable & Lasting;

/** A table with something for each key. */
export interface KeyedRows {
  /** True while a window of the key is open, so that it may not be forgotten. */
  isOpen(key: number): boolean;
  /** How many windows have closed so far. */
  readonly closings: number;
  /** True while something is kept of the key that the operator has to let go of first. */
  isKept(key: number): boolean;
  /** What is kept of the key becomes what it was at first. */
  forget(key: number): void;
}

/** With so few keys among so many texts, as where each key has a clock and tables of its own, texts are not remembered by their code. */
const fewKeys = 4;
const manyTexts = 256;
/**
 * Where a new dictionary has a text for more than this share of a batch's rows, all rows are looked up, and nothing is
 * remembered: the next batch may well have a new one again.
 */
const mostlyOnce = 1 / 2;

export class Keys implements LastingKeys {
  readonly #parts: readonly KeyPart[];
  /** Of each part. */
  readonly #written: readonly WrittenCodes[];
  readonly #keysMax: number;
  /** The column of the only part, when that is text. */
  readonly #text: number | null;
  readonly #index: KeyIndex;
  /** Of the dictionary met last, id + 1 of each code met so far, 0 for none: a repeated text costs one array read. */
  #known = new Int32Array(0);
  #dictionary: Dictionary | null = null;
  #adds = true;
  /** Places in the selection whose keys have to be looked up. */
  #pending = new Uint32Array(0);

  constructor(by: readonly ColumnReference[], keysMax: number) {
    this.#parts = by.map(keyPartOf);
    this.#written = by.map(() => new WrittenCodes());
    this.#keysMax = keysMax;
    this.#index = new KeyIndex((words, at) => {
      for (const part of this.#parts) at = part.end(words, at);
      return at;
    });
    const [first] = by;
    const isText = by.length === 1 && (first?.type === "string" || first?.type === "json");
    this.#text = isText ? first!.index : null;
  }

  get size(): number {
    return this.#index.size;
  }

  /** True when a new key would find no room. */
  get full(): boolean {
    return this.#index.count >= this.#keysMax;
  }

  has(key: number): boolean {
    return this.#index.words.has(key);
  }

  /** True when the row has a key that the table may hold. */
  accepts(batch: Batch, row: number): boolean {
    for (const part of this.#parts) part.begin(batch);
    return this.#encode(row, 0, this.#block()) !== tooLong;
  }

  /** Takes a key out; its id may be given again. */
  forget(key: number): void {
    this.#index.remove(key);
    for (const written of this.#written) written.forget(key);
    this.#dictionary = null;
  }

  identify(batch: Batch, ids: Uint32Array): void {
    this.#adds = true;
    this.#identify(batch, ids);
  }

  /** As `identify`, but adds no key: `noKey` for those that the table has not. */
  find(batch: Batch, ids: Uint32Array): void {
    this.#adds = false;
    this.#identify(batch, ids);
  }

  #identify(batch: Batch, ids: Uint32Array): void {
    if (this.#pending.length < batch.count) this.#pending = new Uint32Array(batch.count * 2);
    if (this.#text === null) this.#lookUp(batch, allRows(batch.count), batch.count, ids);
    else this.#identifyTexts(batch, this.#text, ids);
  }

  #identifyTexts(batch: Batch, index: number, ids: Uint32Array): void {
    const { selection, count } = batch;
    const { values, valid, dictionary } = batch.columns[index]! as {
      values: Int32Array;
      valid: Uint8Array | null;
      dictionary: Dictionary;
    };
    if (this.#index.count <= fewKeys && dictionary.size >= manyTexts) {
      this.#identifyRuns(batch, values, valid, ids);
      return;
    }
    const isNew = this.#dictionary !== dictionary;
    const known = this.#knownOf(dictionary);
    if (isNew && valid === null && dictionary.size > count * mostlyOnce) {
      this.#lookUp(batch, allRows(count), count, ids);
      return;
    }
    // A repeated text without a null in sight, which is nearly every row, costs this loop alone.
    let unknown = valid === null ? 0 : 1;
    for (let i = 0; i < count; i++) {
      const found = known[values[selection[i]!]!]!;
      ids[i] = found - 1;
      if (found === 0) unknown = 1;
    }
    if (unknown === 0) return;
    const pending = this.#pending;
    let pendingCount = 0;
    for (let i = 0; i < count; i++) {
      const row = selection[i]!;
      if (valid !== null && valid[row] === 0) pending[pendingCount++] = i;
      else if (known[values[row]!] === 0) {
        pending[pendingCount++] = i;
        // Looked up once, however often it stands in the batch.
        known[values[row]!] = -1;
      }
    }
    this.#lookUp(batch, pending, pendingCount, ids);
    for (let p = 0; p < pendingCount; p++) {
      const row = selection[pending[p]!]!;
      if (valid === null || valid[row] !== 0) known[values[row]!] = (ids[pending[p]!]! + 1) | 0;
    }
    for (let i = 0; i < count; i++) {
      const row = selection[i]!;
      if (valid === null || valid[row] !== 0) ids[i] = known[values[row]!]! - 1;
    }
  }

  /** Looks each run of equal texts up: a table of hardly any keys does without an entry for each text that there is. */
  #identifyRuns(batch: Batch, values: Int32Array, valid: Uint8Array | null, ids: Uint32Array): void {
    const { selection, count } = batch;
    const pending = this.#pending;
    const codeAt = (i: number): number => (valid?.[selection[i]!] === 0 ? -1 : values[selection[i]!]!);
    let runs = 0;
    for (let i = 0; i < count; i++) if (i === 0 || codeAt(i) !== codeAt(i - 1)) pending[runs++] = i;
    this.#lookUp(batch, pending, runs, ids);
    for (let i = 0, run = -1; i < count; i++) {
      if (run + 1 < runs && pending[run + 1] === i) run++;
      ids[i] = ids[pending[run]!]!;
    }
  }

  #knownOf(dictionary: Dictionary): Int32Array {
    if (this.#dictionary !== dictionary) {
      this.#dictionary = dictionary;
      this.#known.fill(0);
    }
    if (this.#known.length < dictionary.size) {
      const longer = new Int32Array(Math.max(16, dictionary.size * 2));
      longer.set(this.#known);
      this.#known = longer;
    }
    return this.#known;
  }

  /** Writes the ids of the rows at the first `count` of some places in the selection. */
  #lookUp(batch: Batch, places: Uint32Array, count: number, ids: Uint32Array): void {
    const block = this.#block();
    for (const part of this.#parts) part.begin(batch);
    const { rows, ids: found } = block;
    for (let from = 0; from < count; from += blockRows) {
      const size = Math.min(count - from, blockRows);
      for (let i = 0; i < size; i++) rows[i] = batch.selection[places[from + i]!]!;
      this.#encodeAll(block, size);
      const isMissing = this.#index.findAll(block, size);
      for (let i = 0; i < size; i++) ids[places[from + i]!] = found[i]!;
      if (!isMissing) continue;
      for (let i = 0; i < size; i++) if (found[i] === -1) ids[places[from + i]!] = this.#addNew(block, i);
    }
  }

  #encodeAll(block: KeyBlock, count: number): void {
    const { rows, starts, ends } = block;
    const [first] = this.#parts;
    if (this.#text !== null) {
      (first as TextPart).encodeAll(block, count);
      return;
    }
    for (let i = 0, at = 0; i < count; i++) {
      starts[i] = at;
      ends[i] = this.#encode(rows[i]!, at, block);
      at = Math.max(at, ends[i]!);
    }
  }

  /** The id of a key of the block that was not in the table: `noKey` unless it was added meanwhile, or may be now. */
  #addNew({ words, starts, ends, hashes }: KeyBlock, i: number): number {
    const [from, to, hash] = [starts[i]!, ends[i]!, hashes[i]!];
    if (to === tooLong) return noKey;
    const id = this.#index.find(words, from, to, hash);
    if (id >= 0) return id;
    return this.#adds && !this.full ? this.#index.add(words, from, to, hash) : noKey;
  }

  #block(): KeyBlock {
    return keyBlock(this.#parts.length * partWordsMax);
  }

  /** Writes the words of a row's key from `at` on; returns where they end, or `tooLong`. */
  #encode(row: number, at: number, { words }: KeyBlock): number {
    for (const part of this.#parts) {
      at = part.encode(row, words, at);
      if (at === tooLong) break;
    }
    return at;
  }

  snapshot(): Plain {
    return this.#index.snapshot();
  }

  restore(data: Plain): void {
    this.#index.restore(data);
  }

  write(part: number, ids: Uint32Array, count: number, out: WritableColumn): void {
    const written = this.#written[part]!;
    const isText = out.type === "string" || out.type === "json";
    if (!isText || !written.begin(out.dictionary, this.size)) {
      for (let i = 0; i < count; i++) this.#write(part, ids[i]!, out, i);
      return;
    }
    for (let i = 0; i < count; i++) {
      const id = ids[i]!;
      const code = written.of(id);
      if (code >= 0) out.values[i] = code;
      else {
        this.#write(part, id, out, i);
        if (out.valid[i] === 1) written.put(id, out.values[i] as number);
      }
    }
  }

  #write(part: number, id: number, out: WritableColumn, row: number): void {
    if (!this.has(id)) throw new RangeError(`no key has the id ${id}`);
    const { arena } = this.#index.words;
    let at = this.#index.words.start(id);
    for (let before = 0; before < part; before++) at = this.#parts[before]!.end(arena, at);
    this.#parts[part]!.write(arena, at, out, row);
  }
}

/** The one key of a table without key columns. */
class SingleKey implements LastingKeys {
  readonly size = 1;

  identify(batch: Batch, ids: Uint32Array): void {
    ids.fill(0, 0, batch.count);
  }
  write(): void {
    throw new RangeError("this table has no key column");
  }
  snapshot(): Plain {
    return null;
  }
  restore(): void {
    // There is nothing to know of it.
  }
}

/** A table for the keys of `by`, at most `keysMax` of them. */
export function makeKeyTable(by: readonly ColumnReference[], keysMax: number = limits.keys_max): LastingKeys {
  return by.length === 0 ? new SingleKey() : new Keys(by, keysMax);
}
