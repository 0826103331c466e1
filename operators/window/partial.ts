// The half of a window that runs where records are decoded: the records of a batch that have key and pane in
// common, and between which nothing is sent, become one row that holds the cells of their aggregates. Knows nothing of what
// was before the batch: a record that is late by what the batch shows is left out here, and one that is late by what came
// before it at home, with all that share its row.

import {
  type Batch,
  type Collector,
  type Column,
  type Operator,
  type PaneTable,
  type PartialOperator,
  table,
  type Tables,
} from "weir/sdk";
import { Adding } from "./adding.ts";
import type { Present } from "./aggregates/present.ts";
import { Filler } from "./filler.ts";
import type { Cuts, Grouping } from "./kind.ts";
import { partialSchema } from "./merging.ts";

/** The number of a slot: 1 once its row has begun. */
const begun = 0;

class PartialWindows implements Operator {
  readonly #schema: PartialOperator["schema"];
  readonly #by: Grouping["by"];
  readonly #cuts: Cuts;
  readonly #panes: PaneTable;
  readonly #lateness: number;
  readonly #filler: Filler;
  /** By row that is sent: the slot while it is open, and the first of its records. */
  #slots = new Uint32Array(0);
  #rows = new Uint32Array(0);
  #weight = new Float64Array(0);
  /** By cell, its values in the rows that are sent. */
  #cells: Float64Array[] = [];
  /** 0, 1, 2, … */
  #all = new Uint32Array(0);
  #count = 0;
  #watermark = new Float64Array(0);

  constructor(grouping: Grouping, cuts: Cuts, panes: PaneTable, lateness: number) {
    this.#schema = partialSchema(grouping);
    this.#by = grouping.by;
    this.#cuts = cuts;
    this.#panes = panes;
    this.#lateness = lateness;
    const adding = new Adding(grouping.shared.inputs, panes.states);
    this.#filler = new Filler(
      panes,
      {
        evaluate: (batch) => adding.evaluate(batch),
        add: (batch, columns, rows) => {
          this.#begin(rows);
          adding.add(batch, columns, rows);
        },
      },
      cuts.slicing,
    );
  }

  onBatch(batch: Batch, out: Collector): void {
    this.#reserve(batch);
    this.#count = 0;
    const shown = { ...batch, watermark: this.#inForce(batch) };
    try {
      for (let from = 0; from < batch.count; ) {
        const to = this.#stretchEnd(shown, from);
        this.#aggregate({ ...shown, selection: batch.selection.subarray(from, to), count: to - from }, out);
        from = to;
      }
    } finally {
      this.#close();
    }
    out.emit(this.#sent(batch));
  }

  /** Makes rows of some records, between which nothing is sent. */
  #aggregate(batch: Batch, out: Collector): void {
    const first = this.#count;
    this.#filler.fill(batch, Number.NEGATIVE_INFINITY, (row, reason) => {
      // There is room for the keys and panes of any batch; where there is not, home is to see it.
      if (reason === "overflow") throw new RangeError("too many keys or panes in a batch");
      out.drop(batch, row, reason);
    });
    this.#finish(first);
  }

  #reserve({ rows, count }: Batch): void {
    if (this.#watermark.length < rows) this.#watermark = new Float64Array(rows);
    if (this.#slots.length >= count) return;
    this.#slots = new Uint32Array(count);
    this.#rows = new Uint32Array(count);
    this.#weight = new Float64Array(count);
    this.#all = new Uint32Array(count).map((_, row) => row);
    const cells = this.#schema.fields.length - this.#by.length;
    this.#cells = Array.from({ length: cells }, () => new Float64Array(count));
  }

  /** By row, the watermark as far as the batch shows. */
  #inForce({ selection, count, watermark }: Batch): Float64Array {
    const lateness = this.#lateness;
    const inForce = this.#watermark;
    for (let i = 0; i < count; i++) inForce[selection[i]!] = watermark[selection[i]!]! - lateness;
    return inForce;
  }

  /** Where the rows end, from the i-th on, between which nothing is sent, whatever came before the batch. */
  #stretchEnd({ selection, count, watermark }: Batch, i: number): number {
    const first = watermark[selection[i]!]!;
    const next = this.#cuts.nextMoment(first);
    if (next === Number.POSITIVE_INFINITY) return count;
    for (; i < count; i++) {
      const inForce = watermark[selection[i]!]!;
      if (inForce >= next && inForce > first) break;
    }
    return i;
  }

  /** Rows begin with the first record of each slot. */
  #begin({ slots, rows, count }: Present): void {
    const seen = this.#panes.cells[begun]!;
    for (let i = 0; i < count; i++) {
      const slot = slots[i]!;
      if (seen[slot] === 1) continue;
      seen[slot] = 1;
      this.#slots[this.#count] = slot;
      this.#rows[this.#count++] = rows[i]!;
    }
  }

  /** Takes the rows from `first` on out of their slots. */
  #finish(first: number): void {
    const slots = this.#slots;
    const count = this.#count;
    let cell = 0;
    for (const { cells } of this.#panes.states)
      for (const values of cells) {
        const kept = this.#cells[cell++]!;
        for (let row = first; row < count; row++) kept[row] = values[slots[row]!]!;
      }
    for (let row = first; row < count; row++) this.#weight[row] = this.#panes.weight(slots[row]!);
    this.#close();
  }

  #close(): void {
    this.#panes.close(Number.POSITIVE_INFINITY, () => undefined);
  }

  /** The rows of a batch; valid until the next one. */
  #sent(batch: Batch): Batch {
    const count = this.#count;
    const rows = this.#rows.subarray(0, count);
    const keys = this.#by.map(({ index }) => taken(batch.columns[index]!, rows));
    const cells = this.#cells.map((values): Column => {
      return { type: "float64", values: values.subarray(0, count), valid: null, dictionary: null };
    });
    return {
      schema: this.#schema,
      columns: [...keys, ...cells],
      rows: count,
      selection: this.#all.subarray(0, count),
      count,
      time: gathered(batch.time, rows),
      watermark: gathered(batch.watermark, rows),
      weight: this.#weight.subarray(0, count),
      origin: null,
    };
  }
}

/** Some rows of a column. */
function taken(column: Column, rows: Uint32Array): Column {
  const { values, valid } = column;
  return {
    ...column,
    values: gathered(values, rows),
    valid: valid === null ? null : gathered(valid, rows),
  } as Column;
}

function gathered<T extends Column["values"]>(values: T, rows: Uint32Array): T {
  const some = new (values.constructor as new (length: number) => T)(rows.length);
  for (let row = 0; row < rows.length; row++) some[row] = values[rows[row]!]!;
  return some;
}

export function partialWindows(grouping: Grouping, cuts: Cuts): PartialOperator {
  const tables = { panes: table.panes(grouping.by, grouping.shared.kept, [0]) };
  return {
    schema: partialSchema(grouping),
    tables,
    create: (made, lateness) =>
      new PartialWindows(grouping, cuts, (made as Tables<typeof tables>).panes, lateness),
  };
}
