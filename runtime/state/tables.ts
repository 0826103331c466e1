// Declared tables to tables. The one place that knows every kind.

import type { KeyedTable, PaneTable, TableDeclaration } from "../../operators/sdk/index.ts";
import { makeKeyedTable } from "./keyed.ts";
import { makePaneTable } from "./panes.ts";

export function makeTable(declaration: TableDeclaration): PaneTable | KeyedTable {
  return declaration.kind === "panes" ? makePaneTable(declaration) : makeKeyedTable(declaration);
}
