// sketch_distinct and merge_distinct: what count_distinct keeps, as a text that can travel, and the number
// of different values in such texts. The numbers are count-distinct.ts's.

import type { AggregateDefinition } from "weir/sdk";
import { exactMax } from "./bounds.ts";
import { countable, distinct, distinctBytes, distinctIn, join } from "./count-distinct.ts";
import { distinctOf, distinctText } from "./distinct-text.ts";
import { gathering, isReadable } from "./gathered.ts";
import { writeNumber, writeText } from "./result.ts";

export const sketchDistinct: AggregateDefinition = {
  name: "sketch_distinct",
  summary:
    "The state of `count_distinct` as a text, to be sent on and read by `merge_distinct`: values that several sites saw count once. Null when there is no value.",
  input: countable,
  parameters: [],
  output: () => "string",
  create: () => ({
    ...distinct,
    finish({ buffers }, slots, count, out) {
      for (let i = 0; i < count; i++) {
        const sketch = buffers[slots[i]!];
        if (sketch === undefined) out.valid[i] = 0;
        else writeText(out, i, distinctText(sketch));
      }
    },
  }),
};

const gathered = gathering<Float64Array | Uint8Array>({
  initial: [],
  bytes: distinctBytes,
  read: distinctOf,
  join(state, slot, sketch) {
    join(state, slot, sketch);
    return true;
  },
  held: ({ buffers }, slot) => buffers[slot] ?? null,
});

export const mergeDistinct: AggregateDefinition = {
  name: "merge_distinct",
  summary: `How many different values there are in all of some sketches made by \`sketch_distinct\`; exact up to ${exactMax}, then with a standard error of 1.6 %. Null when one of the texts is not such a sketch.`,
  input: ["string"],
  parameters: [],
  output: () => "float64",
  create: () => ({
    ...gathered,
    finish(state, slots, count, out) {
      for (let i = 0; i < count; i++) {
        const slot = slots[i]!;
        writeNumber(out, i, isReadable(state, slot) ? distinctIn(state, slot) : Number.NaN);
      }
    },
  }),
};
