// Runs of `window` that the reference shows and the tests repeat: one or more for each kind.

import type { Example } from "weir/sdk";

const schema = { device: "string", ts: "time", temp: "float64" } as const;
const hour = 3_600_000;
/** 1969-10-26, 00:00 in New York, where the clocks were put back at 02:00. */
const october: number = Date.UTC(1969, 9, 26, 4);

export const windowExamples: readonly Example[] = [
  {
    title: "A row for each device and minute",
    config: {
      tumbling: "1m",
      by: "device",
      select: { mean: "mean(temp)", max: "max(temp)", n: "count()" },
    },
    schema,
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
  {
    title: "The result of a minute as it grows",
    config: { tumbling: "1m", emit: { early: "20s" }, select: { n: "count()" } },
    schema: { ts: "time" },
    time: "ts",
    input: [{ ts: 0 }, { ts: 25_000 }, { ts: 60_000 }],
    output: [
      { window_start: 0, window_end: 60_000, window_final: false, n: 1 },
      { window_start: 0, window_end: 60_000, window_final: false, n: 2 },
      { window_start: 0, window_end: 60_000, window_final: true, n: 2 },
      { window_start: 60_000, window_end: 120_000, window_final: false, n: 1 },
      { window_start: 60_000, window_end: 120_000, window_final: true, n: 1 },
    ],
  },
  {
    title: "A minute again, when a record for it comes late",
    config: { tumbling: "1m", emit: { updates: "5m" }, select: { n: "count()" } },
    schema: { ts: "time" },
    time: "ts",
    input: [{ ts: 0 }, { ts: 70_000 }, { ts: 1_000 }, { ts: 2_000 }, { ts: 130_000 }],
    output: [
      { window_start: 0, window_end: 60_000, window_revision: 0, n: 1 },
      { window_start: 0, window_end: 60_000, window_revision: 1, n: 3 },
      { window_start: 60_000, window_end: 120_000, window_revision: 0, n: 1 },
      { window_start: 120_000, window_end: 180_000, window_revision: 0, n: 1 },
    ],
  },
  {
    title: "Minutes without records, on the straight line between those with some",
    config: {
      tumbling: "1m",
      by: "device",
      gaps: "interpolate",
      select: { mean: "mean(temp)", n: "count()" },
    },
    schema,
    time: "ts",
    input: [
      { device: "a", ts: 0, temp: 10 },
      { device: "b", ts: 60_000, temp: 0 },
      { device: "a", ts: 180_000, temp: 40 },
    ],
    output: [
      { window_start: 0, window_end: 60_000, window_filled: false, device: "a", mean: 10, n: 1 },
      { window_start: 60_000, window_end: 120_000, window_filled: false, device: "b", mean: 0, n: 1 },
      { window_start: 60_000, window_end: 120_000, window_filled: true, device: "a", mean: 20, n: 0 },
      { window_start: 120_000, window_end: 180_000, window_filled: true, device: "a", mean: 30, n: 0 },
      { window_start: 180_000, window_end: 240_000, window_filled: false, device: "a", mean: 40, n: 1 },
    ],
  },
  {
    title: "The last minute, every half minute",
    config: { hopping: { size: "1m", every: "30s" }, by: "device", select: { mean: "mean(temp)" } },
    schema,
    time: "ts",
    input: [
      { device: "a", ts: 0, temp: 20 },
      { device: "a", ts: 40_000, temp: 22 },
    ],
    output: [
      { window_start: -30_000, window_end: 30_000, device: "a", mean: 20 },
      { window_start: 0, window_end: 60_000, device: "a", mean: 21 },
      { window_start: 30_000, window_end: 90_000, device: "a", mean: 22 },
    ],
  },
  {
    title: "The day so far, hour by hour",
    config: { cumulate: { step: "1h", max: "1d" }, select: { kwh: "sum(kwh)" } },
    schema: { ts: "time", kwh: "float64" },
    time: "ts",
    input: [
      { ts: 0, kwh: 1 },
      { ts: 2 * hour, kwh: 2 },
    ],
    output: [
      { window_start: 0, window_end: hour, kwh: 1 },
      { window_start: 0, window_end: 2 * hour, kwh: 1 },
      { window_start: 0, window_end: 3 * hour, kwh: 3 },
      { window_start: 0, window_end: 24 * hour, kwh: 3 },
    ],
  },
  {
    title: "Visits: a gap of ten seconds ends one, and a record exactly ten seconds later does not",
    config: { session: { gap: "10s" }, by: "device", select: { n: "count()" } },
    schema,
    time: "ts",
    input: [
      { device: "a", ts: 0, temp: 1 },
      { device: "a", ts: 10_000, temp: 1 },
      { device: "a", ts: 20_001, temp: 1 },
    ],
    output: [
      { window_start: 0, window_end: 20_000, device: "a", n: 2 },
      { window_start: 20_001, window_end: 30_001, device: "a", n: 1 },
    ],
  },
  {
    title: "A visit as it grows",
    config: { session: { gap: "10s" }, emit: { early: "5s" }, select: { n: "count()" } },
    schema: { ts: "time" },
    time: "ts",
    input: [{ ts: 1_000 }, { ts: 7_000 }, { ts: 30_000 }],
    output: [
      { window_start: 1_000, window_end: 17_000, window_final: false, n: 2 },
      { window_start: 1_000, window_end: 17_000, window_final: true, n: 2 },
      { window_start: 30_000, window_end: 40_000, window_final: false, n: 1 },
      { window_start: 30_000, window_end: 40_000, window_final: true, n: 1 },
    ],
  },
  {
    title: "Three records at a time, and what is left over at the end",
    config: { count: { n: 3 }, by: "device", select: { mean: "mean(temp)" } },
    schema,
    time: "ts",
    input: [
      { device: "a", ts: 1, temp: 1 },
      { device: "a", ts: 2, temp: 2 },
      { device: "a", ts: 3, temp: 3 },
      { device: "a", ts: 4, temp: 4 },
    ],
    output: [
      { window_start: 1, window_end: 3, device: "a", mean: 2 },
      { window_start: 4, window_end: 4, device: "a", mean: 4 },
    ],
  },
  {
    title: "Each record beside the one before it: what it has changed, and since when",
    config: {
      count: { n: 2, every: 1 },
      by: "device",
      select: { before: "first(temp)", temp: "last(temp)", change: "delta(temp)", n: "count()" },
    },
    schema,
    time: "ts",
    input: [
      { device: "a", ts: 1_000, temp: 20 },
      { device: "a", ts: 3_000, temp: 22 },
      { device: "a", ts: 4_000, temp: 21 },
    ],
    output: [
      { window_start: 1_000, window_end: 3_000, device: "a", before: 20, temp: 22, change: 2, n: 2 },
      { window_start: 3_000, window_end: 4_000, device: "a", before: 22, temp: 21, change: -1, n: 2 },
      { window_start: 4_000, window_end: 4_000, device: "a", before: 21, temp: 21, change: 0, n: 1 },
    ],
  },
  {
    title: "The mean of the last ten seconds, with every record",
    config: { sliding: "10s", by: "device", select: { mean: "mean(temp)" } },
    schema,
    time: "ts",
    input: [
      { device: "a", ts: 0, temp: 1 },
      { device: "a", ts: 6_000, temp: 3 },
      { device: "a", ts: 10_000, temp: 5 },
    ],
    output: [
      { window_start: 0, window_end: 0, device: "a", mean: 1 },
      { window_start: 0, window_end: 6_000, device: "a", mean: 2 },
      { window_start: 6_000, window_end: 10_000, device: "a", mean: 4 },
    ],
  },
  {
    title: "One row for each run of a machine",
    config: {
      state: { open: "phase == 'start'", close: "phase == 'stop'" },
      by: "machine",
      select: { hottest: "max(temp)" },
    },
    schema: { machine: "string", ts: "time", phase: "string", temp: "float64" },
    time: "ts",
    input: [
      { machine: "m", ts: 0, phase: "idle", temp: 99 },
      { machine: "m", ts: 1, phase: "start", temp: 20 },
      { machine: "m", ts: 2, phase: "run", temp: 80 },
      { machine: "m", ts: 3, phase: "stop", temp: 70 },
      { machine: "m", ts: 4, phase: "idle", temp: 99 },
    ],
    output: [{ window_start: 1, window_end: 3, machine: "m", hottest: 80 }],
  },
  {
    title: "An alarm that is told again every half hour while it lasts",
    config: {
      state: { open: "temp > 8", close: "temp < 6" },
      by: "device",
      emit: { early: "30m" },
      select: { warmest: "max(temp)" },
    },
    schema,
    time: "ts",
    input: [
      { device: "a", ts: 0.25 * hour, temp: 9 },
      { device: "a", ts: 0.6 * hour, temp: 7 },
      { device: "a", ts: 1.1 * hour, temp: 10 },
      { device: "a", ts: 1.2 * hour, temp: 5 },
    ],
    output: [
      { window_start: 0.25 * hour, window_end: 0.25 * hour, window_final: false, device: "a", warmest: 9 },
      { window_start: 0.25 * hour, window_end: 0.6 * hour, window_final: false, device: "a", warmest: 9 },
      { window_start: 0.25 * hour, window_end: 1.2 * hour, window_final: true, device: "a", warmest: 10 },
    ],
  },
  {
    title: "Days in New York: the one on which the clocks are put back has 25 hours",
    config: { calendar: { unit: "day", zone: "America/New_York" }, select: { n: "count()" } },
    schema: { ts: "time" },
    time: "ts",
    input: [{ ts: october }, { ts: october + 25 * hour - 1 }, { ts: october + 25 * hour }],
    output: [
      { window_start: october, window_end: october + 25 * hour, n: 2 },
      { window_start: october + 25 * hour, window_end: october + 49 * hour, n: 1 },
    ],
  },
  {
    title: "Hours without records hold zeros",
    config: { calendar: { unit: "hour", zone: "Asia/Kolkata" }, gaps: "zero", select: { kwh: "sum(kwh)" } },
    schema: { ts: "time", kwh: "float64" },
    time: "ts",
    input: [
      { ts: 0, kwh: 1 },
      { ts: 2 * hour, kwh: 2 },
    ],
    output: [
      { window_start: -0.5 * hour, window_end: 0.5 * hour, window_filled: false, kwh: 1 },
      { window_start: 0.5 * hour, window_end: 1.5 * hour, window_filled: true, kwh: 0 },
      { window_start: 1.5 * hour, window_end: 2.5 * hour, window_filled: false, kwh: 2 },
    ],
  },
  {
    title: "Shifts: the night's belongs to the day on which it began",
    config: {
      calendar: { shifts: { early: "06:00", late: "14:00", night: "22:00" }, zone: "Asia/Kolkata" },
      select: { n: "count()" },
    },
    schema: { ts: "time" },
    time: "ts",
    input: [{ ts: 0 }, { ts: 30 * 60_000 }],
    output: [
      { window_start: -7.5 * hour, window_end: 30 * 60_000, shift: "night", n: 1 },
      { window_start: 30 * 60_000, window_end: 8.5 * hour, shift: "early", n: 1 },
    ],
  },
];
