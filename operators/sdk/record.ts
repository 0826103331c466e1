// The friendly forms: an operator written as a function of one record. They lower to `defineOperator`;
// the record is a cursor that moves over the columns, so no object is made for a record.

import type { z } from "zod";
import type { ColumnType, Schema } from "./batch.ts";
import { AddedValues } from "./added-values.ts";
import { checkFunctions, Cursor, named, ofRecord, valuesIn } from "./cursor.ts";
import type { RecordView } from "./record-view.ts";
import { defineOperator, type Example, type OperatorDefinition } from "./operator.ts";

/** What a column of a type may hold. */
type ScalarOf<T extends ColumnType> = {
  readonly float64: number;
  readonly time: number;
  readonly int64: bigint;
  readonly bool: boolean;
  readonly string: string;
  readonly json: string;
}[T];

interface RecordSpec<C extends z.ZodType> {
  /** Its word in a pipeline: lower-case letters, digits and _. */
  readonly name: string;
  /** What it does, in a sentence. */
  readonly summary: string;
  /** The exact rule, in sentences; the summary without it. */
  readonly rule?: string;
  /** Its settings, as `z.strictObject({ value: field.column(["float64"], "…") })`; typed and checked before anything runs. */
  readonly config: C;
  /** Runs of it, which `conformanceCases` of `weir/testing` repeats, and takes its random streams from. */
  readonly examples?: readonly Example[];
}

/** What the forms for one record have in common with an operator over columns. */
function statelessPart<C extends z.ZodType>({
  name,
  summary,
  rule = summary,
  config,
  examples = [],
}: RecordSpec<C>): {
  readonly name: string;
  readonly summary: string;
  readonly rule: string;
  readonly kind: "stateless";
  readonly config: C;
  readonly examples: readonly Example[];
} {
  return { name, summary, rule, kind: "stateless", config, examples };
}

/** Keeps the records for which `keep(config)(record)` is true; the others are counted as filtered. */
export function defineFilter<C extends z.ZodType>(
  spec: RecordSpec<C> & {
    /** Called once with the settings; what it returns, with every record: true keeps it. */
    readonly keep: (config: z.output<C>) => (record: RecordView) => boolean;
  },
): OperatorDefinition {
  checkFunctions("defineFilter", spec, ["keep"]);
  return defineOperator({
    ...statelessPart(spec),
    create: (config) => {
      const keep = ofRecord(spec.keep(config), "keep");
      const cursor = new Cursor();
      return {
        onBatch(batch, out) {
          cursor.batch = batch;
          const rows = out.scratch(batch);
          let count = 0;
          for (let i = 0; i < batch.count; i++) {
            cursor.row = batch.selection[i]!;
            const kept: unknown = keep(cursor);
            if (kept === true) rows[count++] = cursor.row;
            else if (kept !== false)
              throw new TypeError(`expected true or false of keep, got ${named(kept)}`);
          }
          out.select(batch, rows, count);
        },
      };
    },
  });
}

/** The values of some columns, by name; those left out are null. */
export type ValuesOf<T extends Readonly<Record<string, ColumnType>>> = {
  readonly [N in keyof T]?: ScalarOf<T[N]> | null | undefined;
};

/** Adds (or replaces) the columns of `columns`: `map(config)(record)` returns their values by name; a value left out is null, one of another name an error. */
export function defineMap<C extends z.ZodType, T extends Readonly<Record<string, ColumnType>>>(
  spec: RecordSpec<C> & {
    /** The columns that are added, or replaced, with their types: `() => ({ dewpoint: "float64" })`. */
    readonly columns: (config: z.output<C>) => T;
    /** Called once with the settings; what it returns, with every record: it gives the values of the columns, null for none. */
    readonly map: (config: z.output<C>) => (record: RecordView) => ValuesOf<T>;
  },
): OperatorDefinition {
  checkFunctions("defineMap", spec, ["columns", "map"]);
  return defineOperator({
    ...statelessPart(spec),
    schema: (input, config) => withFields(input, spec.columns(config)),
    create: (config, { input, output }) => {
      const map = ofRecord(spec.map(config), "map");
      const added = new AddedValues(input, output, Object.keys(spec.columns(config)));
      const cursor = new Cursor();
      return {
        onBatch(batch, out) {
          cursor.batch = batch;
          const draft = out.draft(batch.rows);
          for (let i = 0; i < batch.count; i++) {
            cursor.row = batch.selection[i]!;
            added.put(draft, cursor.row, valuesIn(map(cursor), "values by column of map"));
          }
          out.project(batch, added.columns(batch, draft));
        },
      };
    },
  });
}

/** A schema with further fields; a field of the same name is replaced where it stands. */
export function withFields(input: Schema, added: Readonly<Record<string, ColumnType>>): Schema {
  const fields = input.fields.map((each) =>
    Object.hasOwn(added, each.name) ? { name: each.name, type: added[each.name]! } : each,
  );
  for (const [name, type] of Object.entries(added)) {
    if (!input.fields.some((each) => each.name === name)) fields.push({ name, type });
  }
  return { fields, rest: input.rest };
}
