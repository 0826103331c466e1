// dedup: the first record of a key within a horizon of event time passes. Never lets one record pass
// twice, however late its repetition comes. Holds no records, only when each key may pass again.

import {
  type Batch,
  type Collector,
  type ColumnReference,
  defineOperator,
  field,
  type OperatorDefinition,
  type Room,
  table,
  z,
} from "weir/sdk";
import { Generations, generationsTurn, keysBeforeForgetting } from "./generations.ts";
import { KeyIds, noKeySigned } from "./key-ids.ts";
import { RecentSequences, recentTable, remembered } from "./recent-sequences.ts";

/** The most that a step may be told to remember. */
const keysMost = 1_000_000;
/** That it is time to forget, and that another table may take over, is seen between two batches: each may be as long as this. */
const batchRows = 8_192;

/** When each key may pass again. */
class Seen {
  readonly #generations: Generations;
  readonly #within: number;
  readonly #keys = new KeyIds();
  readonly #nextKeys = new KeyIds();

  constructor(generations: Generations, within: number) {
    this.#generations = generations;
    this.#within = within;
  }

  /** Sorts out a batch's rows: those that pass go to `rows`; returns how many. `unnumbered` is 0 where a row has no sequence number. */
  sift(batch: Batch, unnumbered: Uint8Array | null, rows: Uint32Array, out: Collector): number {
    const { current } = this.#generations;
    const ids = this.#keys.of(current, batch);
    const until = current.cells[0]!;
    const { selection, count, time, watermark } = batch;
    let passing = 0;
    let latest = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < count; i++) {
      const row = selection[i]!;
      const key = ids[i]! | 0;
      const expiry = time[row]! + this.#within;
      if (unnumbered !== null && unnumbered[row] === 0) rows[passing++] = row;
      else if (expiry <= watermark[row]!) out.drop(batch, row, "late");
      else if (key === noKeySigned) out.drop(batch, row, "overflow");
      else if (until[key]! <= watermark[row]!) {
        rows[passing++] = row;
        until[key] = expiry;
        if (expiry > latest) latest = expiry;
      }
    }
    this.#generations.note(latest);
    this.#tellNext(batch, ids, until, rows, passing);
    return passing;
  }

  forget(watermark: number): void {
    this.#generations.forget(watermark);
  }

  /** Puts what has passed into the table that comes next as well. */
  #tellNext(batch: Batch, ids: Uint32Array, until: Float64Array, rows: Uint32Array, passing: number): void {
    const { next } = this.#generations;
    if (next === null) return;
    const nextIds = this.#nextKeys.of(next, { ...batch, selection: rows, count: passing });
    const nextUntil = next.cells[0]!;
    let i = 0;
    for (let j = 0; j < passing; j++) {
      while (batch.selection[i] !== rows[j]) i++;
      const [key, nextKey] = [ids[i]! | 0, nextIds[j]! | 0];
      if (key !== noKeySigned && nextKey !== noKeySigned) nextUntil[nextKey] = until[key]!;
    }
  }
}

/** Numbered records: what was not among the last of its key is looked for among all. */
class Numbered {
  readonly #recent: RecentSequences;
  readonly #seen: Seen;
  #others = new Uint32Array(0);

  constructor(recent: RecentSequences, seen: Seen) {
    this.#recent = recent;
    this.#seen = seen;
  }

  sift(batch: Batch, rows: Uint32Array, out: Collector): number {
    const passing = this.#recent.sift(batch, rows, out);
    const { others: selection, othersCount: count } = this.#recent;
    if (count === 0) return passing;
    if (this.#others.length < count) this.#others = new Uint32Array(batch.count);
    const others = this.#seen.sift({ ...batch, selection, count }, null, this.#others, out);
    // Both are in order; the larger of the last go behind.
    let [one, other] = [passing - 1, others - 1];
    for (let place = passing + others - 1; other >= 0; place--)
      rows[place] = one >= 0 && rows[one]! > this.#others[other]! ? rows[one--]! : this.#others[other--]!;
    return passing + others;
  }

  forget(watermark: number): void {
    this.#recent.forget(watermark);
    this.#seen.forget(watermark);
  }
}

export const dedup: OperatorDefinition = defineOperator({
  name: "dedup",
  summary: "Lets a key pass once within a horizon of event time.",
  rule: [
    "A record passes when no record of its key has, or when the watermark has reached the event time of the last that has, plus `within`. Otherwise it is counted as `duplicate`.",
    "A record whose own event time plus `within` the watermark has reached is counted as `late`: what passed then is forgotten, and it might be a repetition. So a record that is delivered again never passes twice.",
    "With `sequence` that column is part of the key, and a record in which it is null passes unseen. Null in `by` is a key of its own.",
    "Keys are remembered for the horizon and forgotten within another, but none before there are more than 16384; when there are more than `keys.max` by then, new ones are counted as `overflow`. With `sequence` each record is a key to remember, so that `weir lint` compares `keys.max` with what comes at `limits.rate` in twice the horizon.",
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
  state: ({ by, sequence, within }) => {
    const seen = table.keyed(sequence === undefined ? by : [...by, sequence], [Number.NEGATIVE_INFINITY], {
      lasting: true,
    });
    const recent = isNumber(sequence) ? recentTable(by) : table.keyed([], [], { lasting: true });
    return {
      one: sequence === undefined ? seen : { ...seen, extent: { room: roomOf(within, sequence) } },
      other: seen,
      turn: generationsTurn,
      recentOne: recent,
      recentOther: recent,
      recentTurn: generationsTurn,
    };
  },
  create: ({ sequence, within }, { state }) => {
    const seen = new Seen(new Generations(state.one, state.other, state.turn), within);
    const recents = new Generations(state.recentOne, state.recentOther, state.recentTurn);
    const numbered = isNumber(sequence)
      ? new Numbered(new RecentSequences(recents, sequence, within), seen)
      : null;
    return {
      onBatch(batch, out) {
        const rows = out.scratch(batch);
        const unnumbered = sequence === undefined ? null : batch.columns[sequence.index]!.valid;
        const passing = numbered?.sift(batch, rows, out) ?? seen.sift(batch, unnumbered, rows, out);
        out.select(batch, rows, passing, "duplicate");
      },
      onWatermark(watermark) {
        if (watermark !== Number.POSITIVE_INFINITY) (numbered ?? seen).forget(watermark);
      },
    };
  },
});

/** Numbered records: each has a key of its own, but for the last few of those that have a number, which stand beside their key. */
function roomOf(within: number, sequence: ColumnReference): Room {
  const beside = isNumber(sequence) ? remembered : 0;
  // Before there are so many nothing is forgotten, and then for one more horizon: with room for fewer, never.
  const roomIn = (keys: number): number => {
    const own = keys - 2 * batchRows;
    return Math.max(0, Math.min(own, 2 * (own - keysBeforeForgetting)));
  };
  return {
    within: (lateness) => 2 * (within + lateness),
    ofOne: roomIn,
    ofAll: (keys) => roomIn(keys) + keys * beside,
    cure: (records) => {
      const keys = Math.max(records, keysBeforeForgetting + Math.ceil(records / 2)) + 2 * batchRows;
      return keys > keysMost
        ? "write a shorter within"
        : `write keys: { max: ${keys} } beside dedup, or a shorter within`;
    },
  };
}

function isNumber(sequence: ColumnReference | undefined): sequence is ColumnReference {
  return sequence?.type === "float64" || sequence?.type === "int64";
}
