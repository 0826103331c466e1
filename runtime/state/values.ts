// Numbers that a step keeps for itself as a whole. Knows nothing of what any of them means.

import type { ValueDeclaration, ValueTable } from "../../operators/sdk/index.ts";

export function makeValueTable({ initial }: ValueDeclaration): ValueTable {
  return { values: Float64Array.from(initial), held: 0, due: Number.POSITIVE_INFINITY };
}
