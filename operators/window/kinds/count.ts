// Count windows: every so many records of a key, in the order in which they came. Where windows overlap,
// records are cut where one begins or ends, as hopping windows cut time, and each window is merged.

import {
  type Batch,
  type Collector,
  type KeyTable,
  noKey,
  type Operator,
  type PartTable,
  type ValueTable,
} from "weir/sdk";
import { course, type Grouping, kindOn, type WindowKind } from "../kind.ts";
import { firstCell, lastCell, Parts, partsOf, ReadyWindows } from "../parts.ts";
import { PartQueue, queueLists } from "../two-stacks.ts";
import { pairedSlices } from "./steps.ts";
import type { Slicing } from "../filler.ts";

export interface CountSettings {
  /** Records of a window. */
  readonly n: number;
  /** Records from the beginning of one window to that of the next; at most `n`. */
  readonly every: number;
}

/** The numbers of a part: the place of its first record among those of the key, and how many it has. */
const fromCell = 2;
const countCell = 3;
/** The list with the part that is being filled, beside those of the queue. */
const filling: number = queueLists;

interface Full {
  readonly key: number;
  readonly slot: number;
  /** The watermark in force when the record came that filled it. */
  readonly watermark: number;
}

class Counts implements Operator {
  readonly #settings: CountSettings;
  readonly #slices: Slicing;
  readonly #table: PartTable;
  readonly #parts: Parts;
  readonly #ready: ReadyWindows;
  readonly #queue: PartQueue;
  #ids = new Uint32Array(0);
  readonly #course: Float64Array;
  /** Parts that were filled during this batch, in order. */
  #full: Full[] = [];

  constructor(grouping: Grouping, settings: CountSettings, table: PartTable, course: ValueTable) {
    this.#course = course.values;
    this.#settings = settings;
    this.#slices = pairedSlices({ size: settings.n, every: settings.every, offset: 0 });
    this.#table = table;
    this.#parts = new Parts(table, grouping);
    this.#ready = new ReadyWindows(table, grouping);
    this.#queue = new PartQueue(this.#parts, fromCell);
  }

  onBatch(batch: Batch, out: Collector): void {
    const { selection, count, watermark } = batch;
    if (this.#ids.length < count) this.#ids = new Uint32Array(count);
    this.#table.keys.identify(batch, this.#ids);
    for (let i = 0; i < count; i++) {
      const row = selection[i]!;
      const key = this.#ids[i]!;
      this.#advance(watermark[row]!);
      if (key === noKey || !this.#place(key, row, batch)) out.drop(batch, row, "overflow");
    }
    this.#parts.flush(batch);
    for (const full of this.#full) this.#close(full);
    this.#full = [];
    this.#ready.send(out);
  }

  onWatermark(watermark: number, out: Collector): void {
    if (watermark === Number.POSITIVE_INFINITY) {
      for (let key = 0; key < this.#table.keys.size; key++) this.#end(key);
      this.#ready.send(out);
    } else this.#advance(watermark);
  }

  onForget(_keys: KeyTable, key: number, out: Collector): void {
    this.#end(key);
    this.#ready.send(out);
  }

  #advance(watermark: number): void {
    this.#course[0] = Math.max(this.#course[0]!, watermark);
  }

  #place(key: number, row: number, batch: Batch): boolean {
    const list = this.#table.list(key, filling);
    if (list.length === 0) {
      if (this.#table.room === 0) return false;
      list.push(this.#open(0));
    }
    const slot = list[0]!;
    this.#parts.add(slot, row, batch);
    const { cells } = this.#table;
    const from = cells[fromCell]![slot]!;
    const to = from + ++cells[countCell]![slot]!;
    if (to < this.#slices.endOf(from)) return true;
    this.#full.push({ key, slot, watermark: this.#course[0]! });
    list[0] = this.#open(to);
    return true;
  }

  #open(from: number): number {
    const slot = this.#table.open();
    this.#table.cells[fromCell]![slot] = from;
    return slot;
  }

  /** A part is full, and with it perhaps a window. */
  #close({ key, slot, watermark }: Full): void {
    const { n, every } = this.#settings;
    const { cells } = this.#table;
    if (every === n) {
      this.#send(key, slot, this.#table.weight(slot), watermark);
      return;
    }
    const to = cells[fromCell]![slot]! + cells[countCell]![slot]!;
    this.#queue.push(key, slot);
    if (to < n || (to - n) % every !== 0) return;
    const whole = this.#queue.whole(key);
    // Its records go out with the last window that they are in.
    this.#send(key, whole, this.#queue.expire(key, to - n + every - 1), watermark);
  }

  #send(key: number, slot: number, weight: number, watermark: number): void {
    const { cells } = this.#table;
    const [start, end] = [cells[firstCell]![slot]!, cells[lastCell]![slot]!];
    // A row has the time at which it was known.
    this.#ready.add({ key, slot, start, end, time: Math.max(end, watermark), weight });
  }

  /** The stream ends: the oldest open window of a key is sent with what it holds. */
  #end(key: number): void {
    const slot = this.#table.list(key, filling).pop();
    if (slot === undefined) return;
    if (this.#table.cells[countCell]![slot]! > 0) this.#queue.push(key, slot);
    else this.#table.free(slot);
    if (this.#queue.isEmpty(key)) return;
    const whole = this.#queue.whole(key);
    this.#send(key, whole, this.#queue.expire(key, Number.POSITIVE_INFINITY), this.#course[0]!);
  }
}

export function countWindows(grouping: Grouping, settings: CountSettings): WindowKind {
  // Beside the slices of a window: the one that is being filled, a running total, and a window that is sent.
  const slices = Math.ceil(settings.n / settings.every) * (settings.n % settings.every === 0 ? 1 : 2);
  const extent = { perKey: () => slices + 3 };
  return kindOn(
    { parts: partsOf(grouping, [0, 0], queueLists + 1, extent), course },
    (tables) => new Counts(grouping, settings, tables.parts, tables.course),
  );
}
