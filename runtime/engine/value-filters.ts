// Filters of several pipelines that want one value of a column each, answered together: every row is looked
// up once, and given to those alone that want its value. So a thousand rules about a device each cost a
// record no more than a few.

import type { Batch, Column, Dictionary } from "../../operators/sdk/index.ts";
import type { ValueTest } from "../expression/column-test.ts";
import type { JointFilter } from "./joint-filter.ts";
import type { Receiver } from "./receiver.ts";

/** Fewer are as quickly asked one by one. */
export const valueFiltersMin = 8;

const unwanted = -1;

/** By code of a dictionary, the place of its text among the wanted values. */
interface Known {
  places: Int32Array;
  count: number;
}

export class ValueFilters implements Receiver {
  readonly #column: number;
  /** By place of a wanted value, who wants it. */
  readonly #filters: JointFilter<ValueTest>[][];
  readonly #places = new Map<string | number, number>();
  readonly #known = new WeakMap<Dictionary, Known>();
  /** By place, how many rows have the value; then where they begin among `#rows`. */
  readonly #ends: Uint32Array;
  #placeOf = new Int32Array(0);
  #rows = new Uint32Array(0);
  #passed = new Uint32Array(0);

  /** `filters`: of one column. */
  constructor(filters: readonly JointFilter<ValueTest>[]) {
    this.#column = filters[0]!.test.column;
    this.#filters = [...Map.groupBy(filters, ({ test }) => test.value).values()];
    for (const [place, [filter]] of this.#filters.entries()) this.#places.set(filter!.test.value, place);
    this.#ends = new Uint32Array(this.#filters.length + 1);
  }

  onBatch(batch: Batch): void {
    this.#sort(batch);
    for (const [place, filters] of this.#filters.entries()) {
      const rows = this.#rows.subarray(place === 0 ? 0 : this.#ends[place - 1], this.#ends[place]);
      for (const filter of filters) this.#keep(batch, filter, rows);
    }
  }

  onWatermark(watermark: number): void {
    for (const { stage } of this.#filters.flat()) stage.onWatermark(watermark);
  }

  #keep(batch: Batch, { test, condition, stage, failed }: JointFilter<ValueTest>, rows: Uint32Array): void {
    try {
      const { length: count } = rows;
      if (test.whole || count === 0) return stage.keep(batch, rows, count);
      const passed = this.#passed;
      stage.keep(batch, passed, condition.select({ ...batch, selection: rows, count }, passed));
    } catch (error) {
      failed(error);
    }
  }

  /** Puts the rows of each wanted value side by side, in their order. */
  #sort(batch: Batch): void {
    const { selection, count } = batch;
    if (this.#rows.length < count) {
      this.#placeOf = new Int32Array(count);
      this.#rows = new Uint32Array(count);
      this.#passed = new Uint32Array(count);
    }
    const [places, ends, rows] = [this.#placeOf, this.#ends, this.#rows];
    this.#look(batch, batch.columns[this.#column]!, places);
    ends.fill(0);
    for (let i = 0; i < count; i++) if (places[i] !== unwanted) ends[places[i]! + 1]!++;
    for (let place = 1; place < ends.length; place++) ends[place]! += ends[place - 1]!;
    // Each begins where the one before ends, and has come to its own end when all its rows are put down.
    for (let i = 0; i < count; i++) if (places[i] !== unwanted) rows[ends[places[i]!]!++] = selection[i]!;
  }

  #look({ selection, count }: Batch, { values, valid, dictionary }: Column, places: Int32Array): void {
    const codes = dictionary === null ? null : this.#placesOf(dictionary);
    for (let i = 0; i < count; i++) {
      const row = selection[i]!;
      if (valid !== null && valid[row] === 0) places[i] = unwanted;
      else if (codes !== null) places[i] = codes[Number(values[row])]!;
      else places[i] = this.#places.get(Number(values[row])) ?? unwanted;
    }
  }

  #placesOf(dictionary: Dictionary): Int32Array {
    let known = this.#known.get(dictionary);
    if (known === undefined) this.#known.set(dictionary, (known = { places: new Int32Array(0), count: 0 }));
    const { size } = dictionary;
    if (known.places.length < size) {
      const grown = new Int32Array(Math.max(size, known.places.length * 2, 64));
      grown.set(known.places);
      known.places = grown;
    }
    for (; known.count < size; known.count++)
      known.places[known.count] = this.#places.get(dictionary.text(known.count)) ?? unwanted;
    return known.places;
  }
}
