// collect: the values themselves, as a JSON list. The one aggregate whose result grows with its window,
// so it is bounded twice: by how many values, and by their bytes where they are texts.

import type { Aggregate, AggregateDefinition, AggregateState, Column, ColumnType } from "weir/sdk";
import { collectBytesMax, collectMax } from "./bounds.ts";
import { present } from "./present.ts";
import { writeText } from "./result.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Cell: how many are kept. The buffer holds them in their order. */
function numbers(max: number, isBool: boolean): Aggregate {
  const keep = ({ cells, buffers }: AggregateState, slot: number, value: number): void => {
    const kept = cells[0]![slot]!;
    if (kept === max) return;
    let buffer = (buffers[slot] ??= new Float64Array(Math.min(max, 8))) as Float64Array;
    if (kept === buffer.length) {
      const wider = new Float64Array(Math.min(max, kept * 2));
      wider.set(buffer);
      buffers[slot] = buffer = wider;
    }
    buffer[kept] = value;
    cells[0]![slot] = kept + 1;
  };
  return {
    initial: [0],
    bytes: max * 8,
    add(state, allSlots, allRows, total, input) {
      const { slots, rows, count } = present(allSlots, allRows, total, input);
      for (let i = 0; i < count; i++) keep(state, slots[i]!, Number(input!.values[rows[i]!]));
    },
    merge(target, into, source, from) {
      const other = source.buffers[from] as Float64Array;
      for (let i = 0; i < source.cells[0]![from]!; i++) keep(target, into, other[i]!);
    },
    finish({ cells, buffers }, slots, count, out) {
      for (let i = 0; i < count; i++) {
        const kept = cells[0]![slots[i]!]!;
        const values = [...((buffers[slots[i]!] as Float64Array | undefined)?.subarray(0, kept) ?? [])];
        writeText(out, i, JSON.stringify(isBool ? values.map((value) => value === 1) : values));
      }
    },
  };
}

/** The JSON of a value whose column has texts, or whose digits a number would not hold. */
function jsonAt(column: Column, row: number): string {
  if (column.type === "string") return JSON.stringify(column.dictionary.text(column.values[row]!));
  return column.type === "json"
    ? column.dictionary.text(column.values[row]!)
    : column.values[row]!.toString();
}

/** Ends each value in the buffer: no JSON holds it unescaped. */
const terminator = "\0";

/**
 * Cells: how many are kept, the bytes they take, 1 when one did not fit: none after it is kept either.
 * The buffer holds their JSON in UTF-8.
 */
function texts(max: number): Aggregate {
  const keep = (state: AggregateState, slot: number, json: string): void => {
    const [kept, used, closed] = state.cells as [Float64Array, Float64Array, Float64Array];
    if (kept[slot] === max || closed[slot] === 1) return;
    const bytes = encoder.encode(json + terminator);
    const size = used[slot]! + bytes.length;
    if (size > collectBytesMax) {
      closed[slot] = 1;
      return;
    }
    let buffer = state.buffers[slot] as Uint8Array | undefined;
    if (buffer === undefined || size > buffer.length) {
      const wider = new Uint8Array(Math.min(collectBytesMax, Math.max(64, size * 2)));
      if (buffer !== undefined) wider.set(buffer);
      state.buffers[slot] = buffer = wider;
    }
    buffer.set(bytes, used[slot]!);
    used[slot] = size;
    kept[slot]!++;
  };
  return {
    initial: [0, 0, 0],
    bytes: collectBytesMax,
    add(state, allSlots, allRows, total, input) {
      const { slots, rows, count } = present(allSlots, allRows, total, input);
      const [kept, , closed] = state.cells as [Float64Array, Float64Array, Float64Array];
      for (let i = 0; i < count; i++) {
        const slot = slots[i]!;
        if (kept[slot] !== max && closed[slot] === 0) keep(state, slot, jsonAt(input!, rows[i]!));
      }
    },
    merge(target, into, source, from) {
      for (const json of textsOf(source, from)) keep(target, into, json);
      if (source.cells[2]![from] === 1) target.cells[2]![into] = 1;
    },
    finish(state, slots, count, out) {
      for (let i = 0; i < count; i++) writeText(out, i, `[${textsOf(state, slots[i]!).join(",")}]`);
    },
  };
}

function textsOf({ cells, buffers }: AggregateState, slot: number): readonly string[] {
  const buffer = buffers[slot] as Uint8Array | undefined;
  return buffer === undefined
    ? []
    : decoder.decode(buffer.subarray(0, cells[1]![slot]!)).split(terminator).slice(0, -1);
}

function holdsTexts(type: ColumnType): boolean {
  return type === "string" || type === "json" || type === "int64";
}

export const collect: AggregateDefinition = {
  name: "collect",
  summary: `The values as a JSON list: in \`sliding\` and \`state\` windows by event time, in others in the order in which they arrived, piece by piece where a window is of several (the rule of \`window\` says which); with \`reorder\` before the window, by event time in all. It holds the first \`max\` of them, and of texts, JSON and int64 only as many as fit into ${collectBytesMax / 1024} KiB. What is left out shows beside \`count(x)\`.`,
  input: ["float64", "time", "int64", "bool", "string", "json"],
  parameters: [{ name: "max", min: 1, max: collectMax }],
  output: () => "json",
  create: (input, [max]) => {
    if (!Number.isInteger(max)) throw new RangeError(`expected a whole number max, got ${max}`);
    const type = input ?? "json";
    return holdsTexts(type) ? texts(max!) : numbers(max!, type === "bool");
  },
};
