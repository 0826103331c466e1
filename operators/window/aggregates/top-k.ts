// top_k and mode: the values that come most often, of any type. What is counted, and how far it can be
// off, is frequent.ts's.

import type { Aggregate, AggregateDefinition, Column, ColumnType, WritableColumn } from "weir/sdk";
import { frequentMax, frequentTextMax, topMax } from "./bounds.ts";
import { countable } from "./count-distinct.ts";
import { counted, entriesOf, type Frequent, frequentBytes, included, merged } from "./frequent.ts";
import { hashAt } from "./hash.ts";
import { present } from "./present.ts";
import { writeText } from "./result.ts";

/** Characters of a JSON value that is too long to be kept whole; as a JSON text they can double. */
const jsonStartMax = 100;

function labelAt(column: Column, row: number): number | string {
  switch (column.type) {
    case "string":
      return column.dictionary.text(column.values[row]!);
    case "json": {
      const text = column.dictionary.text(column.values[row]!);
      return text.length <= frequentTextMax ? text : JSON.stringify(text.slice(0, jsonStartMax));
    }
    case "int64":
      return column.values[row]!.toString();
    default:
      return column.values[row]!;
  }
}

/** Whether the values of a type are labelled by texts; else by numbers. */
export function showsTexts(type: ColumnType): boolean {
  return type === "string" || type === "json" || type === "int64";
}

function counting(texts: boolean): Pick<Aggregate, "initial" | "bytes" | "add" | "merge"> {
  return {
    initial: [],
    bytes: frequentBytes(texts),
    add({ buffers }, allSlots, allRows, total, input) {
      const column = input!;
      const { slots, rows, count } = present(allSlots, allRows, total, input);
      for (let i = 0; i < count; i++) {
        const slot = slots[i]!;
        const hash = hashAt(column, rows[i]!);
        const table = buffers[slot] as Float64Array | undefined;
        if (!counted(table, hash)) buffers[slot] = included(table, hash, labelAt(column, rows[i]!));
      }
    },
    merge(target, into, source, from) {
      const other = source.buffers[from] as Float64Array | undefined;
      if (other === undefined) return;
      const own = target.buffers[into] as Float64Array | undefined;
      target.buffers[into] = own === undefined ? other.slice() : merged(own, other, texts);
    },
  };
}

/** Both kinds of table; all that count the values of one input share one. */
const countingTexts = counting(true);
const countingNumbers = counting(false);

/** The tables for values of a type. */
export function countingOf(type: ColumnType): Pick<Aggregate, "initial" | "bytes" | "add" | "merge"> {
  return showsTexts(type) ? countingTexts : countingNumbers;
}

/** The `k` most frequent values of a table, as JSON. */
export function topJson(table: Float64Array | undefined, type: ColumnType, k: number): string {
  const top = table === undefined ? [] : frequentOf(table, type).slice(0, k);
  const items = top.map(
    ({ label, count, error }) => `{"value":${jsonOf(type, label)},"count":${count},"error":${error}}`,
  );
  return `[${items.join(",")}]`;
}

function frequentOf(table: Float64Array, type: ColumnType): Frequent[] {
  const isLess = type === "int64" ? isLessWhole : isLessLabel;
  return entriesOf(table, showsTexts(type)).sort(
    (a, b) => b.count - a.count || (isLess(a.label, b.label) ? -1 : 1),
  );
}

function isLessLabel(a: number | string, b: number | string): boolean {
  return a < b;
}

/** Of int64 the labels are texts, because float64 would round them; as texts 10 is less than 9, and -2 less than -3. */
function isLessWhole(a: number | string, b: number | string): boolean {
  return BigInt(a) < BigInt(b);
}

function jsonOf(type: ColumnType, label: number | string): string {
  if (type === "bool") return label === 1 ? "true" : "false";
  return type === "int64" || type === "json" ? String(label) : JSON.stringify(label);
}

function writeLabel(out: WritableColumn, row: number, label: number | string): void {
  if (typeof label === "number") out.values[row] = label;
  else if (out.type === "int64") out.values[row] = BigInt(label);
  else writeText(out, row, label);
}

const shown = `Texts are shown up to their ${frequentTextMax}th character.`;

export const topK: AggregateDefinition = {
  name: "top_k",
  summary:
    `The k most frequent values, the most frequent first and of equal ones the smallest: ` +
    '`[{"value":"a","count":7,"error":0},…]`. ' +
    `Exact for up to ${frequentMax} different values; beyond, a count is too high by its error at most, which is no more than 1/${frequentMax} of all values, and what is not listed came no more often than the last count listed (Space-Saving). ${shown}`,
  input: countable,
  parameters: [{ name: "k", min: 1, max: topMax }],
  output: () => "json",
  create: (input, [k]) => {
    if (!Number.isInteger(k)) throw new RangeError(`expected a whole number k, got ${k}`);
    const type = input ?? "json";
    return {
      ...countingOf(type),
      finish({ buffers }, slots, count, out) {
        for (let i = 0; i < count; i++)
          writeText(out, i, topJson(buffers[slots[i]!] as Float64Array | undefined, type, k!));
      },
    };
  },
};

export const mode: AggregateDefinition = {
  name: "mode",
  summary: `The most frequent value, of equally frequent ones the smallest; null when there is none. Exact for up to ${frequentMax} different values; beyond, one whose count is within 1/${frequentMax} of all values of the highest (Space-Saving). ${shown}`,
  input: countable,
  parameters: [],
  output: (input) => input ?? "json",
  create: (input) => {
    const type = input ?? "json";
    return {
      ...countingOf(type),
      finish({ buffers }, slots, count, out) {
        for (let i = 0; i < count; i++) {
          const table = buffers[slots[i]!] as Float64Array | undefined;
          if (table === undefined) out.valid[i] = 0;
          else writeLabel(out, i, frequentOf(table, type)[0]!.label);
        }
      },
    };
  },
};
