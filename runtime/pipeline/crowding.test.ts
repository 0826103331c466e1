// Room for records: what comes at the rate that is expected is compared with it, and what is told is the cure.

import { expect, it } from "vitest";
import { catalog } from "../../operators/catalog.ts";
import { limits as table } from "../limits.ts";
import { type Loaded, loadPipeline } from "./load.ts";

function load(step: string, limits: string): Loaded {
  const content = `name: p
source:
  nats: { subject: a }
  schema: { d: string, up: bool, ts: time, n: int64, x: float64, id: string, k: string }
  time: { field: ts, lateness: 1s }
limits: { ${limits} }
steps:
  - ${step}
  - sink: { stdout: {} }
`;
  return loadPipeline({ file: "p.yaml", content, catalogue: catalog });
}

function joining(rest: string, on = "d"): string {
  const inputs = `inputs: { a: k == "a", b: k == "b" }`;
  return `join: { left: a, right: b, ${inputs}, on: ${on}, kind: left, select: { v: a.n, w: b.n }, ${rest} }`;
}

/** Where, how bad, the records that may come, the room that there is, and the cure. */
function toldOf(step: string, limits: string): readonly unknown[] {
  const { plan, diagnostics } = load(step, limits);
  const isRefused = diagnostics.some(({ severity }) => severity !== "warning");
  expect(plan === null).toBe(isRefused);
  return diagnostics.map(({ line, column, severity, message, hint }) => [
    `${line}:${column}`,
    severity ?? "error",
    /(\d+) may come/.exec(message)?.[1],
    /there is room for ([^:]*):/.exec(message)?.[1],
    hint,
  ]);
}

it.each<[what: string, step: string, limits: string, told: readonly unknown[]]>([
  [
    "more than a key has room for",
    joining("within: 1m"),
    "rate: 500/s",
    [
      "warning",
      "30000",
      "4096 of one key",
      "write max: 30000 in join, or let it join only what is closer in time",
    ],
  ],
  [
    "a window's worth",
    joining("window: 10s"),
    "rate: 500/s",
    [
      "warning",
      "5000",
      "4096 of one key",
      "write max: 5000 in join, or let it join only what is closer in time",
    ],
  ],
  [
    "on one side only",
    joining("within: { before: 0s, after: 1m }", "up"),
    "rate: 500/s",
    [
      "warning",
      "30000",
      "4096 of one key",
      "write max: 30000 in join, or let it join only what is closer in time",
    ],
  ],
  [
    "more than all keys have room for",
    joining("within: 1m", "up"),
    "rate: 500/s",
    [
      "error",
      "30000",
      "24576 in all",
      "write max: 30000 in join, or let it join only what is closer in time",
    ],
  ],
  [
    "more than any key may have room for",
    joining("within: 1h"),
    "rate: 500/s, memory: 4GiB",
    [
      "warning",
      "1800000",
      "4096 of one key",
      "let it join only what is closer in time, or put records together by a window before it",
    ],
  ],
])("join: %s is told", (_what, step, limits, told) => {
  expect(toldOf(step, limits)).toEqual([["8:5", ...told]]);
});

/** Where a number is what tells records apart, and where a text is: the last numbers are remembered beside their key. */
it.each<[what: string, step: string, limits: string, told: readonly unknown[]]>([
  [
    "more numbers of one key",
    "dedup: { by: d, sequence: n, within: 10m }",
    "rate: 500/s",
    [
      "warning",
      "601000",
      "83616 of one key",
      "write keys: { max: 617384 } beside dedup, or a shorter within",
    ],
  ],
  [
    "more numbers of all keys",
    "dedup: { by: d, sequence: n, within: 10m }",
    "rate: 500/s, keys: { max: 20000 }",
    ["error", "601000", "480000 in all", "write keys: { max: 617384 } beside dedup, or a shorter within"],
  ],
  [
    "more texts",
    "dedup: { by: d, sequence: id, within: 10m }",
    "rate: 500/s",
    ["error", "601000", "83616 in all", "write keys: { max: 617384 } beside dedup, or a shorter within"],
  ],
  [
    "fewer keys than there are before any is forgotten",
    "dedup: { by: d, sequence: id, within: 1s }",
    "rate: 5/s, keys: { max: 1000 }",
    ["error", "20", "0 in all", "write keys: { max: 32778 } beside dedup, or a shorter within"],
  ],
  [
    "more than a step may remember",
    "dedup: { by: d, sequence: id, within: 1h }",
    "rate: 500/s",
    ["error", "3601000", "83616 in all", "write a shorter within"],
  ],
])("dedup: %s is told", (_what, step, limits, told) => {
  expect(toldOf(step, limits)).toEqual([["8:5", ...told]]);
});

it.each([
  ["reorder: {}", "5000000"],
  ["window: { sliding: 9s, by: d, select: { n: count() } }", "95000000"],
  ["align: { by: d, inputs: { a: up, b: x > 1 }, age: 1s, select: { v: a.x, w: b.x } }", "5000000"],
])("records that wait for event time, of all keys: %s", (step, records) => {
  const cure = "let records come less late, or let the step keep them for less time";
  const room = String(table.window_parts_max);
  expect(toldOf(step, "rate: 5000000/s, memory: 100GiB")).toEqual([["8:5", "warning", records, room, cure]]);
  expect(toldOf(step, "rate: 200000/s, memory: 100GiB")).toEqual([]);
});

it.each([
  ["what was told to be enough", joining("within: 1m, max: 30000"), "rate: 500/s"],
  [
    "what dedup was told to be enough",
    "dedup: { by: d, sequence: n, within: 10m }",
    "rate: 500/s, keys: { max: 617384 }, memory: 1GiB",
  ],
  ["a key whose numbers nobody reads", "dedup: { by: [d, id], within: 10m }", "rate: 500/s"],
  ["as much as there is room for", joining("within: 8192ms"), "rate: 500/s"],
])("%s is enough", (_what, step, limits) => {
  expect(toldOf(step, limits)).toEqual([]);
});

it("says what becomes of the others", () => {
  expect(load(joining("within: 1m"), "rate: 500/s").diagnostics[0]!.message).toBe(
    "each record is remembered for 60 s, 30000 may come in that time at limits.rate, and there is room for 4096 of one key: further ones are left out as overflow",
  );
});

it("names no more keys than a step may remember", () => {
  const hintOf = (seconds: number): unknown =>
    load(`dedup: { by: d, sequence: id, within: ${seconds}s }`, "rate: 500/s").diagnostics[0]!.hint;
  const keys = table.keys_max - 2 * table.batch_rows_max;
  const longest = Math.floor(keys / 1000) - 1;
  const named = 1000 * (longest + 1) + 2 * table.batch_rows_max;
  expect(hintOf(longest)).toContain(`keys: { max: ${named} }`);
  expect(hintOf(longest + 1)).toBe("write a shorter within");
});
