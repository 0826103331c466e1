// How the rows of a batch are added to the states of a `select`: those of one input in a single loop, where
// the states say how a value is added as program text and their cells are views of one array; one aggregate after the other
// otherwise, which gives the same to the last bit. Finds no slot and sends nothing.
//
// One loop waits for a slot's memory once and not once an aggregate: five aggregates take 6 ns a row in place of 21.

import type { Aggregate, AggregateState, Batch, Column, Expression } from "weir/sdk";
import { type Present, present } from "./aggregates/present.ts";
import { programsMax } from "./bounds.ts";
import type { Adder } from "./filler.ts";
import type { SharedInput } from "./shared-state.ts";

type Program = (
  cells: Float64Array,
  slots: Uint32Array,
  rows: Uint32Array,
  count: number,
  values: Column["values"],
) => void;

/** By their text; made by many steps alike. */
const programs = new Map<string, Program>();

/** Null where the process makes no code from text. */
function compile(text: string): Program | null {
  const known = programs.get(text);
  if (known !== undefined) return known;
  try {
    // Only what built-in aggregates say of themselves, and where their cells are, becomes program.
    // oxlint-disable-next-line typescript/no-implied-eval -- the purpose of this file
    const program = new Function("cells", "slots", "rows", "count", "values", text) as Program;
    if (programs.size >= programsMax) programs.clear();
    programs.set(text, program);
    return program;
  } catch {
    return null;
  }
}

interface Kept {
  readonly place: number;
  readonly aggregate: Aggregate;
}

/** Cells of some states that are views of one array: that which begins first, and where the others begin from there on. */
interface Layout {
  readonly place: number;
  readonly cell: number;
  readonly distances: readonly (readonly number[])[];
}

function layoutOf(states: readonly AggregateState[], kept: readonly Kept[]): Layout | null {
  const all = kept.flatMap(({ place }) =>
    states[place]!.cells.map((cells, cell) => ({ place, cell, cells })),
  );
  if (all.length === 0) return null;
  const first = all.reduce((a, b) => (b.cells.byteOffset < a.cells.byteOffset ? b : a));
  if (all.some(({ cells }) => cells.buffer !== first.cells.buffer)) return null;
  const distances = kept.map(({ place }) =>
    states[place]!.cells.map(
      (cells) => (cells.byteOffset - first.cells.byteOffset) / cells.BYTES_PER_ELEMENT,
    ),
  );
  return { place: first.place, cell: first.cell, distances };
}

/** Adds rows to several states in one loop. */
class Together {
  readonly #states: readonly AggregateState[];
  readonly #layout: Layout;
  readonly #program: Program;

  constructor(states: readonly AggregateState[], layout: Layout, program: Program) {
    this.#states = states;
    this.#layout = layout;
    this.#program = program;
  }

  /** Null where there can be none for these. */
  static of(states: readonly AggregateState[], kept: readonly Kept[]): Together | null {
    const layout = kept.length < 2 ? null : layoutOf(states, kept);
    if (layout === null) return null;
    const parts = kept.map(({ aggregate }, place) =>
      aggregate.each!((cell) => `cells[slot + ${layout.distances[place]![cell]!}]`),
    );
    const value = parts.some((part) => part.includes("value")) ? "const value = values[rows[i]];" : "";
    const body = parts.map((part) => `{ ${part} }`).join("\n");
    const program = compile(`for (let i = 0; i < count; i++) { const slot = slots[i]; ${value}\n${body} }`);
    return program === null ? null : new Together(states, layout, program);
  }

  add({ slots, rows, count }: Present, values: Column["values"]): void {
    const { place, cell } = this.#layout;
    this.#program(this.#states[place]!.cells[cell]!, slots, rows, count, values);
  }
}

/** One input with the states that it is added to. */
class InputAdding {
  readonly #input: Expression;
  readonly #states: readonly AggregateState[];
  readonly #together: Together | null;
  /** The same together with states that have no input. */
  readonly #withRecords: Together | null;
  /** Those that are added to one after the other. */
  readonly #others: readonly Kept[];

  constructor(
    input: Expression,
    kept: readonly Kept[],
    records: readonly Kept[],
    states: readonly AggregateState[],
  ) {
    const able = kept.filter(isAble);
    this.#input = input;
    this.#states = states;
    this.#together = Together.of(states, able);
    this.#withRecords = records.length === 0 ? null : Together.of(states, [...records, ...able]);
    this.#others = this.#together === null ? kept : kept.filter((each) => !isAble(each));
  }

  evaluate(batch: Batch): Column {
    return this.#input.evaluate(batch);
  }

  /** Returns whether it has added to those states that have no input, which it may where `records` says so. */
  add(batch: Batch, column: Column, rows: Present, records: boolean): boolean {
    for (const { place, aggregate } of this.#others)
      aggregate.add(this.#states[place]!, rows.slots, rows.rows, rows.count, column, batch);
    if (this.#together === null) return false;
    const withRecords = records && column.valid === null ? this.#withRecords : null;
    (withRecords ?? this.#together).add(present(rows.slots, rows.rows, rows.count, column), column.values);
    return withRecords !== null;
  }
}

function isAble({ aggregate }: Kept): boolean {
  return aggregate.each !== undefined;
}

export class Adding implements Adder {
  readonly #states: readonly AggregateState[];
  /** Those that have no input. */
  readonly #records: readonly Kept[];
  readonly #inputs: readonly InputAdding[];

  constructor(inputs: readonly SharedInput[], states: readonly AggregateState[]) {
    this.#states = states;
    this.#records = inputs.flatMap((each) => (each.input === null ? each.states : []));
    const records = this.#records.every(isAble) ? this.#records : [];
    this.#inputs = inputs.flatMap(({ input, states: kept }) =>
      input === null ? [] : [new InputAdding(input, kept, records, states)],
    );
  }

  /** The values of the inputs in every row of a batch. */
  evaluate(batch: Batch): readonly Column[] {
    return this.#inputs.map((input) => input.evaluate(batch));
  }

  /** Adds row `rows[i]` to slot `slots[i]` of every state, for i below `count`; `columns` is what `evaluate` gave. */
  add(batch: Batch, columns: readonly Column[], rows: Present): void {
    let added = false;
    for (const [place, input] of this.#inputs.entries())
      added = input.add(batch, columns[place]!, rows, !added && batch.weight === null) || added;
    if (added) return;
    for (const { place, aggregate } of this.#records)
      aggregate.add(this.#states[place]!, rows.slots, rows.rows, rows.count, null, batch);
  }
}
