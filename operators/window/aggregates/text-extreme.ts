// The smallest and the largest of texts, as JavaScript and weir's expressions compare them: by UTF-16
// units. Knows no numbers.

import type { Aggregate, ColumnOf } from "weir/sdk";
import { textBytes } from "./bounds.ts";
import { keepText, keptText } from "./kept-text.ts";
import { present } from "./present.ts";
import { writeText } from "./result.ts";

/** The largest text for 1, the smallest for -1. Cell: the winning row while a batch is added, else -1; buffer: the text. */
export function extremeText(sign: 1 | -1): Aggregate {
  const beats = (a: string, b: string): boolean => (sign === 1 ? a > b : a < b);
  return {
    initial: [-1],
    bytes: textBytes,
    add(state, allSlots, allRows, total, input) {
      const { values, dictionary } = input as ColumnOf<"string">;
      const winners = state.cells[0]!;
      const { slots, rows, count } = present(allSlots, allRows, total, input);
      for (let i = 0; i < count; i++) {
        const row = rows[i]!;
        const winner = winners[slots[i]!]!;
        const code = values[row]!;
        if (winner >= 0) {
          const leading = values[winner]!;
          if (code === leading || !beats(dictionary.text(code), dictionary.text(leading))) continue;
        }
        winners[slots[i]!] = row;
      }
      for (let i = 0; i < count; i++) {
        const slot = slots[i]!;
        if (winners[slot]! < 0) continue;
        const text = dictionary.text(values[winners[slot]!]!);
        winners[slot] = -1;
        if (state.buffers[slot] === undefined || beats(text, keptText(state, slot))) {
          keepText(state, slot, text);
        }
      }
    },
    merge(target, into, source, from) {
      const other = source.buffers[from];
      if (other === undefined) return;
      const wins =
        target.buffers[into] === undefined || beats(keptText(source, from), keptText(target, into));
      if (wins) target.buffers[into] = other.slice();
    },
    finish(state, slots, count, out) {
      for (let i = 0; i < count; i++) {
        if (state.buffers[slots[i]!] === undefined) out.valid[i] = 0;
        else writeText(out, i, keptText(state, slots[i]!));
      }
    },
  };
}
