// Whole records that an operator remembers: the values of their columns, their time and weight, and
// their original bytes, each in an array by slot. Slots are used again. Knows nothing of why a record is kept.

import type { Batch, ColumnReference, Origin, RecordStore, Schema } from "../../operators/sdk/index.ts";
import { makeBatch, weightOf } from "../batch/batch.ts";
import { PayloadOrigin } from "../batch/payloads.ts";
import { limits } from "../limits.ts";
import { KeptBytes } from "./kept-bytes.ts";
import { copyNumbers, gatherNumbers, KeptColumn } from "./kept-column.ts";
import {
  bytesOf,
  columnOf,
  damaged,
  type Lasting,
  listOf,
  member,
  numbersOf,
  packed,
  packedColumn,
  packedWholes,
  type Plain,
  textOf,
  wholesOf,
} from "./plain.ts";

/** In place of a weight: no record is kept in the slot. */
const unused = Number.NaN;

export class Records implements RecordStore, Lasting {
  #columns: KeptColumn[] | null = null;
  #times = new Float64Array(64);
  #watermarks = new Float64Array(64);
  #weights = new Float64Array(64).fill(unused);
  readonly #subjects: string[] = [];
  readonly #bytes = new KeptBytes();
  readonly #free: number[] = [];
  #used = 0;
  #held = 0;
  readonly #row = new Uint32Array(1);
  readonly #slot = new Uint32Array(1);

  /** Input records that the kept ones stand for. */
  get held(): number {
    return this.#held;
  }

