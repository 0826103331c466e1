// Rows of an operator's own, to be written: in memory that is given back when they were sent. Sends nothing.

import type { ColumnType, Draft, WritableColumn } from "../../operators/sdk/index.ts";
import { BatchMemory } from "../batch/batch-memory.ts";
import type { TextDictionary } from "../batch/columns.ts";

export interface LentDraft extends Draft {
  readonly memory: BatchMemory;
}

/** `rows` rows with columns of these types; `dictionaries` by column, null where it has no texts. */
export function lentDraft(
  types: readonly ColumnType[],
  dictionaries: readonly (TextDictionary | null)[],
  rows: number,
  watermark: number,
): LentDraft {
  const memory = new BatchMemory(types, rows);
  return {
    memory,
    columns: types.map((type, index) => {
      const [values, valid] = [memory.values(type, rows), memory.marks(rows).fill(1)];
      return { type, values, valid, dictionary: dictionaries[index]! } as WritableColumn;
    }),
    time: memory.numbers(rows),
    weight: memory.numbers(rows).fill(1),
    watermark: memory.numbers(rows).fill(watermark),
    text: (column, text) => dictionaries[column]!.code(text),
  };
}
