// The exact rule of `align`, and examples, for the reference.

import type { Example } from "weir/sdk";

export const alignRule: string = [
  "A record is of the first of `inputs` whose condition is true; one that is of none is counted as `filtered`. Records have their turn in the order of event time, those of equal times in the order in which they came, each when the watermark reaches it; one that comes after that is `late`. So the rows do not depend on how late, within the lateness, a record comes.",
  "For each key and input the latest record that has had its turn is kept, until it is older than the input's `age`: a record at time t is shown in rows up to `t + age`, that moment included.",
  "Each record sends one row of its key when it has its turn: the key, `time` (event time of that record), and the selected columns of the record kept of each input, null where there is none. With `every`, each multiple of `every` sends one row of a key instead: it has that moment as its `time`, shows the records up to and including it, and is sent when the watermark is past it, or the stream ends; but only if it shows a record from after the multiple before.",
  "With `emit: complete` a row is sent only when every input has a record.",
  "A record is out with the first row that shows it; until then it is held. When a newer one of its input takes its place, it becomes too old, or the stream ends before any row showed it, it is counted as `filtered`. When too many keys, or records that wait for their turn, are kept, new ones are counted as `overflow`.",
  "A null key is a key of its own. A selected column that is null in the latest record of its input is null in the row: an older value does not stand in for it.",
].join(" ");

const inputs = { temp: 'kind == "temp"', door: 'kind == "door"' } as const;
const schema = { device: "string", kind: "string", ts: "time", value: "float64" } as const;
const select = { temperature: "temp.value", open: "door.value" } as const;

export const alignExamples: readonly Example[] = [
  {
    title: "A temperature, and whether the door was open then",
    config: { by: "device", inputs, select, age: { temp: "10s", door: "1h" } },
    schema,
    time: "ts",
    input: [
      { device: "r1", kind: "door", ts: 0, value: 0 },
      { device: "r1", kind: "temp", ts: 5_000, value: -18 },
      { device: "r1", kind: "door", ts: 15_000, value: 1 },
      { device: "r1", kind: "door", ts: 15_001, value: 0 },
      { device: "r1", kind: "fan", ts: 16_000, value: 900 },
    ],
    output: [
      { device: "r1", time: 0, temperature: null, open: 0 },
      { device: "r1", time: 5_000, temperature: -18, open: 0 },
      { device: "r1", time: 15_000, temperature: -18, open: 1 },
      { device: "r1", time: 15_001, temperature: null, open: 0 },
    ],
  },
  {
    title: "Complete rows only, every ten seconds",
    config: { by: "device", inputs, select, age: "1m", emit: "complete", every: "10s" },
    schema,
    time: "ts",
    input: [
      { device: "r1", kind: "temp", ts: 1_000, value: -18 },
      { device: "r1", kind: "door", ts: 12_000, value: 1 },
      { device: "r1", kind: "temp", ts: 20_000, value: -17 },
      { device: "r1", kind: "temp", ts: 21_000, value: -16 },
      { device: "r1", kind: "temp", ts: 45_000, value: -15 },
    ],
    output: [
      { device: "r1", time: 20_000, temperature: -17, open: 1 },
      { device: "r1", time: 30_000, temperature: -16, open: 1 },
      { device: "r1", time: 50_000, temperature: -15, open: 1 },
    ],
  },
];
