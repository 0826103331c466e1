// Declared tables to tables. The one place that knows every kind.

import type { KeyedTable, PaneTable, PartTable, TableDeclaration } from "../../operators/sdk/index.ts";
import { makeKeyedTable } from "./keyed.ts";
import { makePaneTable } from "./panes.ts";
import { makePartTable } from "./parts.ts";

export function makeTable(declaration: TableDeclaration): PaneTable | KeyedTable | PartTable {
  switch (declaration.kind) {
    case "panes":
      return makePaneTable(declaration);
    case "keyed":
      return makeKeyedTable(declaration);
    case "parts":
      return makePartTable(declaration);
  }
}
