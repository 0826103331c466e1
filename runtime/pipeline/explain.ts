// A plan as plain data for a reader: what is decoded, where each step runs, which columns stand between
// the steps, and what each sink gets. Never changes a plan.

import type { Schema } from "../../operators/sdk/index.ts";
import { referenceName } from "./lookups.ts";
import { subscriptionOf } from "./subject.ts";
import { arithmeticOf, type StateBound, stateBound } from "./state-bound.ts";
import type { BranchPlan, InputPlan, PipelinePlan, SinkSpec, SourceSpec, StepPlan } from "./pipeline.ts";
import { splitStepOf } from "./trunk.ts";

export interface ExplainedColumn {
  readonly name: string;
  readonly type: string;
}

export interface ExplainedStep {
  readonly label: string;
  readonly operator: string;
  readonly kind: "stateless" | "keyed";
  /** `pool`: on any thread, in any order; `home`: on one thread, in stream order. */
  readonly runs: "pool" | "home";
  /** Runs at home, and in the pool records may be aggregated for it. */
  readonly splits: boolean;
  /** Columns after the step. */
  readonly columns: readonly ExplainedColumn[];
  /** True when rows may hold further fields, which pass through untouched. */
  readonly open: boolean;
  /** The reference tables that it reads, each with the column that is looked for. */
  readonly tables: readonly { readonly table: string; readonly kind: "file" | "kv"; readonly on: string }[];
  /** The most that its state may take, and how that comes about; null where it keeps nothing. */
  readonly state: { readonly bytes: number; readonly arithmetic: string } | null;
}

export interface ExplainedBranch {
  readonly name: string;
  readonly steps: readonly ExplainedStep[];
  readonly sink: { readonly kind: SinkSpec["kind"]; readonly target: string; readonly format: string };
  readonly columns: readonly ExplainedColumn[];
  readonly open: boolean;
  /** True when the original bytes are sent on as they are. */
  readonly forwards: boolean;
  /** The step whose late records it gets; null where it gets what the steps before it let through. */
  readonly lateOf: string | null;
}

export interface ExplainedSource {
  /** `source` for the only one of a pipeline. */
  readonly name: string;
  readonly kind: SourceSpec["kind"];
  readonly target: string;
  readonly format: string;
  /** How many records a message holds; `message`: one. */
  readonly framing: string;
  readonly time: {
    readonly field: string;
    readonly unit: string;
    readonly lateness_ms: number;
    readonly idle_ms: number | null;
    readonly ahead_ms: number;
    /** The column whose every value has a time of its own. */
    readonly per: string | null;
  } | null;
  /** What is read out of each payload. */
  readonly decoded: readonly (ExplainedColumn & { readonly unit?: string })[];
  /** What is read out of each subject; tokens count from 0. */
  readonly subject: readonly { readonly name: string; readonly token: number }[];
}

export interface ExplainedPlan {
  readonly name: string;
  readonly about: string | null;
  readonly sources: readonly ExplainedSource[];
  readonly steps: readonly ExplainedStep[];
  readonly branches: readonly ExplainedBranch[];
  /** The most that the state of all steps may take, and what the file allows. */
  readonly state: { readonly bytes: number; readonly allowed: number };
  readonly deadLetter: { readonly kind: SinkSpec["kind"]; readonly target: string } | null;
}

export function explainPlan(plan: PipelinePlan): ExplainedPlan {
  const { spec } = plan;
  const { deadLetter } = spec;
  const state = stateBound(plan);
  // Records of several sources are put in order at home, before the first step.
  const several = plan.inputs.length > 1;
  const split = splitStepOf(plan)?.step ?? null;
  // A batch that several branches get comes home before the first of them.
  const forks = plan.branches.filter(({ lateOf }) => lateOf === null).length > 1;
  return {
    name: plan.name,
    about: spec.about,
    sources: plan.inputs.map(explainSource),
    steps: explainSteps(plan.steps, several, state, split),
    branches: plan.branches.map((branch) =>
      explainBranch(branch, several || forks || plan.steps.some(isKeyed), state, split),
    ),
    state: { bytes: state.bytes, allowed: spec.limits.memory },
    deadLetter:
      deadLetter === null ? null : { kind: deadLetter.sink.kind, target: sinkTarget(deadLetter.sink) },
  };
}

function explainSource({ spec, fields, subjectFields }: InputPlan): ExplainedSource {
  const { name, source, format, framing, time } = spec;
  return {
    name,
    kind: source.kind,
    target: sourceTarget(source),
    format,
    framing,
    time:
      time === null
        ? null
        : {
            field: time.field,
            unit: time.unit,
            lateness_ms: time.lateness,
            idle_ms: time.idle,
            ahead_ms: time.ahead,
            per: time.per,
          },
    decoded: fields.map((field) => ({ ...field })),
    subject: subjectFields,
  };
}

function explainBranch(
  { name, steps, sink, format, rows, forwards, lateOf }: BranchPlan,
  home: boolean,
  state: StateBound,
  split: StepPlan | null,
): ExplainedBranch {
  return {
    name,
    steps: explainSteps(steps, home || lateOf !== null, state, split),
    sink: { kind: sink.kind, target: sinkTarget(sink), format },
    columns: columnsOf(rows),
    open: rows.rest !== null,
    forwards,
    lateOf: lateOf?.label ?? null,
  };
}

/** Steps run in the pool up to the first that is keyed; from there on order matters. */
function explainSteps(
  steps: readonly StepPlan[],
  home: boolean,
  state: StateBound,
  split: StepPlan | null,
): readonly ExplainedStep[] {
  const firstKeyed = home ? 0 : steps.findIndex(isKeyed);
  return steps.map((step, place) => {
    const { label, definition, config, output } = step;
    const kept = state.steps.find((each) => each.step === step);
    return {
      label,
      operator: definition.name,
      kind: definition.kind,
      runs: firstKeyed >= 0 && place >= firstKeyed ? "home" : "pool",
      splits: step === split,
      columns: columnsOf(output),
      open: output.rest !== null,
      tables: Object.values(definition.references(config)).map(({ source, on }) => ({
        table: referenceName(source),
        kind: source.kind,
        on: on.name,
      })),
      state: kept === undefined ? null : { bytes: kept.bytes, arithmetic: arithmeticOf(kept) },
    };
  });
}

function isKeyed({ definition }: StepPlan): boolean {
  return definition.kind === "keyed";
}

function columnsOf(schema: Schema): readonly ExplainedColumn[] {
  return schema.fields.map(({ name, type }) => ({ name, type }));
}

function sourceTarget(source: SourceSpec): string {
  if (source.kind === "file") return source.path;
  if (source.kind === "host") return source.sensors.join(", ");
  const stream = source.stream === null ? "core NATS" : `stream ${source.stream}`;
  return `${subscriptionOf(source.subject, source.partition)} on ${source.to} (${stream})`;
}

function sinkTarget(sink: SinkSpec): string {
  if (sink.kind === "stdout") return "standard output";
  if (sink.kind === "nothing") return "nothing: rows are counted";
  if (sink.kind === "file") return sink.path;
  const rows = sink.batch === null ? "" : `, up to ${sink.batch.rows} rows a message`;
  if (sink.stream === null) return `${sink.subject} on ${sink.to} (core NATS${rows})`;
  return `${sink.subject} on ${sink.to} (stream ${sink.stream}, delivery ${sink.delivery}${rows})`;
}
