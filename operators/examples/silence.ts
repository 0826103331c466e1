// An operator written on columns that acts on time, and sends rows of its own.

import { type Collector, defineOperator, field, noKey, type OperatorDefinition, table, z } from "weir/sdk";

export const silence: OperatorDefinition = defineOperator({
  name: "silence",
  summary: "Sends a row of its own when a key has been silent for a duration.",
  rule: "When `for` has passed in event time since the newest record of a key, a row with the key and `since`, the time of that record, is sent. The records themselves are left out.",
  kind: "keyed",
  silence: (settings) => settings.for,
  config: z.strictObject({
    by: field.keys("The key that is watched."),
    for: field.duration("How long it has to be silent, in event time."),
  }),
  examples: [
    {
      title: "One of two falls silent",
      config: { by: "device", for: "10s" },
      schema: { device: "string", ts: "time" },
      time: "ts",
      input: [
        { device: "a", ts: 0 },
        { device: "b", ts: 5_000 },
        { device: "b", ts: 12_000 },
      ],
      output: [{ device: "a", since: 0 }],
    },
  ],
  schema: (_input, { by }) => ({
    fields: [...by.map(({ name, type }) => ({ name, type })), { name: "since", type: "time" }],
    rest: null,
  }),
  state: ({ by }) => ({ newest: table.keyed(by, [Number.NEGATIVE_INFINITY]) }),
  create: ({ by, for: duration }, { state: { newest } }) => {
    const send = (until: number, out: Collector): void => {
      const [due, times]: [number[], number[]] = [[], []];
      newest.timers.due(until, (key, time) => {
        due.push(key);
        times.push(time);
      });
      if (due.length === 0) return;
      const draft = out.draft(due.length);
      by.forEach((_column, part) =>
        newest.keys.write(part, Uint32Array.from(due), due.length, draft.columns[part]!),
      );
      for (const [row, time] of times.entries()) {
        draft.columns[by.length]!.values[row] = time - duration;
        draft.time[row] = time;
        draft.watermark[row] = time;
        // No record stands in it: those of the key were counted when they came.
        draft.weight[row] = 0;
      }
      out.append(draft);
    };
    return {
      onBatch(batch, out) {
        const ids = new Uint32Array(batch.count);
        newest.keys.identify(batch, ids);
        newest.reserve();
        const times = newest.cells[0]!;
        for (let i = 0; i < batch.count; i++) {
          const row = batch.selection[i]!;
          const id = ids[i]!;
          // Time passes within a batch too: what was due before this record is sent before it counts.
          send(batch.watermark[row]!, out);
          if (id === noKey) out.drop(batch, row, "overflow");
          else if (batch.time[row]! > times[id]!) {
            times[id] = batch.time[row]!;
            newest.timers.set(id, times[id]! + duration);
          }
        }
        // None of them goes on: all but those that were dropped are counted as filtered.
        out.select(batch, batch.selection, 0);
      },
      onWatermark(watermark, out) {
        // The end of the stream is no silence.
        if (watermark < Number.POSITIVE_INFINITY) send(watermark, out);
      },
    };
  },
});
