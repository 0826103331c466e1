// window: aggregates per key and window of time. State is in panes that the engine holds; this file
// only decides which window a record belongs to and what its rows look like.

import {
  type AggregateDefinition,
  type Batch,
  type ColumnType,
  defineOperator,
  field,
  noKey,
  type OperatorDefinition,
  type PaneTable,
  table,
  z,
} from "weir/sdk";
import { count, first, last, max, mean, min, stddev, sum } from "./aggregates.ts";
import { countDistinct } from "./count-distinct.ts";
import { quantile } from "./quantile.ts";
import { type SharedInput, shareStates } from "./shared-state.ts";

/** What `select` may call. */
export const aggregates: readonly AggregateDefinition[] = [
  count,
  sum,
  mean,
  min,
  max,
  first,
  last,
  stddev,
  quantile,
  countDistinct,
];

/** The start of the window of `size` ms that holds `time`; windows are aligned to the epoch plus `offset`. */
export function windowStart(time: number, size: number, offset: number): number {
  return Math.floor((time - offset) / size) * size + offset;
}

const noKeySigned = noKey | 0;

/** Adds a batch's rows to the slots of their windows. */
class Filler {
  readonly #panes: PaneTable;
  readonly #inputs: readonly SharedInput[];
  readonly #size: number;
  readonly #offset: number;
  #ids = new Uint32Array(0);
  #slots = new Uint32Array(0);
  #rows = new Uint32Array(0);

  constructor(panes: PaneTable, inputs: readonly SharedInput[], size: number, offset: number) {
    this.#panes = panes;
    this.#inputs = inputs;
    this.#size = size;
    this.#offset = offset;
  }

  fill(batch: Batch, leave: (row: number, reason: "late" | "overflow") => void): void {
    if (this.#ids.length < batch.count) {
      this.#ids = new Uint32Array(batch.count);
      this.#slots = new Uint32Array(batch.count);
      this.#rows = new Uint32Array(batch.count);
    }
    this.#panes.keys.identify(batch, this.#ids);
    const filled = this.#place(batch, leave);
    for (const { input, states } of this.#inputs) {
      const column = input === null ? null : input.evaluate(batch);
      for (const { place, aggregate } of states)
        aggregate.add(this.#panes.states[place]!, this.#slots, this.#rows, filled, column, batch);
    }
  }

  /** Finds the slot of every row; returns how many have one. Rows of one window mostly follow each other. */
  #place(batch: Batch, leave: (row: number, reason: "late" | "overflow") => void): number {
    const { selection, count, time } = batch;
    let filled = 0;
    let i = 0;
    while (i < count) {
      const start = windowStart(time[selection[i]!]!, this.#size, this.#offset);
      const next = this.#runEnd(batch, i, start);
      if (next === i) leave(selection[i++]!, "late");
      else filled = this.#placeRun(batch, i, (i = next), start, filled, leave);
    }
    this.#panes.hold(this.#slots, this.#rows, filled, batch);
    return filled;
  }

  /** Where the rows end, from the i-th on, that belong to the window at `start` and came before it closed. */
  #runEnd({ selection, count, time, watermark }: Batch, i: number, start: number): number {
    const end = start + this.#size;
    for (; i < count; i++) {
      const row = selection[i]!;
      const at = time[row]!;
      if (at < start || at >= end || end <= watermark[row]!) break;
    }
    return i;
  }

  /** Finds the slots of the rows `from … to - 1`, which are of one window; returns how many are filled now. */
  #placeRun(
    { selection }: Batch,
    from: number,
    to: number,
    start: number,
    filled: number,
    leave: (row: number, reason: "overflow") => void,
  ): number {
    const ids = this.#ids;
    const slots = this.#slots;
    const rows = this.#rows;
    const pane = this.#panes.pane(start);
    for (let i = from; i < to; i++) {
      // As signed numbers: comparing with `noKey` itself would turn every id into a float64 first.
      const key = ids[i]! | 0;
      if (pane === null || key === noKeySigned) {
        leave(selection[i]!, "overflow");
        continue;
      }
      slots[filled] = pane.slot(key);
      rows[filled++] = selection[i]!;
    }
    return filled;
  }
}

