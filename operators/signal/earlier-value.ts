// The values of one column that came before, of types of which one takes more than a cell: whole numbers of 64 bits and texts. What
// is kept of a slot is read once and then known; what changes in a batch is written at its end. The arrays are used again from
// batch to batch. Keeps nothing that is not in the caller's table.

import type {
  Aggregate,
  AggregateState,
  Batch,
  Column,
  ColumnReference,
  ColumnType,
  WritableColumn,
} from "weir/sdk";
import { longer } from "../longer.ts";
import { keptValue, type KeptValue } from "../window/aggregates/kept-value.ts";
import { present } from "../window/aggregates/present.ts";
import { Texts, type Translation } from "./texts.ts";

/** Slots that there is room for at first. */
const slotsFirst = 64;
/** Of a state, whether there is a value: 0 or 1. Behind it are the cells of the value. */
const thereCell = 0;

function keptOf(type: ColumnType): KeptValue {
  return keptValue(type, thereCell + 1);
}

/** The value of a slot that came last, whatever its time. */
export function lastValue(type: ColumnType): Aggregate {
  const kept = keptOf(type);
  return {
    initial: [0, ...kept.initial],
    bytes: kept.bytes ?? 0,
    add(state, allSlots, allRows, total, input) {
      const { slots, rows, count } = present(allSlots, allRows, total, input);
      for (let i = 0; i < count; i++) {
        kept.keep(state, slots[i]!, input!, rows[i]!);
        state.cells[thereCell]![slots[i]!] = 1;
      }
    },
    merge(target, into, source, from) {
      if (source.cells[thereCell]![from] === 0) return;
      kept.copy(target, into, source, from);
      target.cells[thereCell]![into] = 1;
    },
    finish(state, slots, count, out) {
      for (let i = 0; i < count; i++) {
        if (state.cells[thereCell]![slots[i]!] === 0) out.valid[i] = 0;
        else kept.write(state, slots[i]!, out, i);
      }
    },
  };
}

type Values = BigInt64Array | Int32Array;

export class EarlierValue {
  readonly #column: ColumnReference;
  readonly #kept: KeptValue;
  readonly #texts: Texts | null;
  #values: Values;
  #valid = new Uint8Array(0);
  /** By slot, its value, and for how many-th time texts had begun when it was known; 0 for not yet. */
  #known: Values;
  #knownSince = new Uint32Array(slotsFirst);
  /** By slot, the batch in which it changed last; and those that did in this one. */
  #changedIn = new Float64Array(slotsFirst);
  #changed = new Uint32Array(slotsFirst);
  #changes = 0;
  #batches = 0;

  constructor(column: ColumnReference) {
    this.#column = column;
    this.#kept = keptOf(column.type);
    this.#texts = column.type === "int64" ? null : new Texts();
    this.#values = this.#array(0);
    this.#known = this.#array(slotsFirst);
  }

  /** By row of the batch, for `rows[i]` what its slot `slots[i]` had before it; the rows' own values are kept from then on. */
  take(batch: Batch, state: AggregateState, slots: Uint32Array, rows: Uint32Array, count: number): Column {
    const column = batch.columns[this.#column.index]!;
    const texts = this.#texts?.from(column) ?? null;
    if (this.#valid.length < batch.rows) {
      this.#values = this.#array(batch.rows);
      this.#valid = new Uint8Array(batch.rows);
    }
    this.#reserve(state.cells[thereCell]!.length);
    this.#batches++;
    this.#follow(column, state, slots, rows, count, texts);
    this.#keepChanges(state);
    const { type } = this.#column;
    return {
      type,
      values: this.#values,
      valid: this.#valid,
      dictionary: texts?.dictionary ?? null,
    } as Column;
  }

  #array(length: number): Values {
    return this.#column.type === "int64" ? new BigInt64Array(length) : new Int32Array(length);
  }

  #reserve(slots: number): void {
    while (this.#knownSince.length < slots) {
      this.#knownSince = longer(this.#knownSince);
      this.#changedIn = longer(this.#changedIn);
      this.#changed = longer(this.#changed);
    }
    if (this.#known.length === this.#knownSince.length) return;
    const known = this.#array(this.#knownSince.length);
    known.set(this.#known as never);
    this.#known = known;
  }

  #follow(
    { values: given, valid: givenValid }: Column,
    state: AggregateState,
    slots: Uint32Array,
    rows: Uint32Array,
    count: number,
    texts: Translation | null,
  ): void {
    const there = state.cells[thereCell]!;
    const since = this.#texts?.begun ?? 1;
    const [known, knownSince, valid] = [this.#known, this.#knownSince, this.#valid];
    const values = this.#values as { [row: number]: number | bigint };
    for (let i = 0; i < count; i++) {
      const slot = slots[i]!;
      const row = rows[i]!;
      const isThere = there[slot] === 1;
      if (isThere && knownSince[slot] !== since) this.#learn(state, slot, since);
      valid[row] = isThere ? 1 : 0;
      values[row] = known[slot]!;
      if (givenValid !== null && givenValid[row] === 0) continue;
      const value = texts === null ? given[row]! : texts.code(given[row] as number);
      if (isThere && value === known[slot]) continue;
      known[slot] = value as never;
      knownSince[slot] = since;
      there[slot] = 1;
      this.#change(slot);
    }
  }

  /** Reads what is kept of a slot, after a restart say. */
  #learn(state: AggregateState, slot: number, since: number): void {
    this.#kept.write(state, slot, this.#knownColumn() as WritableColumn, slot);
    this.#knownSince[slot] = since;
  }

  #change(slot: number): void {
    if (this.#changedIn[slot] === this.#batches) return;
    this.#changedIn[slot] = this.#batches;
    this.#changed[this.#changes++] = slot;
  }

  #keepChanges(state: AggregateState): void {
    const known = this.#knownColumn();
    for (let i = 0; i < this.#changes; i++)
      this.#kept.keep(state, this.#changed[i]!, known, this.#changed[i]!);
    this.#changes = 0;
  }

  /** What is known, as a column in which a slot is a row. */
  #knownColumn(): Column {
    return { type: this.#column.type, values: this.#known, valid: null, dictionary: this.#texts } as Column;
  }
}
