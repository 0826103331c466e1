// A spec to a plan: fields inferred or taken as declared, every setting bound, columns known at every
// step, and nothing decoded that nobody reads. Pure; never creates an operator or opens anything.

import type { ColumnReference, OperatorDefinition, Schema, SchemaField } from "../../operators/sdk/index.ts";
import type { FieldRead } from "../codec/codec.ts";
import { bindColumn, splitFault } from "./binding.ts";
import { type ChainPlan, type Planning, planChain } from "./chain.ts";
import type { ConfigDocument } from "./document.ts";
import { inferFields } from "./inference.ts";
import { didYouMean } from "./nearest.ts";
import type {
  BranchPlan,
  BranchSpec,
  Diagnostic,
  PipelinePlan,
  PipelineSpec,
  SubjectTemplate,
  TestSpec,
} from "./pipeline.ts";
import { Reader } from "./section.ts";
import { namedTokens, templateParts } from "./subject.ts";
import { expectedRows } from "./test-spec.ts";

export interface PlanAnswer {
  /** Null when there are errors. */
  readonly plan: PipelinePlan | null;
  readonly diagnostics: readonly Diagnostic[];
}

/** Columns that are no part of a payload, with the place of their token. */
type SubjectField = PipelinePlan["subjectFields"][number];

/** The plan of `spec`, which was read from `document`. */
export function planPipeline(
  spec: PipelineSpec,
  catalogue: readonly OperatorDefinition[],
  document: ConfigDocument,
): PlanAnswer {
  const reader = new Reader(document);
  const subjectFields = spec.source.kind === "nats" ? namedTokens(spec.source.subject) : [];
  const tokens = subjectFields.map(({ name }): SchemaField => ({ name, type: "string" }));
  const inferred = spec.schema === null ? inferFields(spec, catalogue, document, tokens) : null;
  const fields = inferred?.fields ?? declaredFields(spec);
  reader.diagnostics.push(...(inferred?.diagnostics ?? []));
  const read = new Set<string>(spec.time === null ? [] : [spec.time.field]);
  const planning: Planning = { reader, catalogue, read };
  const first = planWith(planning, spec, fields, subjectFields);
  if (first === null || reader.diagnostics.length > 0) return { plan: null, diagnostics: reader.diagnostics };
  const decoded = fields.filter((each) => isNeeded(each, read, first.branches));
  const forwarded = first.branches.every((branch) => branch.forwards);
  const taken = forwarded ? subjectFields.filter(({ name }) => read.has(name)) : subjectFields;
  const unchanged = decoded.length === fields.length && taken.length === subjectFields.length;
  // Columns are found by their place, so that leaving some out binds everything anew.
  const plan = unchanged ? first : planWith(planning, spec, decoded, taken);
  return { plan: reader.diagnostics.length > 0 ? null : plan, diagnostics: reader.diagnostics };
}

function declaredFields({ schema, time }: PipelineSpec): readonly SchemaField[] {
  const fields = Object.entries(schema ?? {}).map(([name, type]): SchemaField => ({ name, type }));
  const isMissing = time !== null && !fields.some(({ name }) => name === time.field);
  return isMissing ? [...fields, { name: time.field, type: "time" }] : fields;
}

/**
 * Whether a field has to be decoded: somebody reads it, or a row of known columns holds it. Where a row
 * is open, the encoder copies what has no column from the original bytes.
 */
function isNeeded(field: SchemaField, read: ReadonlySet<string>, branches: readonly BranchPlan[]): boolean {
  if (read.has(field.name)) return true;
  return branches.some(
    ({ rows }) =>
      rows.rest === null && rows.fields.some(({ name, type }) => name === field.name && type === field.type),
  );
}

function planWith(
  planning: Planning,
  spec: PipelineSpec,
  fields: readonly SchemaField[],
  subjectFields: readonly SubjectField[],
): PipelinePlan | null {
  const tokens = subjectFields.map(({ name }): SchemaField => ({ name, type: "string" }));
  const schema: Schema = { fields: [...fields, ...tokens], rest: { except: [] } };
  const shared = planChain(planning, spec.steps, schema, "");
  if (shared === null) return null;
  const branches = spec.branches.map((branch) => planBranch(planning, spec, branch, schema, shared));
  const whole = branches.filter((branch) => branch !== null);
  if (whole.length < branches.length) return null;
  const tests = spec.tests.map((test, place) => planTest(planning.reader, test, place, whole));
  return {
    spec: { ...spec, tests },
    name: spec.name,
    fields: fields.map(({ name, type }): FieldRead => {
      if (type !== "time") return { name, type };
      return { name, type, unit: spec.time?.field === name ? spec.time.unit : "ms" };
    }),
    subjectFields,
    schema,
    timeIndex: spec.time === null ? null : fields.findIndex(({ name }) => name === spec.time?.field),
    steps: shared.steps,
    branches: whole,
  };
}

function planBranch(
  planning: Planning,
  spec: PipelineSpec,
  branch: BranchSpec,
  source: Schema,
  shared: ChainPlan,
): BranchPlan | null {
  const { reader } = planning;
  const prefix = branch.name === "main" ? "" : `${branch.name}/`;
  const chain = planChain(planning, branch.steps, shared.output, prefix);
  if (chain === null) return null;
  const rows = chain.output;
  if (branch.format === "csv" && rows.rest !== null) {
    const hint = "add a step before it that names the columns, such as select or window";
    reader.fault(
      [...branch.path, "format"],
      "csv needs columns that are known, and these rows may hold any field",
      hint,
    );
  }
  const subject =
    branch.sink.kind === "nats" ? planSubject(planning, branch, branch.sink.subject, rows) : null;
  return {
    name: branch.name,
    steps: chain.steps,
    sink: branch.sink,
    subject,
    format: branch.format,
    rows,
    forwards: rows === source && branch.format === spec.format,
  };
}

function planSubject(
  { reader, read }: Planning,
  branch: BranchSpec,
  text: string,
  rows: Schema,
): SubjectTemplate {
  const path = [...branch.path, "nats", "subject"];
  const parts: (string | ColumnReference)[] = [];
  for (const part of templateParts(text)) {
    if (typeof part === "string") {
      parts.push(part);
      continue;
    }
    read.add(part.column);
    const bound = bindColumn(part.column, ["string", "float64", "int64", "bool", "time"], rows);
    if (bound.ok) parts.push(bound.value);
    else {
      const span = reader.document.spanWithin(path, part.start, part.end);
      for (const fault of bound.faults) {
        const { message, hint } = splitFault(fault);
        reader.at(span, message, hint);
      }
    }
  }
  return { text, parts };
}

/** A test whose expected rows hold what the sink's rows hold; a field that no row can have is a mistake. */
function planTest(reader: Reader, test: TestSpec, place: number, branches: readonly BranchPlan[]): TestSpec {
  const expect = Object.entries(test.expect).map(([name, rows]): [string, TestSpec["expect"][string]] => {
    const columns = branches.find((branch) => branch.name === name)?.rows;
    if (columns === undefined) return [name, rows];
    const names = columns.fields.map((each) => each.name);
    for (const [index, row] of rows.entries()) {
      for (const field of Object.keys(row)) {
        if (columns.rest !== null || names.includes(field)) continue;
        reader.keyFault(
          ["tests", place, "expect", name, index, field],
          `the rows of ${name} have no ${field}`,
          didYouMean(field, names),
        );
      }
    }
    const isTime = (column: string): boolean =>
      columns.fields.some((each) => each.name === column && each.type === "time");
    return [name, expectedRows(rows, isTime)];
  });
  return { ...test, expect: Object.fromEntries(expect) };
}
