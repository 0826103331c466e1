// Aggregates that keep one of the values, whatever its type, by a rank that is a number. A batch first
// decides by row number which of its rows wins each slot; only the winners' values are then read.

import type { Aggregate, AggregateState, Batch, Column, ColumnType, Expression } from "weir/sdk";
import { keptValue } from "./kept-value.ts";
import { present } from "./present.ts";

/** Writes the rank of row `rows[i]` to `ranks[i]`, and what decides between equal ranks to `ties[i]`. The larger wins. */
export type Rank = (
  by: Column,
  rows: Uint32Array,
  count: number,
  batch: Batch,
  ranks: Float64Array,
  ties: Float64Array,
) => void;

interface ChoiceOptions {
  /** True: of rows with the same rank and tie the last to come wins, else the first. */
  readonly takesEqual: boolean;
  /** What is ranked by, where that is not the value itself. A row where it is null does not take part. */
  readonly by?: Expression;
}

let ranks = new Float64Array(0);
let ties = new Float64Array(0);

/** Cells: rank, tie, the winning row while a batch is added (-1 otherwise), and the value's own. */
const valueCell = 3;
const empty = Number.NEGATIVE_INFINITY;

/** Keeps the value of `type` with the largest rank. */
export function choosing(type: ColumnType, { takesEqual, by }: ChoiceOptions, rank: Rank): Aggregate {
  const value = keptValue(type, valueCell);
  const wins = (state: AggregateState, slot: number, rank: number, tie: number): boolean => {
    const kept = state.cells[0]![slot]!;
    if (rank !== kept) return rank > kept;
    const keptTie = state.cells[1]![slot]!;
    return tie > keptTie || (takesEqual && tie === keptTie);
  };
  return {
    initial: [empty, empty, -1, ...value.initial],
    bytes: value.bytes ?? 0,
    isPartial: value.bytes === undefined,
    add(state, allSlots, allRows, total, input, batch) {
      const column = by === undefined ? input! : by.evaluate(batch);
      let some = present(allSlots, allRows, total, input);
      if (by !== undefined) some = present(some.slots, some.rows, some.count, column);
      const { slots, rows, count } = some;
      if (ranks.length < count) {
        ranks = new Float64Array(count * 2);
        ties = new Float64Array(count * 2);
      }
      rank(column, rows, count, batch, ranks, ties);
      const winners = state.cells[2]!;
      for (let i = 0; i < count; i++) {
        const slot = slots[i]!;
        if (!wins(state, slot, ranks[i]!, ties[i]!)) continue;
        state.cells[0]![slot] = ranks[i]!;
        state.cells[1]![slot] = ties[i]!;
        winners[slot] = rows[i]!;
      }
      for (let i = 0; i < count; i++) {
        const slot = slots[i]!;
        if (winners[slot]! < 0) continue;
        value.keep(state, slot, input!, winners[slot]!);
        winners[slot] = -1;
      }
    },
    merge(target, into, source, from) {
      const rank = source.cells[0]![from]!;
      const tie = source.cells[1]![from]!;
      if (rank === empty || !wins(target, into, rank, tie)) return;
      target.cells[0]![into] = rank;
      target.cells[1]![into] = tie;
      value.copy(target, into, source, from);
    },
    finish(state, slots, count, out) {
      for (let i = 0; i < count; i++) {
        if (state.cells[0]![slots[i]!] === empty) out.valid[i] = 0;
        else value.write(state, slots[i]!, out, i);
      }
    },
  };
}
