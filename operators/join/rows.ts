// Rows that are put together from records of several inputs: what is kept of each record, and the way
// out in order. Decides nothing.

import {
  type AggregateCall,
  type Collector,
  type ColumnReference,
  type Expression,
  type PartDeclaration,
  type PartTable,
  type Schema,
} from "weir/sdk";
import { last } from "../window/aggregates/ends.ts";
import { leaveOut, orderedParts } from "../window/event-order.ts";
import type { Grouping } from "../window/kind.ts";
import { shareStates } from "../window/shared-state.ts";
import { rowsMax } from "./bounds.ts";
import type { selectedOf } from "./inputs.ts";

export type Selected = ReturnType<typeof selectedOf>;

/** The key, the time, and the selected columns. */
export function rowSchema(by: readonly ColumnReference[], selected: Selected): Schema {
  return {
    fields: [
      ...by.map(({ name, type }) => ({ name, type })),
      { name: "time", type: "time" },
      ...selected.map(({ name, column }) => ({ name, type: column.type })),
    ],
    rest: null,
  };
}

/** A kept record is a part of its own, in which each selected column has its one value. */
export function recordGrouping(by: readonly ColumnReference[], selected: Selected): Grouping {
  const columns = new Map(selected.map(({ column }) => [column.index, column]));
  const calls = [...columns.values()].map(valueOf);
  return { by, calls, shared: shareStates(calls) };
}

/** Such records in the order of event time, with further numbers of their own; each is kept as `orderedParts` has it. */
export function recordTable(
  grouping: Grouping,
  own: readonly number[],
  after: number,
  others: number,
): PartDeclaration {
  return orderedParts(grouping, 0, after, others, own);
}

function valueOf({ name, type, index }: ColumnReference): AggregateCall {
  const input: Expression = {
    text: name,
    type,
    evaluate: (batch) => batch.columns[index]!,
    select: () => {
      throw new TypeError("a column that is kept is no condition");
    },
  };
  return { text: name, name: last.name, type, input, aggregate: last.create(type, []) };
}

export class JoinedRows {
  readonly #table: PartTable;
  readonly #by: readonly ColumnReference[];
  readonly #columns: readonly { readonly input: number; readonly place: number }[];
  readonly #grouping: Grouping;
  readonly #keys = new Uint32Array(rowsMax);
  /** What the column `time` holds, and where the row stands in event time. */
  readonly #times = new Float64Array(rowsMax);
  readonly #instants = new Float64Array(rowsMax);
  readonly #weights = new Float64Array(rowsMax);
  /** By input and row, the record; where the row has none, another of its records, because some value has to stand under a null. */
  readonly #slots: Uint32Array;
  /** By input and row, 1 where it has one. */
  readonly #has: Uint8Array;
  readonly #inputs: number;
  #count = 0;
  /** Slots that only rows that wait to be sent still refer to. */
  readonly #spent: number[] = [];
  #spentCount = 0;
  #filtered = 0;
  #overflow = 0;
  #out!: Collector;
  #inOrder = true;

  constructor(table: PartTable, grouping: Grouping, selected: Selected, inputs: number) {
    this.#table = table;
    this.#by = grouping.by;
    this.#grouping = grouping;
    const kept = grouping.calls.map(({ text }) => text);
    this.#columns = selected.map(({ input, column }) => ({ input, place: kept.indexOf(column.name) }));
    this.#inputs = inputs;
    this.#slots = new Uint32Array(inputs * rowsMax);
    this.#has = new Uint8Array(inputs * rowsMax);
  }

  /** Begins a call of the engine's. `inOrder`: no later row will stand before one of this call in event time. */
  begin(out: Collector, inOrder: boolean): void {
    this.#out = out;
    this.#inOrder = inOrder;
  }

  /** Adds a row, for each input of which a record is to be put, or is missing; returns its number. */
  add(key: number, time: number, instant: number): number {
    if (this.#count === rowsMax) this.#flush();
    const row = this.#count++;
    this.#keys[row] = key;
    this.#times[row] = time;
    this.#instants[row] = instant;
    return row;
  }

  /** Puts a record into a row, which stands for it where no earlier row did. */
  put(row: number, input: number, slot: number): void {
    const place = input * rowsMax + row;
    this.#slots[place] = slot;
    this.#has[place] = 1;
  }

  /** The row has no record of the input; `slot` is one of another that it has. */
  miss(row: number, input: number, slot: number): void {
    const place = input * rowsMax + row;
    this.#slots[place] = slot;
    this.#has[place] = 0;
  }

  /** Lets go of a record: counted as filtered where no row stood for it. */
  leave(slot: number): void {
    this.#spent[this.#spentCount++] = slot;
  }

  /** Refuses a record for which there is no room. */
  refuse(slot: number): void {
    this.#overflow += this.#table.release(slot);
    this.leave(slot);
  }

  send(out: Collector): void {
    this.#flush();
    leaveOut(out, this.#filtered, 0, "filtered");
    leaveOut(out, this.#overflow, 0, "overflow");
    this.#filtered = 0;
    this.#overflow = 0;
  }

  #flush(): void {
    const count = this.#count;
    this.#count = 0;
    if (count > 0) this.#write(count);
    // An array that is made shorter gives its memory back, to be asked for again at once.
    for (let i = 0; i < this.#spentCount; i++) {
      this.#filtered += this.#table.release(this.#spent[i]!);
      this.#table.free(this.#spent[i]!);
    }
    this.#spentCount = 0;
  }

  #write(count: number): void {
    const draft = this.#out.draft(count);
    draft.time.set(this.#instants.subarray(0, count));
    if (this.#inOrder) draft.watermark.set(draft.time);
    draft.weight.set(this.#weigh(count));
    const before = this.#by.length;
    for (let part = 0; part < before; part++)
      this.#table.keys.write(part, this.#keys, count, draft.columns[part]!);
    (draft.columns[before]!.values as Float64Array).set(this.#times.subarray(0, count));
    for (const [column, { input, place }] of this.#columns.entries()) {
      const { aggregate } = this.#grouping.calls[place]!;
      const state = this.#table.states[this.#grouping.shared.places[place]!]!;
      const out = draft.columns[before + 1 + column]!;
      const [from, { valid }] = [input * rowsMax, out];
      aggregate.finish(state, this.#slots.subarray(from, from + count), count, out);
      const has = this.#has;
      for (let row = 0; row < count; row++) valid[row] = valid[row]! & has[from + row]!;
    }
    this.#out.append(draft);
  }

  /** By row, the records that it stands for: those of its inputs for which no earlier row did. */
  #weigh(count: number): Float64Array {
    const [slots, has] = [this.#slots, this.#has];
    const weights = this.#weights.subarray(0, count).fill(0);
    for (let input = 0; input < this.#inputs; input++) {
      const from = input * rowsMax;
      for (let row = 0; row < count; row++)
        if (has[from + row] === 1) weights[row]! += this.#table.release(slots[from + row]!);
    }
    return weights;
  }
}
