// What the tests of aggregates need: states in memory, batches of readings, and results as values.

import {
  type Aggregate,
  type AggregateDefinition,
  type AggregateState,
  type Batch,
  type Column,
  type ColumnType,
  type Dictionary,
  type Expression,
  type Scalar,
  valueAt,
  type WritableColumn,
} from "weir/sdk";

export interface Reading {
  readonly time: number;
  readonly value: Scalar;
  /** The second argument of an aggregate that has one. */
  readonly other?: Scalar | undefined;
}

/** A growing dictionary. */
class Texts implements Dictionary {
  readonly #texts: string[] = [];
  get size(): number {
    return this.#texts.length;
  }
  text(code: number): string {
    return this.#texts[code]!;
  }
  code(text: string): number {
    const found = this.#texts.indexOf(text);
    return found < 0 ? this.#texts.push(text) - 1 : found;
  }
}

/** What lies under a null is unspecified, so here it is something that would be noticed. */
const underNull = { float64: 1e300, time: 1e300, int64: 77n, bool: 1, string: "null", json: "null" } as const;

export function columnOf(type: ColumnType, values: readonly Scalar[]): Column {
  const valid = Uint8Array.from(values, (value) => (value === null ? 0 : 1));
  const filled = values.map((value) => value ?? underNull[type]);
  switch (type) {
    case "float64":
    case "time":
      return { type, values: Float64Array.from(filled as number[]), valid, dictionary: null };
    case "int64":
      return { type, values: BigInt64Array.from(filled as bigint[]), valid, dictionary: null };
    case "bool":
      return { type, values: Uint8Array.from(filled, Number), valid, dictionary: null };
    default: {
      const dictionary = new Texts();
      const codes = Int32Array.from(filled, (text) => dictionary.code(text as string));
      return { type, values: codes, valid, dictionary };
    }
  }
}

export function batchOf(type: ColumnType, readings: readonly Reading[]): Batch {
  const time = Float64Array.from(readings, (reading) => reading.time);
  return {
    schema: {
      fields: [
        { name: "x", type },
        { name: "y", type: "float64" },
      ],
      rest: null,
    },
    columns: [
      columnOf(
        type,
        readings.map(({ value }) => value),
      ),
      columnOf(
        "float64",
        readings.map(({ other }) => other ?? null),
      ),
    ],
    rows: readings.length,
    selection: Uint32Array.from(readings.keys()),
    count: readings.length,
    time,
    watermark: time,
    weight: null,
    origin: null,
  };
}

/** The column `y` of a batch, as the expression that is a second argument. */
const second: Expression = {
  text: "y",
  type: "float64",
  evaluate: (batch) => batch.columns[1]!,
  select: () => 0,
};

/** An aggregate over values of one type, in states of its own. */
export class Trial {
  readonly type: ColumnType;
  readonly aggregate: Aggregate;
  readonly #output: ColumnType;

  constructor(definition: AggregateDefinition, parameters: readonly number[] = [], type?: ColumnType) {
    this.type = type ?? (definition.input.includes("float64") ? "float64" : definition.input[0]!);
    this.#output = definition.output(this.type);
    this.aggregate = definition.create(this.type, parameters, second);
  }

  state(slots: number): AggregateState {
    return {
      cells: this.aggregate.initial.map((value) => new Float64Array(slots).fill(value)),
      buffers: [],
    };
  }

  add(state: AggregateState, slot: number, readings: readonly Reading[]): void {
    const batch = batchOf(this.type, readings);
    const { count, selection, columns } = batch;
    this.aggregate.add(state, new Uint32Array(count).fill(slot), selection, count, columns[0]!, batch);
  }

  finish(state: AggregateState, slot: number): Scalar {
    const column = columnOf(this.#output, [null]);
    column.valid!.fill(1);
    this.aggregate.finish(state, Uint32Array.of(slot), 1, column as WritableColumn);
    return valueAt(column, 0);
  }

  /** The result of nothing. */
  get empty(): Scalar {
    return this.finish(this.state(1), 0);
  }

  /** The result of all readings at once. */
  whole(readings: readonly Reading[]): Scalar {
    const state = this.state(3);
    this.add(state, 1, readings);
    return this.finish(state, 1);
  }

  /** The results of three slots that get the readings in turn. */
  dealt(readings: readonly Reading[]): readonly Scalar[] {
    const state = this.state(3);
    const batch = batchOf(this.type, readings);
    const slots = Uint32Array.from(readings, (_, row) => row % 3);
    this.aggregate.add(state, slots, batch.selection, batch.count, batch.columns[0]!, batch);
    return [0, 1, 2].map((slot) => this.finish(state, slot));
  }

  /** The result of parts in tables of their own, merged in their order. */
  merged(parts: readonly (readonly Reading[])[]): Scalar {
    const target = this.state(4);
    for (const part of parts) {
      const source = this.state(3);
      this.add(source, 2, part);
      this.aggregate.merge(target, 1, source, 2);
    }
    return this.finish(target, 1);
  }
}

/** The definition of an aggregate that is known to be there. */
export function named(aggregates: readonly AggregateDefinition[], name: string): AggregateDefinition {
  const found = aggregates.find((each) => each.name === name);
  if (found === undefined) throw new Error(`no aggregate ${name}`);
  return found;
}

/** Readings of these values, a second apart. */
export function everySecond(...values: readonly Scalar[]): readonly Reading[] {
  return values.map((value, i) => ({ time: i * 1000, value }));
}
