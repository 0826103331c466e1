// dedup: the first record of a key within a horizon of event time passes. Never lets one record pass
// twice, however late its repetition comes. Holds no records, only when each key may pass again.

import {
  type Batch,
  type Collector,
  defineOperator,
  field,
  type KeyedTable,
  type OperatorDefinition,
  table,
  z,
} from "weir/sdk";
import { KeyIds, noKeySigned } from "./key-ids.ts";

/** Keys remembered before the forgetting of old ones begins. */
const keysBeforeForgetting = 16_384;

/**
 * Keys whose horizon has passed are forgotten by changing over to a second table: it is filled beside the
 * first from some moment on, and takes its place once all that came before that moment has expired.
 */
class Seen {
  readonly #tables: readonly [KeyedTable, KeyedTable];
  /** One key's numbers: which table is in use, when it may be changed for the other (NaN: not being filled), the latest expiry. */
  readonly #turn: KeyedTable;
  readonly #keys = new KeyIds();
  readonly #spareKeys = new KeyIds();

  constructor(tables: readonly [KeyedTable, KeyedTable], turn: KeyedTable) {
    this.#tables = tables;
    this.#turn = turn;
  }

  /** Sorts out a batch's rows: those that pass go to `rows`; returns how many. `unnumbered` is 0 where a row has no sequence number. */
  sift(
    batch: Batch,
    within: number,
    unnumbered: Uint8Array | null,
    rows: Uint32Array,
    out: Collector,
  ): number {
    const [which, changeAt, newest] = this.#turn.cells as [Float64Array, Float64Array, Float64Array];
    const current = this.#tables[which[0] as 0 | 1];
    const ids = this.#keys.of(current, batch);
    const until = current.cells[0]!;
    const { selection, count, time, watermark } = batch;
    let passing = 0;
    for (let i = 0; i < count; i++) {
      const row = selection[i]!;
      const key = ids[i]! | 0;
      const expiry = time[row]! + within;
      if (unnumbered !== null && unnumbered[row] === 0) rows[passing++] = row;
      else if (expiry <= watermark[row]!) out.drop(batch, row, "late");
      else if (key === noKeySigned) out.drop(batch, row, "overflow");
      else if (until[key]! <= watermark[row]!) {
        rows[passing++] = row;
        until[key] = expiry;
        if (expiry > newest[0]!) newest[0] = expiry;
      }
    }
    if (!Number.isNaN(changeAt[0]!)) this.#copy(batch, ids, until, rows, passing);
    return passing;
  }

  /** Event time has come this far. */
  forget(watermark: number): void {
    const [which, changeAt, newest] = this.#turn.cells as [Float64Array, Float64Array, Float64Array];
    const current = this.#tables[which[0] as 0 | 1];
    if (changeAt[0]! <= watermark) {
      which[0] = 1 - which[0]!;
      changeAt[0] = Number.NaN;
      current.clear();
    } else if (Number.isNaN(changeAt[0]!) && current.keys.size > keysBeforeForgetting) {
      changeAt[0] = newest[0]!;
    }
  }

  /** Puts what has passed into the other table as well. */
  #copy(batch: Batch, ids: Uint32Array, until: Float64Array, rows: Uint32Array, passing: number): void {
    const spare = this.#tables[(1 - this.#turn.cells[0]![0]!) as 0 | 1];
    const passed = { ...batch, selection: rows, count: passing };
    const spareIds = this.#spareKeys.of(spare, passed);
    const spareUntil = spare.cells[0]!;
    let i = 0;
    for (let j = 0; j < passing; j++) {
      while (batch.selection[i] !== rows[j]) i++;
      const [key, spareKey] = [ids[i]! | 0, spareIds[j]! | 0];
      if (key !== noKeySigned && spareKey !== noKeySigned) spareUntil[spareKey] = until[key]!;
    }
  }
}

export const dedup: OperatorDefinition = defineOperator({
  name: "dedup",
  summary: "Lets a key pass once within a horizon of event time.",
  rule: [
    "A record passes when no record of its key has, or when the watermark has reached the event time of the last that has, plus `within`. Otherwise it is counted as `duplicate`.",
    "A record whose own event time plus `within` the watermark has reached is counted as `late`: what passed then is forgotten, and it might be a repetition. So a record that is delivered again never passes twice.",
    "With `sequence` that column is part of the key, and a record in which it is null passes unseen. Null in `by` is a key of its own.",
    "Keys are remembered for the horizon and forgotten soon after it; when too many fall into it, new ones are counted as `overflow`.",
  ].join(" "),
  kind: "keyed",
  config: z.strictObject({
    by: field.keys("The key: of records with the same key only the first passes."),
    sequence: field
      .column(["float64", "int64", "string"], "Column that numbers the records of a key.")
      .optional(),
    within: field
      .duration("The horizon: how long a key is remembered, in event time.")
      .refine((within) => within > 0, "a horizon is longer than 0"),
  }),
  examples: [
    {
      title: "A sensor that sends everything twice",
      config: { by: "device", sequence: "seq", within: "10m" },
      schema: { device: "string", seq: "float64", ts: "time" },
      time: "ts",
      input: [
        { device: "a", seq: 1, ts: 0 },
        { device: "a", seq: 1, ts: 0 },
        { device: "a", seq: 2, ts: 1_000 },
        { device: "b", seq: 1, ts: 2_000 },
        { device: "a", seq: 1, ts: 0 },
        { device: "a", seq: null, ts: 3_000 },
        { device: "a", seq: null, ts: 3_000 },
      ],
      output: [
        { device: "a", seq: 1, ts: 0 },
        { device: "a", seq: 2, ts: 1_000 },
        { device: "b", seq: 1, ts: 2_000 },
        { device: "a", seq: null, ts: 3_000 },
        { device: "a", seq: null, ts: 3_000 },
      ],
    },
  ],
  state: ({ by, sequence }) => {
    const key = sequence === undefined ? by : [...by, sequence];
    const seen = table.keyed(key, [Number.NEGATIVE_INFINITY], { lasting: true });
    return { one: seen, other: seen, turn: table.keyed([], [0, Number.NaN, Number.NEGATIVE_INFINITY]) };
  },
  create: ({ sequence, within }, { state: { one, other, turn } }) => {
    const seen = new Seen([one, other], turn);
    return {
      onBatch(batch, out) {
        const rows = out.scratch(batch);
        const unnumbered = sequence === undefined ? null : batch.columns[sequence.index]!.valid;
        out.select(batch, rows, seen.sift(batch, within, unnumbered, rows, out), "duplicate");
      },
      onWatermark(watermark) {
        if (watermark !== Number.POSITIVE_INFINITY) seen.forget(watermark);
      },
    };
  },
});
