// Where the kernel's values land: columns, dictionaries, payloads and lists of rows as regions of its memory.
// Columns are views of those regions, never copies.

import type { Column, ColumnType } from "../../../operators/sdk/index.ts";
import { arrayOf, trimValid } from "../../batch/columns.ts";
import type { Payloads } from "../../batch/payloads.ts";
import type { Landing, LandingColumn } from "../json/landing.ts";
import { RawTexts } from "../json/raw-texts.ts";
import { decodeText } from "../json/text.ts";
import { padding } from "./assembly/shape.ts";
import { DictionaryStore } from "./dictionary.ts";
import type { KernelMemory } from "./memory.ts";
import type { FieldAddresses } from "./template.ts";

const rowsFirst = 256;
const bytesFirst = 16_384;

export class KernelLanding implements Landing {
  /** By field, and where payloads, their offsets and two lists of rows lie. `moved` tells when they change. */
  addresses: FieldAddresses[] = [];
  payloads = 0;
  offsets = 0;
  everyRow = 0;
  left = 0;
  /** Counts how often `addresses` were given anew: templates name them. */
  moved = 0;

  readonly #memory: KernelMemory;
  readonly #types: readonly ColumnType[];
  readonly #stores: readonly (DictionaryStore | undefined)[];
  readonly #nulls: number;
  #lists: (RawTexts | undefined)[] = [];
  #views: readonly LandingColumn[] = [];
  #viewed: ArrayBuffer | null = null;
  #rows = 0;
  #rowRoom = 0;
  #byteRoom = 0;
  #region = 0;
  #scratch = 0;
  #scratchRoom = 0;

  constructor(memory: KernelMemory, types: readonly ColumnType[]) {
    this.#memory = memory;
    this.#types = types;
    this.#stores = types.map((type) => (type === "string" ? new DictionaryStore(memory) : undefined));
    this.#nulls = memory.allocate(types.length * 4);
  }

  /** Views of the batch's rows; made anew when the memory has grown beneath them. */
  get columns(): readonly LandingColumn[] {
    const { buffer } = this.#memory;
    if (this.#viewed !== buffer) {
      this.#views = this.#types.map((_, field) => this.#view(buffer, field));
      this.#viewed = buffer;
    }
    return this.#views;
  }

  begin(rows: number): void {
    for (const store of this.#stores) store?.renew(this.#rows);
    this.#rows = rows;
    this.#viewed = null;
    if (rows > this.#rowRoom || this.#rowRoom === 0) this.#makeRows(rows);
    if (this.#types.includes("json"))
      this.#lists = this.#types.map((type) => (type === "json" ? new RawTexts(rows) : undefined));
    const nulls = this.#nulls >> 2;
    this.#memory.words.fill(0, nulls, nulls + this.#types.length);
  }

  /** Copies the payloads to where the kernel reads them. After `begin`. */
  load(payloads: Payloads): void {
    const { offsets, count } = payloads;
    const start = offsets[0]!;
    const length = offsets[count]! - start;
    if (length > this.#byteRoom || this.#byteRoom === 0) {
      this.#byteRoom = Math.max(length, this.#byteRoom * 2, bytesFirst);
      this.#region = this.#memory.allocate(this.#byteRoom);
    }
    const { bytes, words } = this.#memory;
    bytes.set(payloads.bytes.subarray(start, start + length), this.#region);
    // What a batch before left behind must not go on where this one ends.
    bytes.fill(0, this.#region + length, this.#region + length + padding);
    words.set(offsets.length === count + 1 ? offsets : offsets.subarray(0, count + 1), this.offsets >> 2);
    this.payloads = this.#region - start;
  }

  /** Makes room for the strings of one payload. To be called before its row is read: views may move. */
  reserve(length: number): void {
    for (const store of this.#stores) store?.reserve(length);
    if (length <= this.#scratchRoom) return;
    this.#scratchRoom = length * 2;
    this.#scratch = this.#memory.allocate(this.#scratchRoom);
  }

  text(field: number, bytes: Uint8Array, start: number, end: number, escaped: boolean): number {
    let text = this.payloads + start;
    let length = end - start;
    if (escaped) {
      // Never longer than what it was written with, for which there is room.
      const encoded = Buffer.from(decodeText(bytes, start, end, true));
      text = this.#scratch;
      length = encoded.length;
      this.#memory.bytes.set(encoded, text);
    }
    return this.#memory.kernel.lookUp(this.#stores[field]!.address, text, length);
  }

  raw(field: number, bytes: Uint8Array, start: number, end: number): number {
    return this.#lists[field]!.place(bytes, start, end);
  }

  made(field: number, text: string): number {
    return this.#lists[field]!.add(text);
  }

  /** Takes what the kernel left in raw columns, where each text lies, and puts its code in place of that. */
  settle(bytes: Uint8Array): void {
    if (this.#lists.length === 0) return;
    const { words } = this.#memory;
    for (const [field, list] of this.#lists.entries()) {
      if (list === undefined) continue;
      const { values, valid } = this.columns[field]! as LandingColumn & { values: Int32Array };
      const ends = this.addresses[field]!.extra >> 2;
      for (let row = 0; row < this.#rows; row++) {
        const start = ~values[row]!;
        if (valid[row] === 1 && start >= 0) values[row] = list.place(bytes, start, words[ends + row]!);
      }
    }
  }

  /** `read` tells that some rows were not written by the kernel, which marks the columns that may have nulls. */
  finish(read = true): readonly Column[] {
    const nulls = this.#nulls >> 2;
    return this.columns.map((column, field) => {
      // A mark may be of a row that did not fit in the end, so it says only where to look.
      const marked = read || this.#memory.words[nulls + field] === 1;
      return marked ? trimValid(column) : ({ ...column, valid: null } as Column);
    });
  }

  #view(buffer: ArrayBuffer, field: number): LandingColumn {
    const type = this.#types[field]!;
    const addresses = this.addresses[field]!;
    return {
      type,
      values: new arrayOf[type](buffer, addresses.values, this.#rows),
      valid: new Uint8Array(buffer, addresses.valid, this.#rows),
      dictionary: this.#stores[field]?.current ?? this.#lists[field] ?? null,
    } as LandingColumn;
  }

  #makeRows(rows: number): void {
    const room = Math.max(rows, this.#rowRoom * 2, rowsFirst);
    const memory = this.#memory;
    this.#rowRoom = room;
    this.offsets = memory.allocate((room + 1) * 4);
    this.everyRow = memory.allocate(room * 4);
    this.left = memory.allocate(room * 4);
    this.addresses = this.#types.map((type, field) => ({
      values: memory.allocate(room * 8),
      valid: memory.allocate(room),
      nulls: this.#nulls + field * 4,
      extra: type === "json" ? memory.allocate(room * 4) : (this.#stores[field]?.address ?? 0),
    }));
    const { words } = memory;
    for (let row = 0; row < room; row++) words[(this.everyRow >> 2) + row] = row;
    this.moved++;
  }
}
