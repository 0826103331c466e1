// sample: a part of the records, chosen by counting or by the key. Never by chance, so that the same
// stream always gives the same records. Holds nothing back.

import {
  type Batch,
  type ColumnReference,
  defineOperator,
  field,
  type KeyedTable,
  type Operator,
  type OperatorDefinition,
  table,
  valueAt,
  z,
} from "weir/sdk";
import { KeyIds, noKeySigned } from "./key-ids.ts";

/** Passes the first record of a key and every n-th after it. The one cell: records of the key so far, modulo n. */
function everyNth(counts: KeyedTable, n: number): Operator {
  const keys = new KeyIds();
  return {
    onBatch(batch, out) {
      const ids = keys.of(counts, batch);
      const seen = counts.cells[0]!;
      const rows = out.scratch(batch);
      let passing = 0;
      for (let i = 0; i < batch.count; i++) {
        const row = batch.selection[i]!;
        const key = ids[i]! | 0;
        if (key === noKeySigned) out.drop(batch, row, "overflow");
        else {
          const place = seen[key]!;
          if (place === 0) rows[passing++] = row;
          seen[key] = place + 1 === n ? 0 : place + 1;
        }
      }
      out.select(batch, rows, passing);
    },
  };
}

/** A number from 0 to below 1 that depends on nothing but the key: FNV-1a over its texts, then mixed. */
function shareOf(batch: Batch, by: readonly ColumnReference[], row: number): number {
  let hash = 0x811c9dc5;
  for (const { index } of by) {
    const value = valueAt(batch.columns[index]!, row);
    // A separator that no text holds, and another for null, which is no text.
    const text = `${value === null ? "\uffff" : String(value)}\ufffe`;
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  // FNV's high bits hardly differ between short keys; this is the finalizer of MurmurHash3.
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

/** Passes all records of some keys. The one cell: the key's number, so that each key is hashed once. */
function shareOfKeys(shares: KeyedTable, by: readonly ColumnReference[], share: number): Operator {
  const keys = new KeyIds();
  return {
    onBatch(batch, out) {
      const ids = keys.of(shares, batch);
      const known = shares.cells[0]!;
      const rows = out.scratch(batch);
      let passing = 0;
      for (let i = 0; i < batch.count; i++) {
        const row = batch.selection[i]!;
        const key = ids[i]! | 0;
        if (key === noKeySigned) out.drop(batch, row, "overflow");
        else {
          if (known[key]! < 0) known[key] = shareOf(batch, by, row);
          if (known[key]! < share) rows[passing++] = row;
        }
      }
      out.select(batch, rows, passing);
    },
  };
}

export const sample: OperatorDefinition = defineOperator({
  name: "sample",
  summary: "Passes every n-th record of a key, or all records of a share of the keys.",
  rule: [
    "With `every: n` the first record of a key passes, and every n-th after it, in order of arrival.",
    "With `share: s` a key's records all pass or none: they pass when a hash of the key, a number from 0 to below 1, is smaller than `s`. The same key is chosen on every device and after every restart, and a larger share contains a smaller one.",
    "Null is a key of its own. What does not pass is counted as `filtered`.",
  ].join(" "),
  kind: "keyed",
  late: () => false,
  config: z
    .strictObject({
      every: z.int().min(1).optional().meta({ description: "Passes one record of a key in this many." }),
      share: field.number({ min: 0, max: 1 }, "Passes the records of this share of the keys.").optional(),
      by: field.keys("The key. Without it, all records are of one key.").optional(),
    })
    .refine(
      ({ every, share }) => (every === undefined) !== (share === undefined),
      "expected one of `every` and `share`",
    )
    .refine(
      ({ share, by }) => share === undefined || by !== undefined,
      "`share` chooses among keys: say which with `by`",
    ),
  examples: [
    {
      title: "Every third",
      config: { every: 3, by: "device" },
      schema: { device: "string", n: "float64" },
      input: [
        { device: "a", n: 1 },
        { device: "a", n: 2 },
        { device: "b", n: 3 },
        { device: "a", n: 4 },
        { device: "a", n: 5 },
      ],
      output: [
        { device: "a", n: 1 },
        { device: "b", n: 3 },
        { device: "a", n: 5 },
      ],
    },
    {
      title: "Half of the devices",
      config: { share: 0.5, by: "device" },
      schema: { device: "string", n: "float64" },
      input: [
        { device: "boiler-1", n: 1 },
        { device: "boiler-2", n: 2 },
        { device: "boiler-2", n: 3 },
        { device: "boiler-1", n: 4 },
      ],
      output: [
        { device: "boiler-2", n: 2 },
        { device: "boiler-2", n: 3 },
      ],
    },
  ],
  state: ({ by = [], every }) => ({ keys: table.keyed(by, [every === undefined ? -1 : 0]) }),
  create: ({ every, share = 0, by = [] }, { state: { keys } }) =>
    every === undefined ? shareOfKeys(keys, by, share) : everyNth(keys, every),
});
