// Numbers that a step keeps for itself as a whole. Knows nothing of what any of them means.

import type { ValueDeclaration, ValueTable } from "../../operators/sdk/index.ts";
import { type Lasting, numbersOf, packed } from "./plain.ts";

export function makeValueTable({ initial }: ValueDeclaration): ValueTable & Lasting {
  const values = Float64Array.from(initial);
  return {
    values,
    held: 0,
    due: Number.POSITIVE_INFINITY,
    snapshot: () => packed(values),
    restore: (data) => values.set(numbersOf(data, values.length)),
  };
}
