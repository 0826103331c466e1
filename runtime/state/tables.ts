// Declared tables to tables. The one place that knows every kind.

import type {
  KeyedTable,
  PaneTable,
  PartTable,
  TableDeclaration,
  ValueTable,
} from "../../operators/sdk/index.ts";
import { makeKeyedTable } from "./keyed.ts";
import { makePaneTable } from "./panes.ts";
import { makePartTable } from "./parts.ts";
import { makeValueTable } from "./values.ts";

/** The table of a declaration, for at most `keysMax` keys. */
export function makeTable(
  declaration: TableDeclaration,
  keysMax: number,
): PaneTable | KeyedTable | PartTable | ValueTable {
  switch (declaration.kind) {
    case "panes":
      return makePaneTable(declaration, keysMax);
    case "keyed":
      return makeKeyedTable(declaration, keysMax);
    case "parts":
      return makePartTable(declaration, keysMax);
    case "values":
      return makeValueTable(declaration);
  }
}
