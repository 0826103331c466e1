// Declared tables to tables. The one place that knows every kind.

import type { PaneTable, TableDeclaration, ValueTable } from "../../operators/sdk/index.ts";
import { makePaneTable } from "./panes.ts";
import { makeValueTable } from "./values.ts";

export function makeTable(declaration: TableDeclaration): PaneTable | ValueTable {
  return declaration.kind === "panes" ? makePaneTable(declaration) : makeValueTable(declaration);
}
