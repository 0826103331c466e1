// corr: how two numbers go together, from one pass and in any order.

import type { Aggregate, AggregateDefinition, AggregateState, ColumnOf, Expression } from "weir/sdk";
import { copyCells } from "./copied.ts";
import { type Present, present } from "./present.ts";
import { writeNumber } from "./result.ts";

type NumberColumn = ColumnOf<"float64">;

/** Cells: how many pairs, mean of each side, sums of squared differences of each, sum of their products. */
const initial: readonly number[] = [0, 0, 0, 0, 0, 0];

/**
 * Pébay, "Formulas for robust, one-pass parallel computation of covariances and arbitrary-order
 * statistical moments", Sandia report SAND2008-6212.
 */
function addPairs(
  { cells }: AggregateState,
  { slots, rows, count }: Present,
  a: Float64Array,
  b: Float64Array,
): void {
  const [pairs, meansA, meansB, squaresA, squaresB, products] = cells as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  for (let i = 0; i < count; i++) {
    const slot = slots[i]!;
    const row = rows[i]!;
    const seen = pairs[slot]! + 1;
    const fromA = a[row]! - meansA[slot]!;
    const fromB = b[row]! - meansB[slot]!;
    meansA[slot]! += fromA / seen;
    meansB[slot]! += fromB / seen;
    const restB = b[row]! - meansB[slot]!;
    squaresA[slot]! += fromA * (a[row]! - meansA[slot]!);
    squaresB[slot]! += fromB * restB;
    products[slot]! += fromA * restB;
    pairs[slot] = seen;
  }
}

function mergePairs(target: AggregateState, into: number, source: AggregateState, from: number): void {
  const added = source.cells[0]![from]!;
  if (added === 0) return;
  const before = target.cells[0]![into]!;
  if (before === 0) return copyCells(target, into, source, from);
  const total = before + added;
  const shared = (before * added) / total;
  const betweenA = source.cells[1]![from]! - target.cells[1]![into]!;
  const betweenB = source.cells[2]![from]! - target.cells[2]![into]!;
  target.cells[0]![into] = total;
  target.cells[1]![into]! += (betweenA * added) / total;
  target.cells[2]![into]! += (betweenB * added) / total;
  target.cells[3]![into]! += source.cells[3]![from]! + betweenA * betweenA * shared;
  target.cells[4]![into]! += source.cells[4]![from]! + betweenB * betweenB * shared;
  target.cells[5]![into]! += source.cells[5]![from]! + betweenA * betweenB * shared;
}

function correlation(second: Expression | undefined): Aggregate {
  return {
    initial,
    isPartial: true,
    add(state, slots, rows, count, input, batch) {
      const other = second!.evaluate(batch);
      const some = present(slots, rows, count, input);
      const both = present(some.slots, some.rows, some.count, other);
      addPairs(state, both, (input as NumberColumn).values, (other as NumberColumn).values);
    },
    merge: mergePairs,
    finish({ cells }, slots, count, out) {
      for (let i = 0; i < count; i++) {
        const slot = slots[i]!;
        const ratio = cells[5]![slot]! / rootOfProduct(cells[3]![slot]!, cells[4]![slot]!);
        // Rounding may carry a perfect line beyond 1.
        writeNumber(out, i, Math.max(-1, Math.min(1, ratio)));
      }
    },
  };
}

/** Rounded once where the product can be held, else twice. */
function rootOfProduct(a: number, b: number): number {
  const product = a * b;
  return product > 1e-290 && product < 1e300 ? Math.sqrt(product) : Math.sqrt(a) * Math.sqrt(b);
}

export const corr: AggregateDefinition = {
  name: "corr",
  summary:
    "Pearson's correlation of x and y, from -1 to 1, over the records where both have a value; null when either does not vary.",
  input: ["float64"],
  second: { name: "y", input: ["float64"] },
  parameters: [],
  output: () => "float64",
  create: (_input, _parameters, second) => correlation(second),
};