  keep(batch: Batch, row: number): number {
    this.#row[0] = row;
    this.keepAll(batch, this.#row, 1, this.#slot);
    return this.#slot[0]!;
  }

  keepAll(batch: Batch, rows: Uint32Array, count: number, slots: Uint32Array): void {
    this.#open(count, slots);
    this.#put(batch, rows, count, slots);
    for (const column of this.#columns!) column.renew(this.#used - this.#free.length, () => this.#inUse());
  }

  #put(batch: Batch, rows: Uint32Array, count: number, slots: Uint32Array): void {
    const { columns, time, watermark, weight, origin } = batch;
    this.#columns ??= this.#columnsFor(batch);
    copyNumbers(this.#times, slots, time, rows, count);
    copyNumbers(this.#watermarks, slots, watermark, rows, count);
    if (weight === null) for (let i = 0; i < count; i++) this.#weights[slots[i]!] = 1;
    else copyNumbers(this.#weights, slots, weight, rows, count);
    this.#held += weightOf(batch, rows, count);
    for (let place = 0; place < columns.length; place++)
      this.#columns[place]!.keep(columns[place]!, rows, slots, count);
    this.#putSubjects(origin, rows, count, slots);
    this.#bytes.keep(origin, rows, slots, count);
  }

  #putSubjects(origin: Origin | null, rows: Uint32Array, count: number, slots: Uint32Array): void {
    if (origin instanceof PayloadOrigin) {
      const { subjects, subject } = origin.payloads;
      for (let i = 0; i < count; i++) this.#subjects[slots[i]!] = subjects[subject[rows[i]!]!]!;
    } else for (let i = 0; i < count; i++) this.#subjects[slots[i]!] = origin?.subject(rows[i]!) ?? "";
  }

  #columnsFor({ columns }: Batch): KeptColumn[] {
    return columns.map(({ type }) => new KeptColumn(type, this.#weights.length));
  }

  time(slot: number): number {
    this.#check(slot);
    return this.#times[slot]!;
  }

  weight(slot: number): number {
    this.#check(slot);
    return this.#weights[slot]!;
  }

  number(slot: number, column: ColumnReference): number {
    this.#check(slot);
    return this.#columns![column.index]!.number(slot);
  }

  /** Lets go of a record; returns how many input records it stood for. */
  free(slot: number): number {
    this.#check(slot);
    const weight = this.#weights[slot]!;
    this.#weights[slot] = unused;
    this.#bytes.free(slot);
    this.#free.push(slot);
    this.#held -= weight;
    return weight;
  }

  /**
   * The records of `slots` as a batch of their own, in that order; `watermarks` in place of those when they came.
   * Where a slot is below -1, it is a row of `from`. Valid until the next are kept.
   */
  batch(slots: Int32Array, schema: Schema, watermarks?: Float64Array, from: Batch | null = null): Batch {
    for (let i = 0; i < slots.length; i++) if (slots[i]! >= 0 || from === null) this.#check(slots[i]!);
    if (from !== null) this.#columns ??= this.#columnsFor(from);
    return makeBatch({
      schema,
      columns: this.#columns!.map((column, place) => column.gather(slots, from?.columns[place])),
      rows: slots.length,
      time: gather(this.#times, slots, from?.time),
      watermark: watermarks?.slice() ?? gather(this.#watermarks, slots, from?.watermark),
      weight: this.#gatherWeights(slots, from?.weight ?? null),
      origin: this.#origin(slots, from?.origin ?? null),
    });
  }

  #gatherWeights(slots: Int32Array, from: Float64Array | null): Float64Array {
    const gathered = new Float64Array(slots.length);
    for (let i = 0; i < slots.length; i++) {
      const slot = slots[i]!;
      gathered[i] = slot >= 0 ? this.#weights[slot]! : from === null ? 1 : from[-2 - slot]!;
    }
    return gathered;
  }

  #origin(slots: Int32Array, from: Origin | null): Origin | null {
    const payload = this.#bytes.gather(slots, from);
    if (payload === null) return null;
    const own = slots.slice();
    return {
      payload,
      subject: (row) => (own[row]! >= 0 ? this.#subjects[own[row]!]! : from!.subject(-2 - own[row]!)),
    };
  }

  /** Column by column; subjects, which repeat, once each. */
  snapshot(): Plain {
    const slots = this.#inUse();
    const subjects = [...new Set(Array.from(slots, (slot) => this.#subjects[slot]!))];
    const places = new Map(subjects.map((subject, place) => [subject, place]));
    return {
      slots: packedWholes([...slots]),
      columns: (this.#columns ?? []).map((column) => packedColumn(column.gather(slots))),
      time: packed(gather(this.#times, slots)),
      watermark: packed(gather(this.#watermarks, slots)),
      weight: packed(gather(this.#weights, slots)),
      payloads: Array.from(slots, (slot) => this.#bytes.at(slot)),
      subjects,
      subject: packedWholes(Array.from(slots, (slot) => places.get(this.#subjects[slot]!)!)),
    };
  }

  restore(data: Plain): void {
    const slots = wholesOf(member(data, "slots"), limits.slots_max);
    const count = slots.length;
    if (count === 0) return;
    const [time, watermark, weight] = ["time", "watermark", "weight"].map((name) =>
      numbersOf(member(data, name), count),
    ) as [Float64Array, Float64Array, Float64Array];
    const payloads = listOf(member(data, "payloads"), count).map((each) =>
      each === null ? null : bytesOf(each),
    );
    const subjects = listOf(member(data, "subjects")).map((subject) => textOf(subject));
    const subject = wholesOf(member(data, "subject"), subjects.length, count);
    const columns = listOf(member(data, "columns")).map((column) => columnOf(column, count));
    if (weight.some((records) => !(records >= 0))) throw damaged("expected records of some weight");
    this.#take(slots);
    const batch = makeBatch({
      schema: { fields: [], rest: null },
      columns,
      rows: count,
      time,
      watermark,
      weight,
    });
    const origin = {
      payload: (row: number) => payloads[row]!,
      subject: (row: number) => subjects[subject[row]!]!,
    };
    for (const hasOrigin of [true, false]) {
      const rows = Uint32Array.from(payloads.keys()).filter((row) => (payloads[row] !== null) === hasOrigin);
      this.#put(
        { ...batch, origin: hasOrigin ? origin : null },
        rows,
        rows.length,
        rows.map((row) => slots[row]!),
      );
    }
  }

  /** Gives out these slots, the first ones. */
  #take(slots: Uint32Array): void {
    for (const slot of slots) {
      if (slot < this.#used) throw damaged("expected records in the order of their slots");
      while (this.#used < slot) this.#free.push(this.#used++);
      this.#used++;
    }
    this.#reserve();
  }

  /** Gives out `count` slots. */
  #open(count: number, slots: Uint32Array): void {
    for (let i = 0; i < count; i++) slots[i] = this.#free.pop() ?? this.#used++;
    this.#reserve();
  }

  #reserve(): void {
    const size = this.#weights.length;
    if (this.#used <= size) return;
    const wider = Math.max(this.#used, size * 2);
    this.#times = widened(this.#times, wider, 0);
    this.#watermarks = widened(this.#watermarks, wider, 0);
    this.#weights = widened(this.#weights, wider, unused);
    this.#bytes.reserve(wider);
    for (const column of this.#columns ?? []) column.reserve(wider);
  }

  #inUse(): Int32Array {
    return Int32Array.from({ length: this.#used }, (_, slot) => slot).filter(
      (slot) => this.#weights[slot]! >= 0,
    );
  }

  #check(slot: number): void {
    if (!(this.#weights[slot]! >= 0)) throw new RangeError(`no record is kept in slot ${slot}`);
  }
}

function gather(kept: Float64Array, slots: Int32Array, from?: Float64Array): Float64Array {
  const gathered = new Float64Array(slots.length);
  gatherNumbers(gathered, kept, slots, from);
  return gathered;
}

function widened(values: Float64Array, length: number, filling: number): Float64Array<ArrayBuffer> {
  const wider = new Float64Array(length).fill(filling, values.length);
  wider.set(values);
  return wider;
}
