// Sketches that come as texts and are joined, slot by slot. One text that is no such sketch leaves its
// slot without an answer: a wrong one would pass for right. Knows no kind of sketch.

import type { Aggregate, AggregateState, ColumnOf } from "weir/sdk";
import { present } from "./present.ts";

/** The first cell: how many texts could not be read. A kind may have cells of its own after it. */
const unreadable = 0;

export interface SketchKind<S> {
  /** The first values of the kind's own cells. */
  readonly initial: readonly number[];
  /** The most bytes that a slot's buffer takes. */
  readonly bytes: number;
  /** What a text holds; null when it is no sketch of the kind. */
  read(text: string): S | null;
  /** Joins what was read into a slot; false when it does not go with what is there. */
  join(state: AggregateState, slot: number, sketch: S): boolean;
  /** What a slot holds, as `read` would give it; null when it is empty. */
  held(state: AggregateState, slot: number): S | null;
}

/** Joins the sketches of a column of texts. */
export function gathering<S>(kind: SketchKind<S>): Pick<Aggregate, "initial" | "bytes" | "add" | "merge"> {
  const take = (state: AggregateState, slot: number, sketch: S | null): void => {
    if (sketch === null || !kind.join(state, slot, sketch)) state.cells[unreadable]![slot]!++;
  };
  return {
    initial: [0, ...kind.initial],
    bytes: kind.bytes,
    add(state, allSlots, allRows, total, input) {
      const { values, dictionary } = input as ColumnOf<"string">;
      const { slots, rows, count } = present(allSlots, allRows, total, input);
      for (let i = 0; i < count; i++) take(state, slots[i]!, kind.read(dictionary.text(values[rows[i]!]!)));
    },
    merge(target, into, source, from) {
      target.cells[unreadable]![into]! += source.cells[unreadable]![from]!;
      const held = kind.held(source, from);
      if (held !== null) take(target, into, held);
    },
  };
}

/** True when every text of a slot could be read. */
export function isReadable(state: AggregateState, slot: number): boolean {
  return state.cells[unreadable]![slot] === 0;
}
