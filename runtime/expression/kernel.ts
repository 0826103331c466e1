// What a back end makes of a typed tree: the two things that an expression can do. Type only.

import type { Batch, Column } from "../../operators/sdk/index.ts";

export interface Kernel {
  /** The value of each selected row; the column is reused by the next call. */
  evaluate(batch: Batch): Column;
  /** For bools: the selected rows that are true. `rows` may be the selection itself. */
  select(batch: Batch, rows: Uint32Array): number;
}
