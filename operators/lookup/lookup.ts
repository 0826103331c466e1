// lookup: adds columns of a reference table to each record by key. Holds nothing back and remembers
// nothing; the table belongs to the engine.

import {
  type Batch,
  type Column,
  type ColumnReference,
  type ColumnType,
  columnTypes,
  ConfigurationError,
  defineOperator,
  field,
  type OperatorDefinition,
  type Schema,
  valueAt,
  withFields,
  z,
} from "weir/sdk";
import { example } from "./example.ts";
import { LookedUp } from "./looked-up.ts";

/** Characters of a key that a dead letter shows. */
const shownKeyLength = 100;

interface On {
  readonly column: ColumnReference;
  /** Null: the table calls it the same. */
  readonly key: string | null;
}

const keyColumn = field.column(["string", "float64", "int64", "bool"], "The record's key.");

const on: z.ZodType<On, string | Readonly<Record<string, string>>> = z
  .union([
    keyColumn.transform((column) => ({ column, key: null })),
    z
      .record(z.string(), z.string().min(1))
      .refine((pair) => Object.keys(pair).length === 1, "one column: { device: id }")
      .transform((pair) => {
        const [[name, key]] = Object.entries(pair) as [[string, string]];
        return { column: keyColumn.parse(name), key };
      }),
  ])
  .meta({
    description: "The record's column that is the key; `{ device: id }` where the table calls it otherwise.",
  });

interface Settings {
  readonly on: On;
  readonly add: Readonly<Record<string, ColumnType>>;
}

function outputOf(input: Schema, { on: { column, key }, add }: Settings): Schema {
  for (const name of [column.name, key]) {
    if (name !== null && Object.hasOwn(add, name))
      throw new ConfigurationError(["add", name], `${name} is the key; expected other columns of the table`);
  }
  return withFields(input, add);
}

function missingText(batch: Batch, row: number, { name, index }: ColumnReference): string {
  const value = valueAt(batch.columns[index]!, row);
  if (value === null) return `expected a key in ${name}, got null`;
  const text = String(value);
  const shown = text.length > shownKeyLength ? `${text.slice(0, shownKeyLength)}…` : text;
  return `expected a row of the table for ${name} ${JSON.stringify(shown)}, found none`;
}

export const lookup: OperatorDefinition = defineOperator({
  name: "lookup",
  summary: "Adds columns of a reference table to each record, by key.",
  rule: [
    "A record gets the values of the row whose key equals its own: equal as text, number or truth value, by the type of the record's column.",
    "Where the record's key is null or in no row of the table, `missing` decides: `null` adds nulls, `drop` leaves the record out, `reject` sends it to the dead letter. A column of the record that has the name of an added one is replaced.",
    "The table is a file (CSV with a header line; NDJSON; JSON, either a list of objects or an object with an object for each key) or a NATS key-value bucket with a JSON object for each key. A table that cannot be read, holds a value of another type or, in a file, a key twice, keeps the pipeline from starting. A worker with a state folder keeps there what it last read of a bucket: where the bucket's server does not answer a start, the pipeline goes on with that, and takes up what is newer as soon as it can.",
    "It is read again when it changes, as a whole or not at all: what cannot be used is logged and counted, and the table stays as it was. Every record sees the table as it is when its batch is handled.",
  ].join(" "),
  kind: "keyed",
  late: () => false,
  config: z.strictObject({
    table: field.reference("Where the table is: `{ file: devices.csv }` or `{ kv: { bucket: devices } }`."),
    on,
    add: z
      .record(z.string().min(1), z.enum(columnTypes))
      .refine((columns) => Object.keys(columns).length > 0, "at least one column: { site: string }")
      .meta({ description: "The table's columns to add, with their types. A time is in ms." }),
    missing: z
      .enum(["null", "drop", "reject"])
      .nullable()
      .default("null")
      .meta({ description: "What becomes of a record without a row." })
      .transform((policy) => policy ?? "null"),
  }),
  examples: [example],
  schema: outputOf,
  references: ({ table, on: { column, key }, add }) => ({
    table: { source: table, on: column, key: key ?? column.name, columns: add },
  }),
  create: ({ on: { column }, add, missing }, { input, output, references: { table } }) => {
    const looked = new LookedUp(input, output, Object.keys(add));
    let places = new Int32Array(0);
    return {
      onBatch(batch, out) {
        if (places.length < batch.count) places = new Int32Array(batch.count);
        table.locate(batch, places);
        const columns: readonly Column[] = looked.columns(batch, table, places);
        if (missing === "null") {
          out.project(batch, columns);
          return;
        }
        const rows = out.scratch(batch);
        let found = 0;
        for (let i = 0; i < batch.count; i++) {
          const row = batch.selection[i]!;
          if (places[i]! >= 0) rows[found++] = row;
          else if (missing === "reject") out.reject(batch, row, "rejected", missingText(batch, row, column));
        }
        out.select({ ...batch, columns }, rows, found);
      },
    };
  },
});
