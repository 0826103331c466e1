// quantile_exact and median: of the values themselves, as long as there are not too many of them; then
// they become a DDSketch, so that no window can take more than its bound.

import type { Aggregate, AggregateDefinition, AggregateState, ColumnOf } from "weir/sdk";
import { valuesExactMax } from "./bounds.ts";
import { added, emptySketch, joined, quantileOf, sketchBytes } from "./ddsketch.ts";
import { present } from "./present.ts";
import { writeNumber } from "./result.ts";

/**
 * Cell: 1 once the buffer is a sketch. Until then it is [how many, value, value, …]; their order means
 * nothing, and `finish` sorts them where they are.
 */
const keeping: Pick<Aggregate, "initial" | "bytes" | "add" | "merge"> = {
  initial: [0],
  bytes: Math.max((valuesExactMax + 1) * 8, sketchBytes),
  add(state, allSlots, allRows, total, input) {
    const { values } = input as ColumnOf<"float64">;
    const { slots, rows, count } = present(allSlots, allRows, total, input);
    for (let i = 0; i < count; i++) keep(state, slots[i]!, values[rows[i]!]!);
  },
  merge(target, into, source, from) {
    const other = source.buffers[from] as Float64Array | undefined;
    if (other === undefined) return;
    if (source.cells[0]![from] === 0) {
      for (let i = 1; i <= other[0]!; i++) keep(target, into, other[i]!);
      return;
    }
    if (target.cells[0]![into] === 0) condense(target, into);
    target.buffers[into] = joined(target.buffers[into] as Float64Array, other);
  },
};

function keep(state: AggregateState, slot: number, value: number): void {
  let buffer = (state.buffers[slot] ??= new Float64Array(8)) as Float64Array;
  if (state.cells[0]![slot] === 0 && buffer[0] === valuesExactMax) {
    condense(state, slot);
    buffer = state.buffers[slot] as Float64Array;
  }
  if (state.cells[0]![slot] === 1) {
    state.buffers[slot] = added(buffer, value);
    return;
  }
  if (buffer[0]! + 1 === buffer.length) {
    const wider = new Float64Array(Math.min(valuesExactMax + 1, buffer.length * 2));
    wider.set(buffer);
    state.buffers[slot] = buffer = wider;
  }
  buffer[++buffer[0]!] = value;
}

/** Turns the values of a slot into a sketch of them. */
function condense(state: AggregateState, slot: number): void {
  const values = state.buffers[slot] as Float64Array | undefined;
  let sketch = emptySketch();
  if (values !== undefined) for (let i = 1; i <= values[0]!; i++) sketch = added(sketch, values[i]!);
  state.buffers[slot] = sketch;
  state.cells[0]![slot] = 1;
}

/** Between the two values that the rank falls between (type 7 of Hyndman and Fan, The American Statistician 50, 1996). */
function between(sorted: Float64Array, share: number): number {
  const rank = share * (sorted.length - 1);
  const low = sorted[Math.floor(rank)]!;
  const high = sorted[Math.ceil(rank)]!;
  const part = rank - Math.floor(rank);
  // Not by their difference, which may be beyond what a number can be.
  return low === high ? low : low * (1 - part) + high * part;
}

function answering(share: number): Aggregate {
  return {
    ...keeping,
    finish(state, slots, count, out) {
      for (let i = 0; i < count; i++) {
        const slot = slots[i]!;
        const buffer = state.buffers[slot] as Float64Array | undefined;
        if (buffer === undefined) out.valid[i] = 0;
        else if (state.cells[0]![slot] === 1) writeNumber(out, i, quantileOf(buffer, share));
        else writeNumber(out, i, between(buffer.subarray(1, 1 + buffer[0]!).sort(), share));
      }
    },
  };
}

// Not by toLocaleString: the tables that it loads are a twentieth of a worker's start.
const bound = String(valuesExactMax).replace(/\B(?=(\d{3})+$)/g, ",");
const policy = `exact up to ${bound} values a window and key, with a straight line between two of them; beyond, within 1 % (DDSketch). Where \`count(x)\` is above ${bound}, it is the latter. Null when there is no value.`;

export const quantileExact: AggregateDefinition = {
  name: "quantile_exact",
  summary: `The value below which the given share of the values lies: ${policy}`,
  input: ["float64"],
  parameters: [{ name: "share", min: 0, max: 1 }],
  output: () => "float64",
  create: (_input, [share]) => answering(share!),
};

export const median: AggregateDefinition = {
  name: "median",
  summary: `The middle value, as \`quantile_exact(x, 0.5)\`: ${policy} \`quantile(x, 0.5)\` keeps less.`,
  input: ["float64"],
  parameters: [],
  output: () => "float64",
  create: () => answering(0.5),
};
