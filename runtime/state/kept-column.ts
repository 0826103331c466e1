// One column of kept records, indexed by slot. Texts get codes of a dictionary of its own, which is made
// anew when most of it is no longer in use. Knows nothing of records.

import { type Column, columnTypes, type Dictionary } from "../../operators/sdk/index.ts";
import { BatchMemory } from "../batch/batch-memory.ts";
import { makeColumn, TextDictionary } from "../batch/columns.ts";
import { Translation } from "../batch/translation.ts";
import { bytesOf, damaged, listOf, member, packed, type Plain, textOf } from "./plain.ts";
import { AddedSections } from "./sections.ts";

type Values = Column["values"];

/** Texts that a dictionary may hold beyond twice as many as there are slots in use. */
const spareTexts = 1_024;
/** Texts of one section of a snapshot. */
const sectionTexts = 512;

export class KeptColumn {
  readonly #type: Column["type"];
  #values: Values;
  #valid: Uint8Array;
  /** Into the column's own dictionary. */
  #translation: Translation | null;
  readonly #sections = new AddedSections<TextDictionary>(sectionTexts, (texts, from, to) =>
    texts.texts(from, to),
  );

  constructor(type: Column["type"], slots: number) {
    this.#type = type;
    const isText = type === "string" || type === "json";
    this.#translation = isText ? new Translation(new TextDictionary()) : null;
    const { values, valid } = makeColumn(type, slots, this.#texts);
    this.#values = values;
    this.#valid = valid;
  }

  get #texts(): TextDictionary | null {
    return this.#translation?.texts ?? null;
  }

  reserve(slots: number): void {
    this.#values = wider(this.#values, slots);
    this.#valid = wider(this.#valid, slots);
  }

  /** Keeps the values of `rows[i]` in `slots[i]`, for i below `count`. */
  keep({ values, valid, dictionary }: Column, rows: Uint32Array, slots: Uint32Array, count: number): void {
    const own = this.#valid;
    if (valid === null) for (let i = 0; i < count; i++) own[slots[i]!] = 1;
    else for (let i = 0; i < count; i++) own[slots[i]!] = valid[rows[i]!]!;
    if (this.#texts !== null) this.#keepTexts(values as Int32Array, dictionary!, rows, slots, count);
    else if (this.#values instanceof Float64Array)
      copyNumbers(this.#values, slots, values as Float64Array, rows, count);
    else for (let i = 0; i < count; i++) this.#values[slots[i]!] = values[rows[i]!]!;
  }

  /** NaN for null. */
  number(slot: number): number {
    return this.#valid[slot] === 1 ? Number(this.#values[slot]) : Number.NaN;
  }

  /** The values of the slots, in that order; where one is below -1, of a row of `from`. */
  gather(slots: Int32Array, memory: BatchMemory, from: Column | null = null): Column {
    const values = memory.values(this.#type, slots.length);
    const valid = memory.marks(slots.length);
    if (from !== null) this.#translation?.meet(from.dictionary!);
    for (let i = 0; i < slots.length; i++) {
      const slot = slots[i]!;
      valid[i] = slot >= 0 ? this.#valid[slot]! : (from!.valid?.[-2 - slot] ?? 1);
    }
    if (this.#texts !== null) this.#gatherCodes(values as Int32Array, valid, slots, from);
    else if (values instanceof Float64Array)
      gatherNumbers(values, this.#values as Float64Array, slots, from?.values as Float64Array | undefined);
    else
      for (let i = 0; i < slots.length; i++) {
        const slot = slots[i]!;
        values[i] = slot >= 0 ? this.#values[slot]! : from!.values[-2 - slot]!;
      }
    return { type: this.#type, values, valid, dictionary: this.#texts } as Column;
  }

  /** Makes the dictionary anew when that is worth it. `slots` are those in use. */
  renew(size: number, slots: () => Int32Array): void {
    const before = this.#texts;
    if (before === null || before.size <= 2 * size + spareTexts) return;
    const texts = new TextDictionary();
    for (const slot of slots())
      if (this.#valid[slot] === 1) this.#values[slot] = texts.code(before.text(this.#values[slot] as number));
    this.#translation = new Translation(texts);
  }

  /** What is in the first `used` slots, or in some. */
  snapshot(used: number, slots: Int32Array | null): Plain {
    const { values, valid } =
      slots === null
        ? { values: this.#values.subarray(0, used), valid: this.#valid.subarray(0, used) }
        : this.gather(slots, new BatchMemory([this.#type], slots.length));
    return {
      type: this.#type,
      values: packed(values),
      valid: packed(valid!),
      texts: this.#texts === null ? null : this.#sections.snapshot(this.#texts, this.#texts.size),
    };
  }

  /** The column of a snapshot of the slots `slots`, of which some may not be in use. */
  static restored(
    data: Plain,
    slots: readonly number[],
    size: number,
    isInUse: (slot: number) => boolean,
  ): KeptColumn {
    const type = columnTypes.find((known) => known === member(data, "type"));
    if (type === undefined) throw damaged("expected a type of column");
    const column = new KeptColumn(type, size);
    const own = column.#values;
    const bytes = bytesOf(member(data, "values"), slots.length * own.BYTES_PER_ELEMENT);
    const values = new (own.constructor as new (buffer: ArrayBuffer) => Values)(bytes.buffer);
    const valid = bytesOf(member(data, "valid"), slots.length);
    const texts = column.#restoreTexts(member(data, "texts"));
    for (const [place, slot] of slots.entries()) {
      own[slot] = values[place]!;
      column.#valid[slot] = valid[place]!;
      if (!isInUse(slot)) continue;
      if (valid[place]! > 1) throw damaged("expected a value or none");
      if (
        texts !== null &&
        valid[place] === 1 &&
        !(Number(values[place]) >= 0 && Number(values[place]) < texts)
      )
        throw damaged("expected codes of texts");
    }
    return column;
  }

  /** How many there are; null where the values are no texts. */
  #restoreTexts(data: Plain): number | null {
    if (this.#texts === null) return null;
    for (const [code, text] of listOf(data)
      .flatMap((section) => listOf(section))
      .entries())
      if (this.#texts.code(textOf(text)) !== code) throw damaged("expected each text once");
    return this.#texts.size;
  }

  #gatherCodes(codes: Int32Array, valid: Uint8Array, slots: Int32Array, from: Column | null): void {
    const own = this.#values as Int32Array;
    for (let i = 0; i < slots.length; i++) {
      const slot = slots[i]!;
      if (valid[i] === 0) continue;
      codes[i] = slot >= 0 ? own[slot]! : this.#translation!.codeOf((from!.values as Int32Array)[-2 - slot]!);
    }
  }

  #keepTexts(
    codes: Int32Array,
    source: Dictionary,
    rows: Uint32Array,
    slots: Uint32Array,
    count: number,
  ): void {
    const translation = this.#translation!;
    translation.meet(source);
    const [own, valid, { known }] = [this.#values as Int32Array, this.#valid, translation];
    for (let i = 0; i < count; i++) {
      const slot = slots[i]!;
      if (valid[slot] === 0) continue;
      const code = codes[rows[i]!]!;
      // Most texts are known.
      const found = known[code]!;
      own[slot] = found > 0 ? found - 1 : translation.codeOf(code);
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

/** The numbers of the slots, in that order; where one is below -1, of a row of `from`. */
export function gatherNumbers(
  gathered: Float64Array,
  kept: Float64Array,
  slots: Int32Array,
  from: Float64Array | undefined,
): void {
  for (let i = 0; i < slots.length; i++) {
    const slot = slots[i]!;
    gathered[i] = slot >= 0 ? kept[slot]! : from![-2 - slot]!;
  }
}
