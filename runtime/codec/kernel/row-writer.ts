// Writes rows of columns as JSON objects by the kernel, in a quarter of the time that JavaScript takes. What it cannot
// write it leaves to whoever calls. One serves all encoders of a thread: it holds nothing between calls.

import type { Column } from "../../../operators/sdk/index.ts";
import { isText } from "../../batch/columns.ts";
import { limits } from "../../limits.ts";
import type { WrittenTexts } from "../json/written-texts.ts";
import { copyBytes, type Emit, type Piece } from "../rows.ts";
import {
  memberBool,
  memberBytes,
  memberEnds,
  memberKind,
  memberLength,
  memberNumber,
  memberString,
  memberText,
  memberValid,
  memberValues,
  padding,
} from "./assembly/shape.ts";
import { createKernel } from "./kernel.ts";
import { KernelMemory } from "./memory.ts";

/** Rows that are written at once: what they take stays in the processor's caches. */
const rowsMax = 256;
/** The most bytes that are written for a number, which may reach further than its text. */
const numberRoom = 48;
/** Of each column of texts. */
const textRoom: number = limits.encode_chunk_bytes;
/** The values of a row, whether it is null, where its text ends. */
const rowRoom = 8 + 1 + 4;
const regions = 4;

/** What is written of every row: the text before the value, and the value's column. */
export interface RowMember {
  readonly name: Piece;
  readonly column: Column;
  /** Those of the column, as they are to be written. */
  readonly texts: WrittenTexts;
}

const kinds: Partial<Record<Column["type"], number>> = {
  float64: memberNumber,
  time: memberNumber,
  bool: memberBool,
  string: memberString,
  json: memberString,
};

/** False for members that only JavaScript writes. */
export function areWritable(types: readonly Column["type"][]): boolean {
  return (
    types.length > 0 &&
    types.length <= limits.template_slots_max &&
    types.every((type) => kinds[type] !== undefined)
  );
}

function roomOf({ name, column }: RowMember): number {
  const text = isText(column.type) ? textRoom * 2 : rowsMax * numberRoom;
  return memberBytes + name.length + rowsMax * (rowRoom + name.length) + text + (regions + 1) * padding * 2;
}

export class RowWriter {
  readonly #memory: KernelMemory;
  #view: DataView;
  #room = 0;
  #start = 0;
  #free = 0;

  constructor(memory: KernelMemory) {
    this.#memory = memory;
    this.#view = new DataView(memory.buffer);
  }

  /** Emits the rows `selection[from … )` before `to`, at most some hundred of them; returns where it stopped, which is at `from` when it cannot write that row. */
  write(members: readonly RowMember[], selection: Uint32Array, from: number, to: number, emit: Emit): number {
    const rows = selection.subarray(from, Math.min(to, from + rowsMax));
    const list = this.#begin(members);
    let count = rows.length;
    for (const [place, member] of members.entries())
      count = this.#put(list + place * memberBytes, member, rows, count);
    const ends = this.#take(rowsMax * 4);
    const out = this.#take(0);
    const written = this.#memory.kernel.writeRows(list, members.length, count, out, ends);
    this.#emit(rows, written, out, ends, emit);
    return from + written;
  }

  #emit(rows: Uint32Array, count: number, out: number, ends: number, emit: Emit): void {
    if (count === 0) return;
    const { words, bytes } = this.#memory;
    const { buffer } = bytes.slice(out, out + words[(ends >> 2) + count - 1]!);
    let start = 0;
    for (let i = 0; i < count; i++) {
      const end = words[(ends >> 2) + i]!;
      emit(rows[i]!, new Uint8Array(buffer, start, end - start));
      start = end;
    }
  }

  /** Takes hold of memory for the most that the members can need, the list of them first. */
  #begin(members: readonly RowMember[]): number {
    const needed = members.reduce((total, member) => total + roomOf(member), rowsMax * 4 + 2 * padding);
    if (needed > this.#room) {
      this.#room = needed;
      this.#start = this.#memory.allocate(needed);
    }
    if (this.#view.buffer !== this.#memory.buffer) this.#view = new DataView(this.#memory.buffer);
    this.#free = this.#start;
    return this.#take(members.length * memberBytes);
  }

  #take(length: number): number {
    const address = this.#free;
    this.#free = (address + length + padding + 7) & ~7;
    return address;
  }

  /** Puts a member down with its values in the first `count` rows; returns for how many there was room. */
  #put(at: number, member: RowMember, rows: Uint32Array, count: number): number {
    const { name, column } = member;
    const text = this.#take(name.length);
    this.#word(at + memberText, text);
    this.#word(at + memberLength, name.length);
    this.#word(at + memberKind, kinds[column.type]!);
    this.#word(at + memberValid, column.valid === null ? 0 : this.#putBytes(column.valid, rows, count));
    this.#piece(name, text);
    if (isText(column.type)) return this.#putTexts(at, member, rows, count);
    const values =
      column.type === "bool"
        ? this.#putBytes(column.values, rows, count)
        : this.#putNumbers(column.values as Float64Array, rows, count);
    this.#word(at + memberValues, values);
    return count;
  }

  #putBytes(values: Uint8Array, rows: Uint32Array, count: number): number {
    const address = this.#take(rowsMax);
    const { bytes } = this.#memory;
    for (let i = 0; i < count; i++) bytes[address + i] = values[rows[i]!]!;
    return address;
  }

  #putNumbers(values: Float64Array, rows: Uint32Array, count: number): number {
    const address = this.#take(rowsMax * 8);
    const numbers = new Float64Array(this.#memory.buffer, address, count);
    for (let i = 0; i < count; i++) numbers[i] = values[rows[i]!]!;
    return address;
  }

  #putTexts(at: number, { column, texts }: RowMember, rows: Uint32Array, count: number): number {
    const ends = this.#take((rowsMax + 1) * 4);
    const out = this.#take(textRoom);
    const { words, bytes } = this.#memory;
    const codes = column.values as Int32Array;
    this.#word(at + memberEnds, ends);
    this.#word(at + memberValues, out);
    let end = 0;
    words[ends >> 2] = 0;
    for (let i = 0; i < count; i++) {
      const row = rows[i]!;
      if (column.valid === null || column.valid[row] === 1) {
        const code = codes[row]!;
        texts.need(code);
        const [from, to] = [texts.starts[code]!, texts.ends[code]!];
        if (end + to - from > textRoom) return i;
        copyBytes(texts.bytes, from, to, bytes, out + end);
        end += to - from;
      }
      words[(ends >> 2) + i + 1] = end;
    }
    return count;
  }

  #piece({ words }: Piece, address: number): void {
    for (let i = 0; i < words.length; i++) this.#view.setInt32(address + i * 4, words[i]!, true);
  }

  #word(address: number, value: number): void {
    this.#view.setUint32(address, value, true);
  }
}

let writer: RowWriter | null | undefined;

/** The writer of this thread; null where there is no kernel. */
export function rowWriter(): RowWriter | null {
  if (writer === undefined) {
    const kernel = createKernel();
    writer = kernel === null ? null : new RowWriter(new KernelMemory(kernel));
  }
  return writer;
}
