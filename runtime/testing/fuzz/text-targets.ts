// What people write: pipelines, expressions, .proto files. Whatever the text, the answer is a plan or a list of mistakes that are in
// it; what was planned takes any record and counts it, and both ways of running an expression say the same.

import { readdirSync, readFileSync } from "node:fs";
import { type Column, type ColumnType, valueAt } from "../../../operators/sdk/index.ts";
import { catalog } from "../../../operators/catalog.ts";
import { makeBatch } from "../../batch/batch.ts";
import { makeColumn, TextDictionary } from "../../batch/columns.ts";
import { readProto } from "../../codec/protobuf/proto-file.ts";
import { compile } from "../../expression/compile.ts";
import { partUrl } from "../../layout.ts";
import type { Diagnostic, StepPlan } from "../../pipeline/pipeline.ts";
import { loadPipeline } from "../../pipeline/load.ts";
import { Harness, lawFaults } from "../harness.ts";
import { bytesOf, type FuzzTarget, wordsOf } from "./target.ts";

const folder = partUrl("pipelines/");
const files = readdirSync(folder).filter((name) => name.endsWith(".yaml"));

/** Records that a plan of whatever kind is given: none is lost, whatever the steps. */
const records = ['{"ts":1,"temperature":2}', '{"ts":"x"}', "", "a,b"].map(bytesOf);

const pipeline: FuzzTarget = {
  name: "pipeline",
  begins: files.map((name) => readFileSync(new URL(name, folder))),
  words: [
    ...wordsOf(`name: source: nats: subject: stream: format: json msgpack csv schema: time: lateness: steps: - sink: window:
      tumbling: hopping: sliding: session: by: select: filter: keys: max: late: limits: float64 int64 time null ~ {} [] & *a !!binary
      \${HOME} \${secret} 1m 0s -1s 99999999999999d 1e400 "" | > --- ... # \\t << __proto__ constructor`),
    ...catalog.map(({ name }) => bytesOf(`- ${name}: `)),
    bytesOf("\n"),
    bytesOf("\n  "),
  ],
  take: (content) => {
    const { plan, diagnostics } = loadPipeline({ file: "fuzz.yaml", content, catalogue: catalog });
    if (plan === null && !diagnostics.some(({ severity }) => severity === "error"))
      throw new Error("there is no plan, and nothing says why");
    const lines = Buffer.from(content).toString("utf8").split("\n");
    for (const diagnostic of diagnostics) check(diagnostic, lines);
    if (plan === null || plan.inputs.length !== 1) return;
    if ([...plan.steps, ...plan.branches.flatMap(({ steps }) => steps)].some(readsTable)) return;
    const harness = new Harness(plan, { header: ["ts", "temperature"] });
    for (const record of records) harness.raw(record);
    harness.finish();
    const faults = lawFaults(harness.counts());
    if (faults.length > 0) throw new Error(faults.join("; "));
  },
};

/** Its tables would have to be given before the first record. */
function readsTable({ definition, config }: StepPlan): boolean {
  return definition.kind === "keyed" && Object.keys(definition.references(config)).length > 0;
}

function check({ line, column, message }: Diagnostic, lines: readonly string[]): void {
  if (message === "" || line < 1 || line > lines.length + 1 || column < 1)
    throw new Error(`a mistake at ${line}:${column} of ${lines.length} lines: ${message}`);
}

const types: Readonly<Record<string, ColumnType>> = {
  a: "float64",
  n: "int64",
  p: "bool",
  s: "string",
  at: "time",
};
const schema = { fields: Object.entries(types).map(([name, type]) => ({ name, type })), rest: null };
const rowCount = 4;

function columnOf(type: ColumnType): Column {
  const texts = new TextDictionary();
  const column = makeColumn(type, rowCount, texts);
  const values = column.values as { [row: number]: number | bigint };
  for (let row = 0; row < rowCount; row++) {
    const number = [0, -1.5, 2 ** 53, 7][row]!;
    column.valid[row] = row === 2 ? 0 : 1;
    if (type === "int64") values[row] = BigInt(Math.trunc(number));
    else if (type === "string") values[row] = texts.code(["", "a-1", "é", "12"][row]!);
    else values[row] = type === "bool" ? row % 2 : number;
  }
  return column;
}

const batch = makeBatch({
  schema,
  columns: Object.values(types).map(columnOf),
  rows: rowCount,
  time: new Float64Array(rowCount),
  watermark: new Float64Array(rowCount),
  selection: Uint32Array.from({ length: rowCount }, (_, row) => row),
  count: rowCount,
});

const expression: FuzzTarget = {
  name: "expression",
  begins: [
    'temperature > -40 && a < 85.5e-3 ? s.startsWith("a") : !p',
    "coalesce(a, double(n)) + clamp(abs(n), 1, 9) % 7 - -0.0",
    's.matches("^[a-z]+-[0-9]{1,3}$") || s in ["a", "b"] && has(a)',
    'timestamp("2026-01-02T03:04:05Z") + 5 < at && size(s) == int("12")',
  ].map(bytesOf),
  words:
    wordsOf(`a n p s at null true false ( ) [ ] , ? : && || ! == != <= >= < > + - * / % in . "x" 'y' 1 -1 0.5 1e999 0x1F 9u
    9223372036854775807 b"x" r"\\" """ matches( size( startsWith( coalesce( clamp( timestamp( pow( __proto__ constructor (a+)+$`),
  take: (input) => {
    const text = Buffer.from(input).toString("utf8");
    const code = compile(text, schema, { types: [], backend: "code" });
    const closure = compile(text, schema, { types: [], backend: "closure" });
    if (code.ok !== closure.ok) throw new Error(`code ${code.ok}, closure ${closure.ok}`);
    if (!code.ok || !closure.ok) {
      const faults = code.ok ? [] : code.faults;
      const outside = faults.find(({ start, end }) => start < 0 || end < start || end > text.length + 1);
      if (outside !== undefined) throw new Error(`${outside.start} to ${outside.end} of ${text.length}`);
      return;
    }
    const [made, meant] = [code.value.evaluate(batch), closure.value.evaluate(batch)];
    for (let row = 0; row < rowCount; row++)
      if (!Object.is(valueAt(made, row), valueAt(meant, row)))
        throw new Error(`row ${row}: ${String(valueAt(made, row))} and ${String(valueAt(meant, row))}`);
  },
};

const proto: FuzzTarget = {
  name: "proto",
  begins: [
    'syntax = "proto3"; package a.b; import "other.proto"; enum E { X = 0; } message M { optional double x = 1; repeated E e = 2; map<string, M> m = 3; oneof o { bytes b = 4; } }',
  ].map(bytesOf),
  words:
    wordsOf(`message enum oneof map<string, repeated optional reserved extend group import public "other.proto" "../x" "/etc/passwd"
    = ; { } 0 -1 536870912 proto2 __proto__ constructor option (a).b`),
  take: (input) => {
    const text = Buffer.from(input).toString("utf8");
    const texts = (path: string): string | null =>
      path === "fuzz.proto" ? text : path === "other.proto" ? "" : null;
    const file = readProto("fuzz.proto", texts);
    if ("fault" in file) return;
    for (const name of file.names) file.message(name);
  },
};

export const textTargets: readonly FuzzTarget[] = [pipeline, expression, proto];
