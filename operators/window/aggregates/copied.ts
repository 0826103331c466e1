// What a slot without any value takes over from one that has some: the cells as they are. A formula for the merging of two
// would square the whole mean, which float64 may not hold.

import type { AggregateState } from "weir/sdk";

/** Copies the cells of slot `from` of one state into slot `into` of another. */
export function copyCells(target: AggregateState, into: number, source: AggregateState, from: number): void {
  for (let cell = 0; cell < target.cells.length; cell++)
    target.cells[cell]![into] = source.cells[cell]![from]!;
}
