// Batches for this room's tests, from rows as they read. Under a null it puts what no expression may
// look at, so that one that does is found out.

import type { Batch, Column, ColumnType, Scalar, Schema } from "../../operators/sdk/index.ts";
import { makeBatch } from "../batch/batch.ts";
import { makeColumn, TextDictionary } from "../batch/columns.ts";

export type Types = Readonly<Record<string, ColumnType>>;
export type Row = Readonly<Record<string, Scalar>>;

export function schemaOf(types: Types): Schema {
  return { fields: Object.entries(types).map(([name, type]) => ({ name, type })), rest: null };
}

/** Types as the values show them: numbers are float64. */
export function typesOf(row: Row, given: Types = {}): Types {
  const shown = { number: "float64", bigint: "int64", boolean: "bool", string: "string" } as const;
  const types: Record<string, ColumnType> = {};
  for (const [name, value] of Object.entries(row)) {
    types[name] = given[name] ?? shown[typeof value as keyof typeof shown];
  }
  return types;
}

/** `selection` defaults to all rows. A column without nulls has no validity. */
export function batchFromRows(types: Types, rows: readonly Row[], selection?: readonly number[]): Batch {
  const columns = Object.entries(types).map(([name, type]) =>
    columnFrom(
      type,
      rows.map((row) => row[name] ?? null),
    ),
  );
  const selected = Uint32Array.from(selection ?? rows.keys());
  return makeBatch({
    schema: schemaOf(types),
    columns,
    rows: rows.length,
    time: new Float64Array(rows.length),
    watermark: new Float64Array(rows.length),
    selection: selected,
    count: selected.length,
  });
}

function columnFrom(type: ColumnType, values: readonly Scalar[]): Column {
  const texts = new TextDictionary();
  const column = makeColumn(type, values.length, texts);
  const array = column.values as { [row: number]: number | bigint };
  values.forEach((value, row) => {
    column.valid[row] = value === null ? 0 : 1;
    if (value === null) array[row] = garbage(type, row);
    else
      array[row] =
        typeof value === "string" ? texts.code(value) : typeof value === "boolean" ? Number(value) : value;
  });
  return values.includes(null) ? column : ({ ...column, valid: null } as Column);
}

function garbage(type: ColumnType, row: number): number | bigint {
  if (type === "int64") return -1n;
  if (type === "bool") return row & 1;
  if (type === "string" || type === "json") return 1_000_000;
  return [Number.NaN, Number.POSITIVE_INFINITY, 1][row % 3]!;
}
