// absence: one row when a key has been silent for a time. Holds each key's newest record until the next
// one comes or the silence is long enough.

import { defineOperator, field, type OperatorDefinition, table, z } from "weir/sdk";
import { Held, heldCells, heldExtent, heldProgress } from "../signal/held.ts";
import { holding } from "../signal/holding.ts";

/** The cells: the deadline, the record in hand, the key's newest time, and 1 while it is silent. */
type KeyCells = readonly [Float64Array, Float64Array, Float64Array, Float64Array];

export const absence: OperatorDefinition = defineOperator({
  name: "absence",
  summary: "Sends the last record of a key that has been silent for a duration.",
  rule: [
    "A key is watched from its first record on. When `for` has passed in event time since its newest record without another, that record is sent: once for each silence. Event time passes with the watermark, or with a record of the key itself that comes `for` or more after the one before.",
    "With `returns: true` the record that ends a silence is sent as well, at once. It stands for no input record in the counts, because it may be the last before the next silence.",
    "A record that is older than the newest of its key is counted as `late` and changes nothing; all others that are not sent as `filtered`. The end of the stream is not the passing of time: no key is silent for it.",
  ].join(" "),
  kind: "keyed",
  silence: (settings) => settings.for,
  config: z.strictObject({
    for: field
      .duration("How long a key has to be silent, in event time.")
      .refine((duration) => duration > 0, "a silence is longer than 0"),
    by: field.keys("The key that is watched. Without it, all records are of one key.").optional(),
    returns: z
      .boolean()
      .default(false)
      .meta({ description: "Sends the record that ends a silence as well." }),
  }),
  examples: [
    {
      title: "Silent for half a minute",
      config: { for: "30s", by: "device", returns: true },
      schema: { device: "string", ts: "time", temp: "float64" },
      time: "ts",
      input: [
        { device: "a", ts: 0, temp: 20 },
        { device: "b", ts: 5_000, temp: 3 },
        { device: "a", ts: 20_000, temp: 21 },
        { device: "a", ts: 49_999, temp: 22 },
        { device: "b", ts: 60_000, temp: 4 },
      ],
      output: [
        { device: "b", ts: 5_000, temp: 3 },
        { device: "b", ts: 60_000, temp: 4 },
      ],
    },
  ],
  state: ({ by = [] }) => ({
    keys: table.keyed(by, [...heldCells, Number.NEGATIVE_INFINITY, 0], heldExtent),
    progress: heldProgress,
  }),
  create: ({ for: duration, returns }, { state: { keys, progress } }) => {
    const held = new Held(keys, progress, duration);
    const due = (key: number): void => {
      const [, , , silent] = keys.cells as KeyCells;
      held.sendHeld(key);
      silent[key] = 1;
    };
    /** A record of a key that was silent, or that is new. */
    const meetAgain = (key: number, row: number, at: number): void => {
      const [deadlines, , , silent] = keys.cells as KeyCells;
      if (deadlines[key]! <= at) due(key);
      if (silent[key] === 1) {
        silent[key] = 0;
        if (returns) held.sendCopy(row);
      }
      held.setDeadline(key, at + duration);
    };
    return holding(keys, held, {
      due,
      rows({ selection, count, watermark, time }, ids) {
        const [deadlines, , newest] = keys.cells as KeyCells;
        for (let i = 0; i < count; i++) {
          const row = selection[i]!;
          const key = ids[i]! | 0;
          if (!held.meet(key, row, watermark[row]!)) continue;
          const at = time[row]!;
          if (at < newest[key]!) {
            held.leaveRow(row, "late");
            continue;
          }
          newest[key] = at;
          const deadline = deadlines[key]!;
          // One that is put off has come neither now nor before.
          if (deadline > at && deadline <= at + duration) deadlines[key] = at + duration;
          else meetAgain(key, row, at);
          held.put(key, row);
        }
      },
      end: (key) => held.leaveHeld(key),
    });
  },
});
