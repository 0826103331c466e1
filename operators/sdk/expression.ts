// What an operator may ask of an expression or an aggregate that its configuration names. The engine
// compiles them before the operator is created; an operator never sees their text as a program.

import type { Batch, Column, ColumnOf, ColumnType, Dictionary } from "./batch.ts";

/** A compiled expression over the columns of the operator's input. */
export interface Expression {
  readonly text: string;
  readonly type: ColumnType;
  /** The value of each selected row, at that row's number. The column is reused by the next call. */
  evaluate(batch: Batch): Column;
  /** For type `bool`: writes the selected rows that are true to `rows`, in order; returns how many. Null is not true. */
  select(batch: Batch, rows: Uint32Array): number;
}

/** A reference to a column of the operator's input. */
export interface ColumnReference {
  readonly name: string;
  readonly type: ColumnType;
  /** Its place in `batch.columns`. */
  readonly index: number;
}

/** A column of one of several inputs whose records the stream holds: `temp.value`. */
export interface MemberReference {
  /** The part before the first dot; whether there is such an input is for the operator to say. */
  readonly input: string;
  readonly column: ColumnReference;
}

/** The state of one aggregate over many slots: fixed cells, and one growable buffer a slot where the aggregate asks for it. */
export interface AggregateState {
  /** One array a cell, indexed by slot. */
  readonly cells: readonly Float64Array[];
  /** Indexed by slot; undefined until the aggregate puts one there. */
  readonly buffers: (Float64Array | Uint8Array | undefined)[];
}

/** The texts of a column that is being written. */
export interface WritableDictionary extends Dictionary {
  /** The text's code, given one when it has none. */
  code(text: string): number;
}

/** A column that is being written. Once it is, it is a column like any other. */
export type WritableColumn = {
  readonly [T in ColumnType]: {
    readonly type: T;
    readonly values: ColumnOf<T>["values"];
    /** Always there while writing: 1 is set beforehand, put 0 for null. */
    readonly valid: Uint8Array;
    readonly dictionary: T extends "string" | "json" ? WritableDictionary : null;
  };
}[ColumnType];

/** `init, add, merge, finish` over slots; incremental, and mergeable so that parts can be made anywhere. */
export interface Aggregate {
  /** The first value of each cell of a new slot. */
  readonly initial: readonly number[];
  /** The most bytes that the buffer of a slot takes; 0 where it is left out. */
  readonly bytes?: number;
  /**
   * True when a state of some records, whichever they are, merged in the order in which they came, is that of all of them: then they
   * may be added where they are decoded, in batches. It has no buffers. Left out: false.
   */
  readonly isPartial?: boolean;
  /**
   * Adds row `rows[i]` to slot `slots[i]` for i below `count`. `input` is null for an aggregate without an argument.
   * Null values are skipped by every aggregate but `count()`.
   */
  add(
    state: AggregateState,
    slots: Uint32Array,
    rows: Uint32Array,
    count: number,
    input: Column | null,
    batch: Batch,
  ): void;
  /**
   * Program text that does what `add` does for one `value`, which is not null, of a row that stands for one record:
   * `cell(0)`, `cell(1)`, … name the cells of its slot. With it, aggregates of one input share a loop.
   */
  readonly each?: (cell: (place: number) => string) => string;
  /** Adds what `from` holds of `source` into `into` of `target`. */
  merge(target: AggregateState, into: number, source: AggregateState, from: number): void;
  /** Writes the result of `slots[i]` to row i of `out`. */
  finish(state: AggregateState, slots: Uint32Array, count: number, out: WritableColumn): void;
}

/** An aggregate that a configuration may name: `mean(temp)`, `quantile(temp, 0.99)`. */
export interface AggregateDefinition {
  readonly name: string;
  readonly summary: string;
  /** The argument's accepted types; empty when it takes none. */
  readonly input: readonly ColumnType[];
  /** True when the argument may be left out, as in `count()`. */
  readonly inputOptional?: boolean;
  /** What a field without a declared type is taken for, where the argument may be of several types. */
  readonly assumed?: ColumnType;
  /** A second argument, as in `arg_max(x, y)`. */
  readonly second?: { readonly name: string; readonly input: readonly ColumnType[] };
  /** Literal numbers after the arguments. */
  readonly parameters: readonly {
    readonly name: string;
    readonly min: number;
    readonly max: number;
    readonly default?: number;
    /** For the last one: it may be given several times, as in `histogram(x, 0, 10, 20)`. */
    readonly repeats?: true;
  }[];
  output(input: ColumnType | null): ColumnType;
  /** `second` is the second argument; `add` evaluates it, once a call. May throw to refuse what it is given. */
  create(input: ColumnType | null, parameters: readonly number[], second?: Expression): Aggregate;
}

/** An aggregate bound to its arguments. `input` is the first; a second one is known to `aggregate` alone. */
export interface AggregateCall {
  readonly text: string;
  readonly name: string;
  readonly type: ColumnType;
  readonly input: Expression | null;
  readonly aggregate: Aggregate;
}
