// What align and join may ask for, and what they are told when they ask for something else.

import { describe, expect, test } from "vitest";
import { runExample } from "weir/testing";
import type { ColumnType, OperatorDefinition } from "weir/sdk";
import { limits } from "../../runtime/limits.ts";
import { loadPipeline } from "../../runtime/pipeline/load.ts";
import { filter } from "../filter/filter.ts";
import { align } from "./align.ts";
import { inputsMax, keyRecordsDefault, keyRecordsMax, rowsMax } from "./bounds.ts";
import { join } from "./join.ts";

/** The mistakes of a pipeline whose one step has `settings`: what is underlined, the message, the hint. */
function faultsOf(operator: string, settings: string, schema = true): readonly unknown[] {
  const declared = schema
    ? ", schema: { ts: time, source: string, kind: string, device: string, value: float64 }"
    : "";
  const content = `name: j
source: { file: { path: in.ndjson }, format: json${declared}, time: { field: ts } }
limits: { rate: 100/s }
steps:
  - ${operator}: { ${settings} }
  - sink: { stdout: {}, format: json }
`;
  const { diagnostics } = loadPipeline({ file: "j.yaml", content, catalogue: [align, join] });
  const lines = content.split("\n");
  return diagnostics.map(({ line, column, length, message, hint }) => [
    lines[line - 1]!.slice(column - 1, column - 1 + length),
    message,
    hint,
  ]);
}

const two = `inputs: { t: kind == "t", d: kind == "d" }`;
const rest = `select: { v: t.value, w: d.value }`;
const sides = `left: t, right: d, on: device`;

test.each([
  ["align", `${two}, ${rest}, age: 10s`],
  ["align", `by: [device, kind], ${two}, ${rest}, age: { t: 10s, d: 1h }, emit: complete, every: 5s`],
  ["align", `inputs: [t, d], ${rest}, age: 10s`],
  ["join", `${sides}, ${two}, ${rest}, within: 5s`],
  ["join", `${sides}, ${two}, ${rest}, within: { before: 5s, after: 0s }, kind: outer`],
  ["join", `${sides}, inputs: [d, t], ${rest}, window: 1m, offset: 5s, kind: left, max: 6000`],
])("%s takes %s", (operator, settings) => {
  expect(faultsOf(operator, settings)).toEqual([]);
  expect(faultsOf(operator, settings, false)).toEqual([]);
});

test.each([
  ["join", `left: t, right: d, by: device, ${two}, ${rest}, within: 5s`, ["by", "on"]],
  ["align", `on: device, ${two}, ${rest}, age: 10s`, ["on", "by"]],
])("what %s calls otherwise than its neighbours is told", (operator, settings, [written, meant]) => {
  const told = [written, `unknown setting ${written}`, `did you mean ${meant}?`];
  expect(faultsOf(operator, settings)).toContainEqual(told);
});

describe("refused, and where", () => {
  test.each([
    [
      "align",
      `inputs: { t: value }, ${rest}, age: 10s`,
      "inputs",
      "expected two inputs at least: name those that are put together, as in [a, b]",
      null,
    ],
    ["align", `${two}, select: {}, age: 10s`, "select", "expected at least one column", null],
    [
      "align",
      `inputs: { t: value, d: kind == "d" }, ${rest}, age: 10s`,
      "value",
      "expected bool, got float64; compare it, as in x > 0",
      null,
    ],
    [
      "align",
      `${two}, select: { v: t.valeu }, age: 10s`,
      "valeu",
      "there is no column valeu",
      "did you mean value?",
    ],
    [
      "align",
      `${two}, select: { v: value }, age: 10s`,
      "value",
      "expected an input and one of its columns, such as temp.value",
      null,
    ],
    [
      "align",
      `${two}, select: { v: x.value }, age: 10s`,
      "x.value",
      "there is no input x: the inputs are t and d",
      null,
    ],
    [
      "align",
      `${two}, ${rest}, age: { t: 10s }`,
      "age",
      "age says nothing about d: give every input one",
      null,
    ],
    [
      "align",
      `${two}, ${rest}, age: { t: 1s, d: 1s, x: 1s }`,
      "age",
      "there is no input x whose age this could be",
      null,
    ],
    [
      "align",
      `${two}, ${rest}, age: 10s, every: 0s`,
      "0s",
      "expected whole milliseconds, at least one",
      null,
    ],
    [
      "align",
      `inputs: { t: [t], d: n == 2 }, ${rest}, age: 10s`,
      "t",
      "expected text, got a list",
      'write it like source == "temp"',
    ],
    ["align", `${two}, ${rest}`, "align", "age is missing", "write it like 10s or 1m30s"],
    ["join", `${sides}, ${two}, ${rest}`, "join", "join needs one of within and window", null],
    ["join", `${sides}, ${two}, ${rest}, within: 1s, max: 0`, "0", "expected at least 1, got 0", null],
    [
      "join",
      `${sides}, ${two}, ${rest}, within: 1s, window: 1m`,
      "1m",
      "window stands beside within: keep one of them",
      null,
    ],
    [
      "join",
      `${sides}, ${two}, ${rest}, within: 1s, offset: 1s`,
      "1s",
      "only windows have an offset: leave it out",
      null,
    ],
    [
      "join",
      `${sides}, ${two}, ${rest}, window: 0s`,
      "0s",
      "windows are cut at whole milliseconds: write a multiple of 1ms",
      null,
    ],
    [
      "join",
      `left: t, right: t, on: device, ${two}, ${rest}, within: 1s`,
      "t",
      "both sides are the same input: name two",
      null,
    ],
    [
      "join",
      `left: t, right: x, on: device, ${two}, ${rest}, within: 1s`,
      "x",
      "there is no input x: the inputs are t and d",
      null,
    ],
    [
      "join",
      `${sides}, inputs: [t, d, e], ${rest}, within: 1s`,
      "inputs",
      "a join has two inputs, not 3: join twice, or use align",
      null,
    ],
  ])("%s: { %s }", (operator, settings, underlined, message, hint) => {
    expect(faultsOf(operator, settings)).toContainEqual([underlined, message, hint]);
  });
});

