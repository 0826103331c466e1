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
import type { Slicing } from "./filler.ts";
import type { SharedStates } from "./shared-state.ts";

/** What all kinds know of a `window` step: its key, its aggregates, and how these share their state. */
export interface Grouping {
  readonly by: readonly ColumnReference[];
  readonly calls: readonly AggregateCall[];
  readonly shared: SharedStates;
}

/** How far event time has come: the one number of a step that goes by more than its records. */
export const course: ValueDeclaration = table.values([Number.NEGATIVE_INFINITY]);

/** Where time is cut for records that may be aggregated before they come: those of one pane, between which no moment lies. */
export interface Cuts {
  readonly slicing: Slicing;
  /** The first time after `time` at which something may be sent, so that it matters whether a record came before. */
  nextMoment(time: number): number;
}

export interface WindowKind {
  readonly tables: TableDeclarations;
  /** Null where records have to come one by one. */
  readonly cuts: Cuts | null;
  create(tables: Tables<TableDeclarations>): Operator;
}

/** A kind that declares `tables`, and gets them in the types that it declared. */
export function kindOn<D extends TableDeclarations>(
  tables: D,
  create: (tables: Tables<D>) => Operator,
  cuts: Cuts | null = null,
): WindowKind {
  return { tables, cuts, create: (made) => create(made as Tables<D>) };
}
