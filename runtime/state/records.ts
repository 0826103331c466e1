// Whole records that an operator remembers: the values of their columns, their time and weight, and
// their original bytes, each in an array by slot. Slots are used again. Knows nothing of why a record is kept.

import type { Batch, ColumnReference, Origin, RecordStore, Schema } from "../../operators/sdk/index.ts";
import { makeBatch, weightOf } from "../batch/batch.ts";
import { BatchMemory } from "../batch/batch-memory.ts";
import { PayloadOrigin } from "../batch/payloads.ts";
import { limits } from "../limits.ts";
import { isSparse } from "./growth.ts";
import { KeptBytes } from "./kept-bytes.ts";
import { copyNumbers, gatherNumbers, KeptColumn } from "./kept-column.ts";
import {
  bytesOf,
  damaged,
  type Lasting,
  listOf,
  member,
  numbersOf,
  packed,
  type Plain,
  textOf,
  wholeOf,
  wholesOf,
} from "./plain.ts";
import { Sections } from "./sections.ts";

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
  /** In sections of slots. */
  readonly #originals = new Sections((from, to) => this.#originalsOf(range(from, to)));
  /** How often originals had been moved at the last snapshot. */
  #moves = 0;
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
    const [times, watermarks, weights] = [this.#times, this.#watermarks, this.#weights];
    for (let i = 0; i < count; i++) {
      const slot = slots[i]!;
      const row = rows[i]!;
      times[slot] = time[row]!;
      watermarks[slot] = watermark[row]!;
      weights[slot] = 1;
    }
    if (weight !== null) copyNumbers(weights, slots, weight, rows, count);
    this.#held += weightOf(batch, rows, count);
    for (let place = 0; place < columns.length; place++)
      this.#columns[place]!.keep(columns[place]!, rows, slots, count);
    this.#putSubjects(origin, rows, count, slots);
    this.#bytes.keep(origin, rows, slots, count);
  }

  #putSubjects(origin: Origin | null, rows: Uint32Array, count: number, slots: Uint32Array): void {
    if (origin instanceof PayloadOrigin) {
      const { subjects, subject } = origin.payloads;
      const own = this.#subjects;
      for (let i = 0; i < count; i++) own[slots[i]!] = subjects[subject[rows[i]!]!]!;
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

  /** From now on a kept record stands for `weight` input records. */
  weigh(slot: number, weight: number): void {
    this.#check(slot);
    this.#held += weight - this.#weights[slot]!;
    this.#weights[slot] = weight;
  }

  /** Lets go of a record; returns how many input records it stood for. */
  free(slot: number): number {
    this.#check(slot);
    const weight = this.#weights[slot]!;
    this.#weights[slot] = unused;
    this.#originals.touch(slot);
    this.#bytes.free(slot);
    this.#free.push(slot);
    this.#held -= weight;
    return weight;
  }

  /**
   * The records of `slots` as a batch of their own in `memory`, in that order; `watermarks` in place of those when they
   * came. Where a slot is below -1, it is a row of `from`. Valid until the next are kept.
   */
  batch(
    slots: Int32Array,
    schema: Schema,
    watermarks?: Float64Array,
    from: Batch | null = null,
    memory: BatchMemory = new BatchMemory([], 0),
  ): Batch {
    const gather = (kept: Float64Array, rows?: Float64Array): Float64Array => {
      const gathered = memory.numbers(slots.length);
      gatherNumbers(gathered, kept, slots, rows);
      return gathered;
    };
    for (let i = 0; i < slots.length; i++) if (slots[i]! >= 0 || from === null) this.#check(slots[i]!);
    if (from !== null) this.#columns ??= this.#columnsFor(from);
    return makeBatch({
      schema,
      columns: this.#columns!.map((column, place) => column.gather(slots, memory, from?.columns[place])),
      rows: slots.length,
      time: gather(this.#times, from?.time),
      watermark: watermarks ?? gather(this.#watermarks, from?.watermark),
      weight: this.#gatherWeights(slots, memory, from?.weight ?? null),
      origin: this.#origin(slots, from?.origin ?? null),
    });
  }

  #gatherWeights(slots: Int32Array, memory: BatchMemory, from: Float64Array | null): Float64Array {
    const gathered = memory.numbers(slots.length);
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

  /** All slots as they are, so that each is where it was in the last snapshot; only those in use where they are few. */
  snapshot(): Plain {
    const used = this.#used;
    const slots = isSparse(used - this.#free.length, used) ? this.#inUse() : null;
    if (this.#moves !== this.#bytes.moves) this.#originals.touchAll();
    this.#moves = this.#bytes.moves;
    return {
      used,
      slots: slots === null ? null : packed(slots),
      columns: (this.#columns ?? []).map((column) => column.snapshot(used, slots)),
      time: written(this.#times, used, slots),
      watermark: written(this.#watermarks, used, slots),
      weight: written(this.#weights, used, slots),
      originals: slots === null ? this.#originals.snapshot(used) : [this.#originalsOf(slots)],
    };
  }

  restore(data: Plain): void {
    const used = wholeOf(member(data, "used"), limits.slots_max);
    const kept = member(data, "slots");
    const slots = kept === null ? null : wholesOf(kept, used);
    if (slots?.some((slot, place) => place > 0 && slot <= slots[place - 1]!) === true)
      throw damaged("expected records in the order of their slots");
    const count = slots?.length ?? used;
    const [time, watermark, weight] = ["time", "watermark", "weight"].map((name) =>
      numbersOf(member(data, name), count),
    ) as [Float64Array, Float64Array, Float64Array];
    this.#used = used;
    this.#reserve();
    const places = slots === null ? [...weight.keys()] : [...slots];
    for (const [place, slot] of places.entries()) {
      this.#times[slot] = time[place]!;
      this.#watermarks[slot] = watermark[place]!;
      this.#weights[slot] = weight[place]!;
    }
    for (let slot = used - 1; slot >= 0; slot--)
      if (this.#weights[slot]! >= 0) this.#held += this.#weights[slot]!;
      else if (Number.isNaN(this.#weights[slot])) this.#free.push(slot);
      else throw damaged("expected records of some weight");
    const isInUse = (slot: number): boolean => this.#weights[slot]! >= 0;
    const columns = listOf(member(data, "columns"));
    if (columns.length > 0)
      this.#columns = columns.map((each) => KeptColumn.restored(each, places, this.#weights.length, isInUse));
    this.#restoreOriginals(listOf(member(data, "originals")), places, isInUse);
  }

  #restoreOriginals(
    sections: readonly Plain[],
    places: readonly number[],
    isInUse: (slot: number) => boolean,
  ): void {
    const all = sections.flatMap((section) => listOf(section));
    if (all.length !== places.length * 2) throw damaged("expected the origin of each record");
    for (const [place, slot] of places.entries()) {
      const payload = all[place * 2]!;
      if (payload === null && all[place * 2 + 1] === null) continue;
      const subject = textOf(all[place * 2 + 1]!);
      if (!isInUse(slot)) throw damaged("expected no origin where there is no record");
      this.#subjects[slot] = subject;
      if (payload === null) continue;
      const bytes = bytesOf(payload);
      this.#bytes.keep({ payload: () => bytes, subject: () => subject }, zero, Uint32Array.of(slot), 1);
    }
  }

  /** By slot, the original bytes and the subject; null and null where no record is kept. */
  #originalsOf(slots: Iterable<number>): readonly Plain[] {
    const originals: Plain[] = [];
    for (const slot of slots)
      if (this.#weights[slot]! >= 0) originals.push(this.#bytes.at(slot), this.#subjects[slot]!);
      else originals.push(null, null);
    return originals;
  }

  /** Gives out `count` slots. */
  #open(count: number, slots: Uint32Array): void {
    for (let i = 0; i < count; i++) {
      const slot = this.#free.pop() ?? this.#used++;
      slots[i] = slot;
      this.#originals.touch(slot);
    }
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

/** One row, the first. */
const zero = Uint32Array.of(0);

/** The numbers of the first `used` slots, or of some. */
function written(numbers: Float64Array, used: number, slots: Int32Array | null): Plain {
  return packed(slots === null ? numbers.subarray(0, used) : gather(numbers, slots));
}

/** The whole numbers from `from` to below `to`. */
function* range(from: number, to: number): Iterable<number> {
  for (let number = from; number < to; number++) yield number;
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