const schema = { device: "string", source: "string", ts: "time", value: "float64" } as const;

test("a list of inputs means the sources of those names", () => {
  const input = [
    { device: "a", source: "t", ts: 0, value: 1 },
    { device: "a", source: "d", ts: 1, value: 2 },
    { device: "a", source: "x", ts: 1, value: 9 },
    { device: "a", source: "t", ts: 2, value: 3 },
  ];
  const select = { v: "t.value", w: "d.value" };
  const config = { inputs: ["t", "d"], age: "1s", emit: "complete", select };
  const { rows, faults } = runExample(align, { title: "", config, schema, time: "ts", input, output: [] });
  expect(faults).toEqual([]);
  expect(rows).toEqual([
    { time: 1, v: 1, w: 2 },
    { time: 2, v: 3, w: 2 },
  ]);
});

function outcome(definition: OperatorDefinition, config: unknown): readonly unknown[] {
  const types: Readonly<Record<string, ColumnType>> = {
    ...schema,
    id: "int64",
    ok: "bool",
    raw: "json",
    seen: "time",
  };
  const input = [
    { source: "t", ts: 0, id: 42, ok: true, raw: { a: [1] }, seen: 5, device: "é" },
    { source: "d", ts: 1, id: null, ok: null, raw: null, seen: null, device: null },
  ];
  const example = { title: "", config, schema: types, time: "ts", input, output: [] };
  return runExample(definition, example, 1000).rows;
}

test("values of every type, and null, come through as they are", () => {
  const columns = ["id", "ok", "raw", "seen", "device"];
  const select = Object.fromEntries(
    ["t", "d"].flatMap((name) => columns.map((column) => [`${name}_${column}`, `${name}.${column}`])),
  );
  const row = {
    t_id: 42,
    t_ok: true,
    t_raw: { a: [1] },
    t_seen: 5,
    t_device: "é",
    ...Object.fromEntries(columns.map((column) => [`d_${column}`, null])),
  };
  const inputs = ["t", "d"];
  expect(outcome(align, { inputs, age: "1s", emit: "complete", select })).toEqual([{ time: 1, ...row }]);
  const on = "value";
  expect(outcome(join, { left: "t", right: "d", inputs, on, within: "1s", kind: "left", select })).toEqual([
    { value: null, time: 0, ...row },
  ]);
});

test("a field that nothing else tells the type of is carried as it is", () => {
  const content = `name: j
source: { file: { path: in.ndjson }, format: json, time: { field: ts } }
steps:
  - align: { inputs: [t, d], age: 1s, select: { v: t.value, w: d.level } }
  - filter: w > 3
  - sink: { stdout: {}, format: json }
`;
  const { plan } = loadPipeline({ file: "j.yaml", content, catalogue: [align, filter] });
  const typeOf = (field: string): unknown => plan!.schema.fields.find(({ name }) => name === field)?.type;
  expect([typeOf("value"), typeOf("level"), typeOf("source")]).toEqual(["json", "float64", "string"]);
});

test("the bounds are those of the runtime's table", () => {
  expect([inputsMax, keyRecordsDefault, keyRecordsMax, rowsMax]).toEqual([
    limits.join_inputs_max,
    limits.join_key_records_default,
    limits.join_key_records_max,
    limits.join_rows_max,
  ]);
});
