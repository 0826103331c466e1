// The exact rule of `join`, and examples, for the reference.

import type { Example } from "weir/sdk";

export const joinRule: string = [
  "A record is of the first of `inputs` whose condition is true; one that is of none is counted as `filtered`. Records have their turn in the order of event time, those of equal times in the order in which they came, each when the watermark reaches it; one that comes after that is `late`. So the rows do not depend on how late, within the lateness, a record comes.",
  "A left and a right record join when they have the same key and, with `within: { before, after }`, the right one's time is in `[left - before, left + after]`, both ends included (`within: d` is `{ before: d, after: d }`), or, with `window: size`, both are in the same window `[start, end)`, aligned to the epoch plus `offset`.",
  "Each pair is one row: the key, `time` (the later of both event times), and the selected columns. It is sent when the later record has its turn; pairs of one record in the order in which the others had theirs.",
  "With `kind: left` a left record that joined none is sent with nulls in place of the right one when the watermark is past the last moment at which one could come, or the stream ends; with `outer` right ones as well. `time` is its own event time; for the steps that follow, the row stands at that last moment, when it was known. Rows that are due at one moment come after the pairs of that moment, by key in the order in which keys were first seen, and left ones first.",
  "Null joins nothing: a record whose key is null, in any of its columns, is sent alone when it has its turn, or not at all.",
  "A record is out with the first row that shows it; one that joined none and is not sent is counted as `filtered` when its time is over.",
  "A record that finds `max` kept of its key and side joins none and is counted as `overflow`; so is one that comes when too many keys, or records of all keys together, are kept. `weir lint` compares `max` with what comes at `limits.rate` while a record is kept.",
  "More than two inputs are joined by two steps, or put side by side by `align`.",
].join(" ");

const inputs = { temp: 'kind == "temp"', door: 'kind == "door"' } as const;
const schema = { device: "string", kind: "string", ts: "time", value: "float64" } as const;
const input = [
  { device: "r1", kind: "temp", ts: 0, value: -18 },
  { device: "r1", kind: "door", ts: 4_000, value: 1 },
  { device: "r1", kind: "temp", ts: 6_000, value: -16 },
  { device: "r2", kind: "temp", ts: 6_000, value: -20 },
  { device: "r1", kind: "temp", ts: 60_000, value: -18 },
] as const;

export const joinExamples: readonly Example[] = [
  {
    title: "Temperatures up to five seconds from a movement of the door",
    config: {
      left: "temp",
      right: "door",
      inputs,
      on: "device",
      within: "5s",
      select: { temperature: "temp.value", at: "temp.ts", open: "door.value" },
    },
    schema,
    time: "ts",
    input,
    output: [
      { device: "r1", time: 4_000, temperature: -18, at: 0, open: 1 },
      { device: "r1", time: 6_000, temperature: -16, at: 6_000, open: 1 },
    ],
  },
  {
    title: "Every temperature, with the movements of the door in the five seconds before it",
    config: {
      left: "temp",
      right: "door",
      inputs,
      on: "device",
      within: { before: "5s", after: "0s" },
      kind: "left",
      select: { temperature: "temp.value", open: "door.value" },
    },
    schema,
    time: "ts",
    input,
    output: [
      { device: "r1", time: 0, temperature: -18, open: null },
      { device: "r1", time: 6_000, temperature: -16, open: 1 },
      { device: "r2", time: 6_000, temperature: -20, open: null },
      { device: "r1", time: 60_000, temperature: -18, open: null },
    ],
  },
  {
    title: "What happened in the same minute",
    config: {
      left: "temp",
      right: "door",
      inputs,
      on: "device",
      window: "1m",
      kind: "outer",
      select: { temperature: "temp.value", open: "door.value" },
    },
    schema,
    time: "ts",
    input,
    output: [
      { device: "r1", time: 4_000, temperature: -18, open: 1 },
      { device: "r1", time: 6_000, temperature: -16, open: 1 },
      { device: "r2", time: 6_000, temperature: -20, open: null },
      { device: "r1", time: 60_000, temperature: -18, open: null },
    ],
  },
];
