// Declared tables to tables. The one place that knows every kind, and which tables share their keys.

import type {
  KeyedTable,
  PaneTable,
  PartTable,
  TableDeclaration,
  TableDeclarations,
  ValueTable,
} from "../../operators/sdk/index.ts";
import { makeKeyedTable } from "./keyed.ts";
import { type KeyedRows, Keys, type LastingKeys, makeKeyTable } from "./keys.ts";
import { makePaneTable } from "./panes.ts";
import { makePartTable } from "./parts.ts";
import { type LastingByKey, listOf, member, type Plain } from "./plain.ts";
import { makeValueTable } from "./values.ts";

type Table = (PaneTable | KeyedTable | PartTable | ValueTable) & LastingByKey;

/** The keys that some tables of a step share, and those tables: a key is known to all of them or to none. */
export interface SharedKeys {
  readonly keys: Keys;
  readonly tables: readonly KeyedRows[];
  /** True when records may wait in one of the tables for event time to reach them. */
  readonly waits: boolean;
}

export interface StepTables {
  readonly byName: Readonly<Record<string, Table>>;
  /** Of the tables whose keys the engine may forget. */
  readonly shared: readonly SharedKeys[];
}

/**
 * The tables of a step's declarations, each for at most `keysMax` keys. Those with the same key columns share
 * their keys. Panes without columns hold the ids of the others, so that they have a say in what is forgotten.
 */
export function makeTables(declarations: TableDeclarations, keysMax: number): StepTables {
  const shared = new Map<string, SharedKeys & { readonly tables: KeyedRows[]; waits: boolean }>();
  const byName: Record<string, Table> = {};
  const borrowing: KeyedRows[] = [];
  for (const [name, declaration] of Object.entries(declarations)) {
    if (declaration.kind === "values") {
      byName[name] = makeValueTable(declaration);
      continue;
    }
    const columns = declaration.by.map(({ index }) => index).join(" ");
    const keys = shared.get(columns)?.keys ?? makeKeyTable(declaration.by, keysMax);
    const own = declaration.kind === "keyed" && declaration.lasting;
    const table = makeTable(declaration, keysMax, own ? makeKeyTable(declaration.by, keysMax) : keys);
    byName[name] = table;
    if (own) continue;
    if (keys instanceof Keys) {
      const group = shared.get(columns) ?? { keys, tables: [], waits: false };
      shared.set(columns, group);
      group.tables.push(table);
      group.waits ||= declaration.kind === "parts";
    } else if (declaration.kind === "panes") borrowing.push(table);
  }
  for (const { tables } of shared.values()) tables.push(...borrowing);
  return { byName, shared: [...shared.values()] };
}

function makeTable(
  declaration: Exclude<TableDeclaration, { readonly kind: "values" }>,
  keysMax: number,
  keys: LastingKeys,
): (PaneTable | KeyedTable | PartTable) & KeyedRows & LastingByKey {
  switch (declaration.kind) {
    case "panes":
      return makePaneTable(declaration, keysMax, keys);
    case "keyed":
      return makeKeyedTable(declaration, keysMax, keys);
    case "parts":
      return makePartTable(declaration, keysMax, undefined, keys);
  }
}

/** Keys that tables share once, then the tables. */
export function snapshotTables({ byName, shared }: StepTables): Plain {
  return {
    keys: shared.map(({ keys }) => keys.snapshot()),
    tables: Object.fromEntries(Object.entries(byName).map(([name, table]) => [name, table.snapshot()])),
  };
}

/** Takes into new tables what `snapshotTables` gave of others with the same declarations. */
export function restoreTables({ byName, shared }: StepTables, data: Plain): void {
  const keys = listOf(member(data, "keys"), shared.length);
  shared.forEach((each, place) => each.keys.restore(keys[place]!));
  // A table without key columns of its own may hold the ids of another's.
  const keysEnd = Math.max(1, ...shared.map((each) => each.keys.size));
  const kept = member(data, "tables");
  for (const [name, table] of Object.entries(byName)) table.restore(member(kept, name), keysEnd);
}
