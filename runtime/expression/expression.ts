// The door of the expression room: CEL text to something that runs over columns. Pure. The syntax is
// CEL's; the meaning is weir's (all numbers are float64 unless a column is int64, null propagates,
// only true passes a filter). Nothing here reads a clock, and no text of the user's becomes program text.

import type { ColumnType } from "../../operators/sdk/index.ts";

/** A mistake in an expression: where it is in the text, what was expected, and a near name if one is meant. */
export interface ExpressionFault {
  /** Character offsets into the expression's text, end exclusive. */
  readonly start: number;
  readonly end: number;
  readonly message: string;
}

export type Result<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly faults: readonly ExpressionFault[] };

/** `code` generates one loop per expression; `closure` is the slow twin of the same meaning, and the fallback where code generation is forbidden. */
export type Backend = "code" | "closure";

export interface CompileOptions {
  /** Accepted result types; any when empty. */
  readonly types: readonly ColumnType[];
  /** Default: `code` where the process allows it. */
  readonly backend?: Backend;
}

/** A column that an expression reads, with the type its use asks for; null when the use does not tell. */
export interface ColumnUse {
  readonly name: string;
  readonly type: ColumnType | null;
  readonly start: number;
  readonly end: number;
}
