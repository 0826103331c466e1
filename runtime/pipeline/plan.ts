// A spec to a plan: fields inferred or taken as declared, every setting bound, columns known at every
// step, and nothing decoded that nobody reads. Pure; never creates an operator or opens anything.

import type { ColumnReference, OperatorDefinition, Schema, SchemaField } from "../../operators/sdk/index.ts";
import type { FieldRead, Format } from "../codec/codec.ts";
import { bindColumn, splitFault } from "./binding.ts";
import { type Planning, planChain } from "./chain.ts";
import type { ConfigDocument } from "./document.ts";
import { inferFields } from "./inference.ts";
import { didYouMean } from "./nearest.ts";
import {
  type BranchPlan,
  type BranchSpec,
  type Diagnostic,
  type InputPlan,
  type InputSpec,
  type PipelinePlan,
  type PipelineSpec,
  type StepPlan,
  sourceColumn,
  type SubjectTemplate,
  type TestSpec,
  type TimeSpec,
} from "./pipeline.ts";
import { checkTestLookups } from "./lookups.ts";
import { checkMessageRows } from "./proto-spec.ts";
import { concealedWarnings } from "./concealed.ts";
import { partitionWarnings } from "./partitions.ts";
import { planPer } from "./per-key.ts";
import { Reader } from "./section.ts";
import { shortTtlWarnings } from "./short-ttl.ts";
import { sourceNameWarnings } from "./source-names.ts";
import { condensableFaults } from "./condensable.ts";
import { type Crowding, crowdingOf } from "./crowding.ts";
import { fittingKeys, stateFaults } from "./state-bound.ts";
import { idleOptionWarnings } from "./idle-options.ts";
import { namedTokens, templateParts } from "./subject.ts";
import { testFieldWarnings } from "./test-fields.ts";
import { countedConditionWarnings } from "./counted-conditions.ts";
import { expectedRows } from "./test-spec.ts";
import { testSubjectWarnings } from "./test-subjects.ts";
import { unkeyedWarnings } from "./unkeyed.ts";

export interface PlanAnswer {
  /** Null when there are errors. */
  readonly plan: PipelinePlan | null;
  readonly diagnostics: readonly Diagnostic[];
}

/** What one source gives: fields of its payloads, and tokens of its subjects, which are text. */
interface InputColumns {
  readonly spec: InputSpec;
  readonly fields: readonly SchemaField[];
  readonly subjectFields: InputPlan["subjectFields"];
}

/** The plan of `spec`, which was read from `document`. */
export function planPipeline(
  spec: PipelineSpec,
  catalogue: readonly OperatorDefinition[],
  document: ConfigDocument,
): PlanAnswer {
  const reader = new Reader(document);
  const inputs = spec.inputs.map((input): InputColumns => {
    const subjectFields = input.source.kind === "nats" ? namedTokens(input.source.subject) : [];
    const inferred =
      input.schema === null ? inferFields(spec, input, catalogue, document, tokensOf(subjectFields)) : null;
    reader.diagnostics.push(...(inferred?.diagnostics ?? []));
    return { spec: input, fields: inferred?.fields ?? declaredFields(input), subjectFields };
  });
  const read = new Set(inputs.flatMap(({ spec: { time } }) => timeColumns(time)));
  const planning: Planning = { reader, catalogue, keys: spec.limits.keys, read };
  const first = planWith(planning, spec, inputs);
  if (first === null || reader.mistakes > 0) return { plan: null, diagnostics: reader.diagnostics };
  const needed = inputs.map((input) => neededOf(input, read, first.branches));
  const unchanged = needed.every(
    ({ fields, subjectFields }, place) =>
      fields.length === inputs[place]!.fields.length &&
      subjectFields.length === inputs[place]!.subjectFields.length,
  );
  // Columns are found by their place, so that leaving some out binds everything anew.
  const whole = unchanged ? first : planWith(planning, spec, needed);
  const max = whole === null ? null : fittingKeys(whole);
  const plan =
    max === null ? whole : planWith({ ...planning, keys: { ...planning.keys, max } }, spec, needed);
  const crowded = plan === null ? [] : faultsOf(reader, plan);
  if (plan === null || reader.mistakes > 0) return { plan: null, diagnostics: reader.diagnostics };
  const warnings = [
    ...partitionWarnings(plan, document),
    ...unkeyedWarnings(plan, read, document),
    ...idleOptionWarnings(plan, document),
    ...shortTtlWarnings(plan, document),
    ...concealedWarnings(plan, document),
    ...sourceNameWarnings(plan, document),
    ...testSubjectWarnings(plan, document),
    ...testFieldWarnings(plan, document),
    ...countedConditionWarnings(plan, document),
    ...crowded.map(({ step, message, hint }) =>
      document.diagnostic(document.keySpanOf(step.spec.path), message, hint, "warning"),
    ),
  ];
  return { plan, diagnostics: warnings };
}

/** Reports what is wrong with a plan as a whole; returns what may be. */
function faultsOf(reader: Reader, plan: PipelinePlan): readonly Crowding[] {
  const faults = stateFaults(plan);
  for (const { step, message, hint } of faults) reader.keyFault(step.spec.path, message, hint);
  for (const { path, message, hint } of condensableFaults(plan)) reader.keyFault(path, message, hint);
  // Without bounds there is nothing to compare.
  const crowded = faults.length > 0 ? [] : crowdingOf(plan);
  for (const { step, isCertain, message, hint } of crowded)
    if (isCertain) reader.keyFault(step.spec.path, message, hint);
  return crowded;
}

