// quantile, sketch and merge: a quantile of values, the sketch that answers it as a text that can travel,
// and the quantile of sketches that have come back. The numbers are ddsketch.ts's.

import type { Aggregate, AggregateDefinition, ColumnOf } from "weir/sdk";
import { added, joined, quantileOf, sketchAt, sketchBytes } from "./ddsketch.ts";
import { gathering, isReadable } from "./gathered.ts";
import { present } from "./present.ts";
import { writeNumber, writeText } from "./result.ts";
import { sketchOf, textOf } from "./sketch-text.ts";

/** All quantiles of one input share a sketch, and `sketch` is that very one. */
const sketched: Pick<Aggregate, "initial" | "bytes" | "add" | "merge"> = {
  initial: [],
  bytes: sketchBytes,
  add(state, allSlots, allRows, total, input) {
    const { values } = input as ColumnOf<"float64">;
    const { slots, rows, count } = present(allSlots, allRows, total, input);
    for (let i = 0; i < count; i++) {
      const slot = slots[i]!;
      state.buffers[slot] = added(sketchAt(state, slot), values[rows[i]!]!);
    }
  },
  merge(target, into, source, from) {
    const other = source.buffers[from] as Float64Array | undefined;
    if (other !== undefined) target.buffers[into] = joined(sketchAt(target, into), other);
  },
};

const gathered = gathering<Float64Array>({
  initial: [],
  bytes: sketchBytes,
  read: sketchOf,
  join(state, slot, sketch) {
    state.buffers[slot] = joined(sketchAt(state, slot), sketch);
    return true;
  },
  held: ({ buffers }, slot) => (buffers[slot] as Float64Array | undefined) ?? null,
});

export const quantile: AggregateDefinition = {
  name: "quantile",
  summary:
    "The value below which the given share of the values lies, within 1 % of it and never beyond the smallest and the largest of them, which shares 0 and 1 are exactly (DDSketch). Magnitudes below 1e-12 count as 0, and where values span more than a factor of 10^17, those nearest 0 are less exact. Null when there is no value.",
  input: ["float64"],
  parameters: [{ name: "share", min: 0, max: 1 }],
  output: () => "float64",
  create: (_input, [share]) => ({
    ...sketched,
    finish(state, slots, count, out) {
      for (let i = 0; i < count; i++) {
        const sketch = state.buffers[slots[i]!] as Float64Array | undefined;
        writeNumber(out, i, sketch === undefined ? Number.NaN : quantileOf(sketch, share!));
      }
    },
  }),
};

export const sketch: AggregateDefinition = {
  name: "sketch",
  summary:
    "The state of `quantile` as a text, to be sent on and read by `merge`: of many sites or windows, at the same 1 %. Null when there is no value.",
  input: ["float64"],
  parameters: [],
  output: () => "string",
  create: () => ({
    ...sketched,
    finish(state, slots, count, out) {
      for (let i = 0; i < count; i++) {
        const sketch = state.buffers[slots[i]!] as Float64Array | undefined;
        if (sketch === undefined) out.valid[i] = 0;
        else writeText(out, i, textOf(sketch));
      }
    },
  }),
};

export const merge: AggregateDefinition = {
  name: "merge",
  summary:
    "The quantile of all the values in sketches made by `sketch`, within 1 %; null when there is none, or when one of the texts is not such a sketch.",
  input: ["string"],
  parameters: [{ name: "share", min: 0, max: 1 }],
  output: () => "float64",
  create: (_input, [share]) => ({
    ...gathered,
    finish(state, slots, count, out) {
      for (let i = 0; i < count; i++) {
        const slot = slots[i]!;
        const sketch = state.buffers[slot] as Float64Array | undefined;
        const readable = sketch !== undefined && isReadable(state, slot);
        writeNumber(out, i, readable ? quantileOf(sketch, share!) : Number.NaN);
      }
    },
  }),
};
