// What the operators of the catalogue are tried with beyond their examples: a configuration for each branch
// that a setting opens. Rows to expect are in each operator's own tests.

import type { Trial } from "weir/testing";

const device = { device: "string", ts: "time", temp: "float64", n: "int64", on: "bool" } as const;

/** Readings of two devices and of none, a few seconds apart. */
const input: Trial["input"] = [0, 1, 1, 4, 6, 20, 21, 31].map((second, place) => ({
  device: ["a", "b", "a", null][place % 4],
  ts: second * 1_000,
  temp: [20, 21, 19, 25, 20.5, 20, 30, null][place],
  n: place,
  on: place % 3 === 0,
}));

const trialsOf = (...configs: readonly unknown[]): readonly Trial[] =>
  configs.map((config) => ({ config, schema: device, time: "ts", input }));

const by = "device";
const two = ["device", "on"];
const aggregates = {
  count: "count()",
  sum: "sum(temp)",
  spread: "stddev(temp)",
  first: "first(device)",
  last: "last(temp)",
  hottest: "arg_max(device, temp)",
  p90: "quantile(temp, 0.9)",
  median: "quantile_exact(temp, 0.5)",
  devices: "count_distinct(device)",
  often: "top_k(device, 2)",
  all: "collect(temp, 5)",
  mode: "mode(device)",
  least: "min(device)",
  weighted: "time_mean(temp)",
  smooth: "ewma(temp, 5000)",
};

/** What align and join tell apart, and show of it. */
const inputs = { warm: "temp > 20.0", cold: "temp <= 20.0" };
const members = { warm: "warm.temp", label: "cold.device", number: "cold.n" };

/** By operator. */
export const trials: Readonly<Record<string, readonly Trial[]>> = {
  deadband: trialsOf(
    { value: "temp", by: two, band: "10%", against: "last_input", every: "10s" },
    { value: "n", band: 0 },
  ),
  dedup: trialsOf({ by, within: "10s" }, { by: two, sequence: "n", within: "5s" }),
  ewma: trialsOf({ value: "n", half_life: "5s", as: "temp" }),
  outlier: trialsOf({ value: "n", by: two, last: 4, deviations: 1, action: "drop" }),
  rate: trialsOf({ value: "n", by: "n" }),
  previous: trialsOf(
    { by, values: { a: "n", b: "on", c: "temp", d: "ts" } },
    { by: two, values: { device: "device", before: "device" } },
    { values: { temp: "temp" } },
  ),
  sample: trialsOf({ every: 2 }, { share: 0.4, by: two }),
  throttle: trialsOf(
    { every: "5s", by: two },
    { every: "5s", by, keep: "last" },
    { every: "20s", keep: "last" },
  ),
  swinging_door: trialsOf(
    { value: "temp", by, band: 1, max: "10s" },
    { value: "n", by: two, band: 0, min: "2s", max: "5s" },
  ),
  lttb: trialsOf(
    { value: "temp", by, readings: 5, points: 3, within: "10s" },
    { value: "n", readings: 4, points: 3 },
  ),
  top: trialsOf({ count: 2, value: "n", by, every: "10s" }, { count: 1, value: "n", by: two, every: "1s" }),
  absence: trialsOf({ for: "3s", by }, { for: "3s", by: two, returns: true }),
  hold: trialsOf(
    { when: "temp > 19.5", for: "3s", by },
    { when: "temp > 20.0", for: "2s", by, clear: "temp < 20.0", quiet: "10s" },
    { when: "on", for: "0s", quiet: "5s" },
  ),
  pattern: trialsOf(
    { sequence: ["on", "temp > 19.0", "!on"], by },
    { sequence: ["on", "temp > 20.0"], absent: "temp < 20.0", within: "10s", by },
    { sequence: ["on"], absent: "!on", within: "2s" },
  ),
  window: trialsOf(
    { tumbling: "5s", by: two, select: aggregates },
    { tumbling: "10s", offset: "3s", emit: { early: "5s" }, by, select: aggregates },
    { hopping: { size: "10s", every: "3s" }, by, select: aggregates },
    { cumulate: { step: "5s", max: "20s" }, by, select: aggregates },
    { session: { gap: "2s", max: "5s" }, by, select: aggregates },
    { session: { gap: "4s" }, select: aggregates },
    { count: { n: 4 }, by, select: aggregates },
    { count: { n: 5, every: 2 }, by: two, select: aggregates },
    { sliding: "5s", by, select: aggregates },
    { state: { open: "on", close: "temp > 20.0" }, by, select: aggregates },
    { tumbling: "5s", emit: { updates: "5s" }, by, select: aggregates },
    { tumbling: "5s", gaps: "zero", by, select: { n: "count()", mean: "mean(temp)" } },
    { tumbling: "5s", gaps: "null", by: two, select: { n: "count()", mean: "mean(temp)" } },
    { tumbling: "5s", gaps: "last", by, select: { n: "count()", mean: "mean(temp)" } },
    { tumbling: "5s", gaps: "interpolate", by, select: { n: "count()", mean: "mean(temp)" } },
    { calendar: { unit: "hour", zone: "Europe/Berlin" }, by, select: { n: "count()" } },
    { calendar: { shifts: { a: "00:00", b: "12:00" } }, emit: { early: "10s" }, by, select: aggregates },
    { hopping: { size: "10s", every: "3s" }, emit: { early: "2s" }, by, select: aggregates },
    { hopping: { size: "10s", every: "3s" }, emit: { updates: "10s" }, by, select: aggregates },
    { hopping: { size: "6s", every: "3s" }, gaps: "last", by, select: aggregates },
    { session: { gap: "2s" }, emit: { early: "3s" }, by, select: aggregates },
    { session: { gap: "2s", max: "9s" }, emit: { updates: "10s" }, by: two, select: aggregates },
    { state: { open: "on", close: "temp > 20.0" }, emit: { early: "3s" }, by, select: aggregates },
  ),
  align: trialsOf(
    { by, inputs, select: members, age: "10s" },
    { by: two, inputs, select: members, age: { warm: "3s", cold: "30s" }, emit: "complete" },
    { by, inputs, select: members, age: "10s", every: "4s" },
    { inputs, select: members, age: "10s", emit: "complete", every: "5s" },
  ),
  join: trialsOf(
    { left: "warm", right: "cold", inputs, on: by, within: "5s", select: members },
    { left: "warm", right: "cold", inputs, on: by, within: "2s", kind: "left", select: members },
    {
      left: "cold",
      right: "warm",
      inputs,
      on: two,
      within: { before: "9s", after: "0s" },
      kind: "outer",
      select: members,
    },
    {
      left: "warm",
      right: "cold",
      inputs,
      on: by,
      window: "10s",
      offset: "3s",
      kind: "outer",
      select: members,
    },
  ),
};