/** What is read whatever the steps do: event time, and the key whose values have times of their own. */
function timeColumns(time: TimeSpec | null): readonly string[] {
  if (time === null) return [];
  return time.per === null ? [time.field] : [time.field, time.per];
}

function declaredFields({ schema, time }: InputSpec): readonly SchemaField[] {
  const fields = Object.entries(schema ?? {}).map(([name, type]): SchemaField => ({ name, type }));
  const isMissing = time !== null && !fields.some(({ name }) => name === time.field);
  return isMissing ? [...fields, { name: time.field, type: "time" }] : fields;
}

function tokensOf(subjectFields: InputPlan["subjectFields"]): readonly SchemaField[] {
  return subjectFields.map(({ name }): SchemaField => ({ name, type: "string" }));
}

/** The columns of a source that have to be made. */
function neededOf(
  { spec, fields, subjectFields }: InputColumns,
  read: ReadonlySet<string>,
  branches: readonly BranchPlan[],
): InputColumns {
  const forwarded = branches.every((branch) => branch.forwards);
  return {
    spec,
    fields: fields.filter((each) => isNeeded(each, spec.format, read, branches)),
    subjectFields: forwarded ? subjectFields.filter(({ name }) => read.has(name)) : subjectFields,
  };
}

/**
 * Whether a field has to be decoded: somebody reads it, or a row of known columns holds it. Where a row
 * is open, the encoder copies what has no column from the original bytes; only cells of CSV have no type
 * there, and would all be text.
 */
function isNeeded(
  field: SchemaField,
  origin: Format,
  read: ReadonlySet<string>,
  branches: readonly BranchPlan[],
): boolean {
  if (read.has(field.name)) return true;
  return branches.some(
    ({ rows, forwards }) =>
      !forwards &&
      (rows.rest === null || origin === "csv") &&
      rows.fields.some(({ name, type }) => name === field.name && type === field.type),
  );
}

/** The columns that the chain begins with: those of the only source, or each that any of them has, once. */
function schemaOf(inputs: readonly InputColumns[]): Schema {
  const columns = inputs.flatMap(({ fields, subjectFields }) => [...fields, ...tokensOf(subjectFields)]);
  // A .proto file says all that a record may hold, as far as it can be a column.
  const [only] = inputs as readonly [InputColumns];
  if (inputs.length === 1)
    return { fields: columns, rest: only.spec.message === null ? { except: [] } : null };
  const union = new Map(columns.toReversed().map((each) => [each.name, each]));
  const fields = columns.filter((each) => union.get(each.name) === each);
  return { fields: [...fields, { name: sourceColumn, type: "string" }], rest: null };
}

function planInput({ spec, fields, subjectFields }: InputColumns, schema: Schema): InputPlan {
  const names = [...fields, ...subjectFields].map(({ name }) => name);
  return {
    spec,
    fields: fields.map(({ name, type }): FieldRead => {
      if (type !== "time") return { name, type };
      return { name, type, unit: spec.time?.field === name ? spec.time.unit : "ms" };
    }),
    subjectFields,
    timeIndex: spec.time === null ? null : names.indexOf(spec.time.field),
    places: schema.fields.map(({ name }) => names.indexOf(name)),
  };
}

function planWith(
  planning: Planning,
  spec: PipelineSpec,
  inputs: readonly InputColumns[],
): PipelinePlan | null {
  const schema = schemaOf(inputs);
  const shared = planChain(planning, spec.steps, schema, "");
  if (shared === null) return null;
  const planned: StepPlan[] = [...shared.steps];
  const branches = spec.branches.map((branch) => {
    const lateOf = planned.find((each) => each.spec === branch.lateOf) ?? null;
    if (branch.lateOf !== null && lateOf === null) return null;
    const made = planBranch(planning, spec, branch, schema, lateOf?.input ?? shared.output);
    planned.push(...(made?.steps ?? []));
    return made === null ? null : { ...made, lateOf };
  });
  const whole = branches.filter((branch) => branch !== null);
  if (whole.length < branches.length) return null;
  const per = planPer(planning, spec, schema, shared, whole);
  const tests = spec.tests.map((test, place) => planTest(planning.reader, test, place, whole));
  const plan: PipelinePlan = {
    spec: { ...spec, tests },
    name: spec.name,
    inputs: inputs.map((input) => planInput(input, schema)),
    schema,
    per,
    steps: shared.steps,
    branches: whole,
  };
  checkTestLookups(planning.reader, plan);
  return plan;
}

function planBranch(
  planning: Planning,
  spec: PipelineSpec,
  branch: BranchSpec,
  source: Schema,
  input: Schema,
): Omit<BranchPlan, "lateOf"> | null {
  const { reader } = planning;
  const prefix = branch.name === "main" ? "" : `${branch.name}/`;
  const chain = planChain(planning, branch.steps, input, prefix);
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
  if (branch.message !== null) checkMessageRows(reader, branch.path, rows, branch.message);
  const subject =
    branch.sink.kind === "nats" ? planSubject(planning, branch, branch.sink.subject, rows) : null;
  return {
    name: branch.name,
    steps: chain.steps,
    sink: branch.sink,
    subject,
    format: branch.format,
    message: branch.message,
    rows,
    forwards: rows === source && spec.inputs.length === 1 && sameRecords(branch, spec.inputs[0]!),
  };
}

function sameRecords(branch: BranchSpec, input: InputSpec): boolean {
  return branch.format === input.format && branch.message === input.message;
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
