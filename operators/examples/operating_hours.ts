// An operator written per record, with a memory of each key.

import { defineKeyed, field, type OperatorDefinition, z } from "weir/sdk";

const hour_ms = 3_600_000;

export const operating_hours: OperatorDefinition = defineKeyed({
  name: "operating_hours",
  summary: "Adds for how many hours a machine has run.",
  rule: "From a record in which the machine runs to its next one it has run. A record that is older than the newest of its machine changes nothing.",
  config: z.strictObject({
    on: field.column(["bool"], "Whether it runs."),
    by: field.keys("The machine."),
  }),
  examples: [
    {
      title: "An hour and a half, with a pause",
      config: { on: "on", by: "machine" },
      schema: { machine: "string", ts: "time", on: "bool" },
      time: "ts",
      input: [
        { machine: "press", ts: 0, on: true },
        { machine: "press", ts: 3_600_000, on: false },
        { machine: "press", ts: 5_400_000, on: true },
        { machine: "saw", ts: 5_400_000, on: true },
        { machine: "press", ts: 7_200_000, on: true },
      ],
      output: [
        { machine: "press", ts: 0, on: true, hours: 0 },
        { machine: "press", ts: 3_600_000, on: false, hours: 1 },
        { machine: "press", ts: 5_400_000, on: true, hours: 1 },
        { machine: "saw", ts: 5_400_000, on: true, hours: 0 },
        { machine: "press", ts: 7_200_000, on: true, hours: 1.5 },
      ],
    },
  ],
  memory: () => ({ hours: 0, running: 0, newest: Number.NEGATIVE_INFINITY }),
  columns: () => ({ hours: "float64" }),
  each:
    ({ on }) =>
    (record, memory) => {
      if (record.time < memory.newest) return { hours: memory.hours };
      if (memory.running === 1) memory.hours += (record.time - memory.newest) / hour_ms;
      memory.running = record.get(on) === true ? 1 : 0;
      memory.newest = record.time;
      return { hours: memory.hours };
    },
});
