// throttle: at most one record for each key and period. `first` holds nothing back; `last` holds one
// record a key until its period ends.

import {
  defineOperator,
  field,
  type KeyedTable,
  type Operator,
  type OperatorDefinition,
  table,
  type ValueTable,
  z,
} from "weir/sdk";
import { Held, heldCells, heldExtent, heldProgress } from "./held.ts";
import { nothing } from "./record-reference.ts";
import { holding } from "./holding.ts";
import { KeyIds, noKeySigned } from "./key-ids.ts";

/** Passes a record and closes for a period. The one cell: until when the key is closed. */
function passFirst(closed: KeyedTable, every: number): Operator {
  const keys = new KeyIds();
  return {
    onBatch(batch, out) {
      const { selection, count, time } = batch;
      const ids = keys.of(closed, batch);
      const until = closed.cells[0]!;
      const rows = out.scratch(batch);
      let passing = 0;
      for (let i = 0; i < count; i++) {
        const row = selection[i]!;
        const key = ids[i]! | 0;
        if (key === noKeySigned) out.drop(batch, row, "overflow");
        else if (time[row]! >= until[key]!) {
          rows[passing++] = row;
          until[key] = time[row]! + every;
        }
      }
      out.select(batch, rows, passing);
    },
  };
}

/** By key, when the record in hand came: asked for with each record, and found here sooner than in the record. */
class NewestTimes {
  #times = new Float64Array(0);

  /** Of as many keys as `hands` has room for; `timeOf` tells what was in hand before. */
  of(hands: Float64Array, timeOf: (hand: number) => number): Float64Array {
    const before = this.#times.length;
    if (before >= hands.length) return this.#times;
    const times = new Float64Array(hands.length);
    times.set(this.#times);
    for (let key = before; key < hands.length; key++)
      if (hands[key] !== nothing) times[key] = timeOf(hands[key]!);
    this.#times = times;
    return times;
  }
}

/** Sends a period's newest record when it ends. The key's deadline is the end of its open period. */
function passLast(kept: KeyedTable, progress: ValueTable, every: number): Operator {
  const held = new Held(kept, progress, every);
  const newestTimes = new NewestTimes();
  const due = (key: number): void => held.sendHeld(key);
  return holding(kept, held, {
    due,
    rows({ selection, count, watermark, time }, ids) {
      const [deadlines, hands, ended] = kept.cells as [Float64Array, Float64Array, Float64Array];
      const newest = newestTimes.of(hands, (hand) => held.time(hand));
      for (let i = 0; i < count; i++) {
        const row = selection[i]!;
        const key = ids[i]! | 0;
        if (!held.meet(key, row, watermark[row]!)) continue;
        const at = time[row]!;
        if (deadlines[key]! <= at) {
          held.clearDeadline(key);
          due(key);
        }
        if (deadlines[key] === Number.POSITIVE_INFINITY) {
          if (at < ended[key]!) {
            held.leaveRow(row, "late");
            continue;
          }
          ended[key] = at + every;
          held.setDeadline(key, at + every);
        } else if (at < newest[key]!) continue;
        newest[key] = at;
        held.put(key, row);
      }
    },
    end: due,
  });
}

export const throttle: OperatorDefinition = defineOperator({
  name: "throttle",
  summary: "Lets at most one record of a key pass in each period.",
  rule: [
    "A key's first record opens a period of `every`, which begins at its event time; the first record at or after a period's end opens the next.",
    "With `keep: first` the record that opens a period passes at once; the others, older ones included, are counted as `filtered`.",
    "With `keep: last` the period's newest record (of equal times, the last to arrive) is held and sent when event time reaches the period's end: when the watermark passes it, a record of the key at or after it arrives, or the stream ends.",
    "A record that is older than the end of a period that was sent, while no other is open, is counted as `late`; all others that are not sent as `filtered`.",
  ].join(" "),
  kind: "keyed",
  late: ({ keep }) => keep === "last",
  config: z.strictObject({
    every: field
      .duration("Length of a period, in event time.")
      .refine((every) => every > 0, "a period is longer than 0"),
    by: field.keys("The key. Without it, all records are of one key.").optional(),
    keep: z.enum(["first", "last"]).default("first").meta({
      description: "Which record of a period passes: its first, at once, or its newest, when it ends.",
    }),
  }),
  examples: [
    {
      title: "Not more than one a minute",
      config: { every: "1m", by: "device" },
      schema: { device: "string", ts: "time", temp: "float64" },
      time: "ts",
      input: [
        { device: "a", ts: 5_000, temp: 20 },
        { device: "a", ts: 30_000, temp: 21 },
        { device: "b", ts: 31_000, temp: 3 },
        { device: "a", ts: 65_000, temp: 22 },
      ],
      output: [
        { device: "a", ts: 5_000, temp: 20 },
        { device: "b", ts: 31_000, temp: 3 },
        { device: "a", ts: 65_000, temp: 22 },
      ],
    },
    {
      title: "The newest of each minute",
      config: { every: "1m", by: "device", keep: "last" },
      schema: { device: "string", ts: "time", temp: "float64" },
      time: "ts",
      input: [
        { device: "a", ts: 5_000, temp: 20 },
        { device: "b", ts: 6_000, temp: 3 },
        { device: "a", ts: 64_999, temp: 21 },
        { device: "a", ts: 66_000, temp: 22 },
      ],
      output: [
        { device: "a", ts: 64_999, temp: 21 },
        { device: "b", ts: 6_000, temp: 3 },
        { device: "a", ts: 66_000, temp: 22 },
      ],
    },
  ],
  state: ({ by = [], keep }) => ({
    periods: table.keyed(
      by,
      keep === "first" ? [Number.NEGATIVE_INFINITY] : [...heldCells, Number.NEGATIVE_INFINITY],
      keep === "first" ? {} : heldExtent,
    ),
    progress: heldProgress,
  }),
  create: ({ every, keep }, { state: { periods, progress } }) =>
    keep === "first" ? passFirst(periods, every) : passLast(periods, progress, every),
});
