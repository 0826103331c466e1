// sketch_top and merge_top: what top_k keeps, as a text that can travel, and the most frequent values of
// such texts. What is counted, and how far it can be off, is frequent.ts's.

import type { AggregateDefinition, AggregateState, ColumnType } from "weir/sdk";
import { frequentMax, topMax } from "./bounds.ts";
import { countable } from "./count-distinct.ts";
import { frequentBytes, merged } from "./frequent.ts";
import { gathering, isReadable } from "./gathered.ts";
import { writeText } from "./result.ts";
import { countingOf, showsTexts, topJson } from "./top-k.ts";
import { topOf, type TopSketch, topText } from "./top-text.ts";

export const sketchTop: AggregateDefinition = {
  name: "sketch_top",
  summary:
    "The state of `top_k` as a text, to be sent on and read by `merge_top`. Null when there is no value.",
  input: countable,
  parameters: [],
  output: () => "string",
  create: (input) => {
    const type = input ?? "json";
    return {
      ...countingOf(type),
      finish({ buffers }, slots, count, out) {
        for (let i = 0; i < count; i++) {
          const table = buffers[slots[i]!] as Float64Array | undefined;
          if (table === undefined) out.valid[i] = 0;
          else writeText(out, i, topText({ type, table }));
        }
      },
    };
  },
};

/** The cell after those of `gathering`: the place in `countable` of the type of the values. */
const typeCell = 1;

function heldIn({ cells, buffers }: AggregateState, slot: number): TopSketch | null {
  const table = buffers[slot] as Float64Array | undefined;
  return table === undefined ? null : { type: countable[cells[typeCell]![slot]!]!, table };
}

const gathered = gathering<TopSketch>({
  initial: [-1],
  bytes: frequentBytes(true),
  read: topOf,
  join(state, slot, { type, table }) {
    const held = heldIn(state, slot);
    if (held !== null && held.type !== type) return false;
    state.cells[typeCell]![slot] = countable.indexOf(type);
    state.buffers[slot] = held === null ? table.slice() : merged(held.table, table, showsTexts(type));
    return true;
  },
  held: heldIn,
});

export const mergeTop: AggregateDefinition = {
  name: "merge_top",
  summary: `The k most frequent values of all of some sketches made by \`sketch_top\`, as \`top_k\` gives them: a count is too high by its error at most, which is no more than 1/${frequentMax} of all values. Null when one of the texts is not such a sketch, or when they are of values of different types.`,
  input: ["string"],
  parameters: [{ name: "k", min: 1, max: topMax }],
  output: () => "json",
  create: (_input, [k]) => {
    if (!Number.isInteger(k)) throw new RangeError(`expected a whole number k, got ${k}`);
    return {
      ...gathered,
      finish(state, slots, count, out) {
        for (let i = 0; i < count; i++) {
          const slot = slots[i]!;
          const held = heldIn(state, slot);
          const type: ColumnType = held?.type ?? "json";
          if (isReadable(state, slot)) writeText(out, i, topJson(held?.table, type, k!));
          else out.valid[i] = 0;
        }
      },
    };
  },
};