export const window: OperatorDefinition = defineOperator({
  name: "window",
  summary: "Aggregates per key over windows of time.",
  rule: [
    "A window is `[start, start + size)`, aligned to the epoch plus `offset`; times before 1970 floor downwards.",
    "A record belongs to the window that holds its event time (its processing time where the pipeline declares no time field).",
    "A window's rows are sent once, when the watermark passes its end: one row for each key that it saw, with `window_start`, `window_end`, the key and the selected aggregates.",
    "A record whose window has closed is counted as `late`. Null values are skipped by every aggregate but `count()`; a null key is a key of its own.",
  ].join(" "),
  kind: "keyed",
  config: z.strictObject({
    tumbling: field
      .duration("Length of the windows; they follow each other without overlap.")
      .refine((size) => size >= 1, "a window is at least 1ms long"),
    offset: field.duration("Shifts every window's start against the epoch.").optional(),
    by: field
      .keys("The key: one column or a list of them. Without it, all records are one group.")
      .optional(),
    select: z
      .record(z.string(), field.aggregate(aggregates, "An aggregate, such as `mean(temp)`."))
      .meta({ description: "The result's columns by name, each an aggregate." }),
  }),
  examples: [
    {
      title: "A row for each device and minute",
      config: {
        tumbling: "1m",
        by: "device",
        select: { mean: "mean(temp)", max: "max(temp)", n: "count()" },
      },
      schema: { device: "string", ts: "time", temp: "float64" },
      time: "ts",
      input: [
        { device: "a", ts: 1_000, temp: 20 },
        { device: "b", ts: 2_000, temp: 5 },
        { device: "a", ts: 59_999, temp: 22 },
        { device: "a", ts: 60_000, temp: 30 },
      ],
      output: [
        { window_start: 0, window_end: 60_000, device: "a", mean: 21, max: 22, n: 2 },
        { window_start: 0, window_end: 60_000, device: "b", mean: 5, max: 5, n: 1 },
        { window_start: 60_000, window_end: 120_000, device: "a", mean: 30, max: 30, n: 1 },
      ],
    },
    {
      title: "Quantiles, distinct values, and null",
      config: {
        tumbling: "10s",
        select: {
          p50: "quantile(value, 0.5)",
          kinds: "count_distinct(kind)",
          values: "count(value)",
          n: "count()",
        },
      },
      schema: { ts: "time", kind: "string", value: "float64" },
      time: "ts",
      input: [
        { ts: 0, kind: "x", value: 0 },
        { ts: 1, kind: "y", value: null },
        { ts: 2, kind: "x", value: 0 },
      ],
      output: [{ window_start: 0, window_end: 10_000, p50: 0, kinds: 2, values: 2, n: 3 }],
    },
  ],
  schema: (_input, { by, select }) => ({
    fields: [
      { name: "window_start", type: "time" as ColumnType },
      { name: "window_end", type: "time" as ColumnType },
      ...(by ?? []).map(({ name, type }) => ({ name, type })),
      ...Object.entries(select).map(([name, { type }]) => ({ name, type })),
    ],
    rest: null,
  }),
  state: ({ by, select }) => ({
    panes: table.panes(by ?? [], shareStates(Object.values(select)).kept),
  }),
  create: ({ tumbling: size, offset = 0, by = [], select }, { state: { panes } }) => {
    const calls = Object.values(select);
    const { inputs, places } = shareStates(calls);
    const filler = new Filler(panes, inputs, size, offset);
    return {
      onBatch(batch, out) {
        filler.fill(batch, (row, reason) => out.drop(batch, row, reason));
      },
      onWatermark(watermark, out) {
        panes.close(watermark - size, ({ start, count, keys, slots }) => {
          const draft = out.draft(count);
          draft.time.fill(start + size - 1);
          draft.columns[0]!.values.fill(start as never);
          draft.columns[1]!.values.fill((start + size) as never);
          by.forEach((_column, part) => panes.keys.write(part, keys, count, draft.columns[2 + part]!));
          calls.forEach(({ aggregate }, i) =>
            aggregate.finish(panes.states[places[i]!]!, slots, count, draft.columns[2 + by.length + i]!),
          );
          for (let row = 0; row < count; row++) draft.weight[row] = panes.weight(slots[row]!);
          out.append(draft);
        });
      },
    };
  },
});
