// What the benchmark of state runs on a thousand keys: every keyed operator of the catalogue with settings
// that people would use, and every aggregate in a window of its own. Nothing of how it is timed.

import { catalog } from "../../operators/catalog.ts";
import { deviceTable } from "./stream.ts";

export interface Case {
  readonly name: string;
  readonly operator: string;
  readonly settings: Readonly<Record<string, unknown>>;
  /** What a record is to cost at most, ns; null where nothing was promised. */
  readonly want: number | null;
}

const keyed_ns_max = 30;
const quantile_ns_max = 60;

type Variants = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** An operator with settings by the name of each variant. */
function variants(operator: string, settings: Variants): Case[] {
  return Object.entries(settings).map(([variant, each]) => ({
    name: `${operator} ${variant}`.trim(),
    operator,
    settings: { by: "device", ...each },
    want: keyed_ns_max,
  }));
}

const value = "temp";
/** Two inputs, told apart by their values. */
const inputs = { warm: "temp > 20.0", cold: "temp <= 20.0" };
const select = { warm: "warm.temp", cold: "cold.temp" };
const add = { site: "string", limit: "float64" };
const table = { file: deviceTable };

export const keyedCases: readonly Case[] = [
  ...variants("deadband", {
    absolute: { value, band: 0.5 },
    heartbeat: { value, band: "2%", every: "30s" },
  }),
  ...variants("swinging_door", { "": { value, band: 0.5 }, max: { value, band: 0.5, max: "1m" } }),
  ...variants("lttb", { "100 to 10": { value, readings: 100, points: 10 } }),
  ...variants("sample", { every: { every: 10 }, share: { share: 0.1 } }),
  ...variants("throttle", { first: { every: "10s" }, last: { every: "10s", keep: "last" } }),
  ...variants("dedup", { "by key": { within: "10s" }, "by sequence": { sequence: "n", within: "10s" } }),
  ...variants("rate", { "": { value: "n" } }),
  ...variants("previous", { number: { values: { before: value } }, text: { values: { before: "unit" } } }),
  ...variants("reorder", { "": { by: undefined } }),
  ...variants("ewma", { "": { value, half_life: "10s" } }),
  ...variants("outlier", {
    "last 11": { value, action: "drop" },
    "last 101": { value, last: 101, action: "drop" },
  }),
  ...variants("top", { "3 in 1m": { value, count: 3, every: "1m" } }),
  ...variants("hold", { "": { when: "temp > 23.0", for: "10s", clear: "temp < 22.0" } }),
  ...variants("absence", { "": { for: "5s" } }),
  ...variants("pattern", {
    "of two": { sequence: ["temp > 24.0", "temp < 16.0"], within: "10m" },
    absent: { sequence: ["temp > 24.0"], absent: "temp < 24.0", within: "5s" },
  }),
  ...variants("align", { "": { inputs, select, age: "1m" } }),
  ...variants("join", {
    "within 1s": { by: undefined, on: "device", left: "warm", right: "cold", inputs, select, within: "1s" },
  }),
  ...variants("lookup", { "": { by: undefined, table, on: "device", add, missing: "drop" } }),
];

/** Keyed operators of the catalogue without a case; windows are measured by themselves. */
export function unmeasured(): readonly string[] {
  return catalog
    .filter(({ name, kind }) => kind === "keyed" && name !== "window")
    .map(({ name }) => name)
    .filter((name) => keyedCases.every(({ operator }) => operator !== name));
}

const calls: readonly string[] = [
  "count()",
  "sum(temp)",
  "mean(temp)",
  "min(temp)",
  "max(temp)",
  "range(temp)",
  "first(temp)",
  "last(temp)",
  "delta(temp)",
  "stddev(temp)",
  "median(temp)",
  "quantile(temp, 0.99)",
  "count_distinct(n)",
  "count_distinct(unit)",
  "mode(unit)",
  "top_k(unit, 3)",
  "top_k(n, 3)",
  "histogram(temp, 16, 18, 20, 22, 24)",
  "arg_max(temp, n)",
  "collect(temp, 100)",
  "rate(n)",
  "integral(temp)",
  "time_mean(temp)",
  "ewma(temp, 10)",
  "slope(temp)",
  "corr(temp, n)",
];

/** One aggregate each, in a window that no stream of these lengths closes. */
export const aggregateCases: readonly Case[] = calls.map((call) => ({
  name: call,
  operator: "window",
  settings: { tumbling: "1d", by: "device", select: { result: call } },
  want: call.startsWith("quantile") ? quantile_ns_max : null,
}));
