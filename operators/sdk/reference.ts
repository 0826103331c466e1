// Tables that records are looked up in: devices and their sites, say. This file declares what an operator
// may ask for. Whoever runs the pipeline brings the content, and puts newer content in its place between
// batches; an operator never opens anything and never waits.

import type { Batch, Column, ColumnType } from "./batch.ts";
import type { ColumnReference } from "./expression.ts";

/** Where a table is kept. */
export type ReferenceSource =
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "kv"; readonly bucket: string; readonly to: string };

/** A declaration: which table, by what it is searched, and what is wanted of its rows. */
export interface ReferenceDeclaration {
  readonly source: ReferenceSource;
  /** The column of the records that is searched for; the table's key is of its type. */
  readonly on: ColumnReference;
  /** What the table calls its key, where its rows hold it. */
  readonly key: string;
  /** The columns that are wanted. */
  readonly columns: Readonly<Record<string, ColumnType>>;
}

export type ReferenceDeclarations = Readonly<Record<string, ReferenceDeclaration>>;

/** A table as it is during this call. */
export interface ReferenceTable {
  readonly rows: number;
  /** Those declared, in that order; each has `rows` rows. */
  readonly columns: readonly Column[];
  /** Writes the table's row for the i-th selected record to `places[i]`, or -1 where its key is null or in no row. */
  locate(batch: Batch, places: Int32Array): void;
}

export type ReferenceTables<R extends ReferenceDeclarations> = { readonly [N in keyof R]: ReferenceTable };
