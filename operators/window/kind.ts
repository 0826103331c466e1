// What every kind of window is to the operator: the tables that it declares and what runs on them.

import {
  type AggregateCall,
  type ColumnReference,
  type Operator,
  table,
  type TableDeclarations,
  type Tables,
  type ValueDeclaration,
} from "weir/sdk";
import type { SharedStates } from "./shared-state.ts";

/** What all kinds know of a `window` step: its key, its aggregates, and how these share their state. */
export interface Grouping {
  readonly by: readonly ColumnReference[];
  readonly calls: readonly AggregateCall[];
  readonly shared: SharedStates;
}

/** How far event time has come: the one number of a step that goes by more than its records. */
export const course: ValueDeclaration = table.values([Number.NEGATIVE_INFINITY]);

export interface WindowKind {
  readonly tables: TableDeclarations;
  create(tables: Tables<TableDeclarations>): Operator;
}

/** A kind that declares `tables`, and gets them in the types that it declared. */
export function kindOn<D extends TableDeclarations>(
  tables: D,
  create: (tables: Tables<D>) => Operator,
): WindowKind {
  return { tables, create: (made) => create(made as Tables<D>) };
}
