// A plan as somebody wants to look at it: its rows taken wherever they would have gone, cut after a step, or read from
// records in another format. What is read of a record stays what the whole pipeline reads, so that nothing enters which
// would not have entered. Pure.

import type { Schema } from "../../operators/sdk/index.ts";
import type { Format } from "../codec/codec.ts";
import { WeirError } from "../errors.ts";
import { didYouMean } from "./nearest.ts";
import type { BranchPlan, PerKey, PipelinePlan, SinkSpec, StepPlan } from "./pipeline.ts";
import { statelessPrefix, trunkOf } from "./trunk.ts";

/** What is shown of a pipeline, as data. */
export interface Shown {
  /** The label of the step whose rows are shown; null: what branches end in. */
  readonly step: string | null;
  /** By source, what its records are written in; null: what the file says. */
  readonly formats: readonly (Format | null)[];
}

/** Rows are taken, and go no further. */
const taken: SinkSpec = { kind: "stdout" };
/** Rows are counted. */
const untaken: SinkSpec = { kind: "nothing" };

/** The labels of all steps, in the order of the file. */
export function stepLabels({ steps, branches }: PipelinePlan): readonly string[] {
  return [...steps, ...branches.flatMap((branch) => branch.steps)].map(({ label }) => label);
}

/** The label of the step that is meant by a label, by its number (`2`, `alarms/1`) or by a word that only it has (`window`). */
export function stepNamed(plan: PipelinePlan, name: string): string {
  const labels = stepLabels(plan);
  const [number, word] = [0, 1].map((part) => labels.filter((label) => label.split(" ")[part] === name));
  const found = labels.includes(name) ? name : (number![0] ?? (word!.length === 1 ? word![0] : undefined));
  if (found !== undefined) return found;
  const [first, ...more] = labels.filter((label) => label.includes(name));
  const partly = first === undefined ? null : `did you mean ${[first, ...more].join(" or ")}?`;
  throw new WeirError("WEIR_USAGE", `${plan.name} has no step ${name}`, {
    remedy: partly ?? didYouMean(name, labels) ?? "weir explain shows what its steps are called",
  });
}

/** Whether rows of a branch are shown. */
export function isShown({ sink }: BranchPlan): boolean {
  return sink.kind !== "nothing";
}

export function shownPlan(plan: PipelinePlan, { step, formats }: Shown): PipelinePlan {
  const read = readAs(plan, formats);
  if (step !== null) return cutAfter(read, step);
  return { ...read, branches: read.branches.map((branch) => ({ ...branch, sink: taken })) };
}

/** The plan with sources whose records are written in other formats. */
function readAs(plan: PipelinePlan, formats: readonly (Format | null)[]): PipelinePlan {
  if (!formats.some((format) => format !== null)) return plan;
  const inputs = plan.inputs.map((input, place) => {
    const format = formats[place] ?? null;
    return format === null ? input : { ...input, spec: { ...input.spec, format, message: null } };
  });
  return {
    ...plan,
    spec: { ...plan.spec, inputs: inputs.map(({ spec }) => spec) },
    inputs,
    // The original bytes are no longer in the format of the sink.
    branches: plan.branches.map((branch) => (branch.forwards ? { ...branch, ...asTheyCame } : branch)),
  };
}

const anything: Schema = { fields: [], rest: { except: [] } };
const asTheyCame = { format: "json", message: null, forwards: false, rows: anything } as const;

/** The plan up to a step: what comes out of that is shown, and nothing else. */
function cutAfter(plan: PipelinePlan, label: string): PipelinePlan {
  const place = plan.steps.findIndex((step) => step.label === label);
  if (place >= 0) {
    const steps = plan.steps.slice(0, place + 1);
    const end: BranchPlan = { name: label, lateOf: null, ...endAfter([], steps.at(-1)!) };
    return withHome({ ...plan, steps, branches: [end] });
  }
  const owner = plan.branches.find(({ steps }) => steps.some((step) => step.label === label))!;
  const own = upTo(owner.steps, (step) => step.label === label);
  // The other branches stand, without their steps, so that home begins where it began.
  const branches = plan.branches
    .filter((branch) => branch === owner || branch.lateOf === null)
    .map((branch): BranchPlan => {
      if (branch === owner) return { ...branch, ...endAfter(own, own.at(-1)!) };
      return { ...branch, steps: upTo(branch.steps, (step) => step === owner.lateOf), sink: untaken };
    });
  return withHome({ ...plan, branches });
}

/** The steps up to one that is looked for; none where it is not among them. */
function upTo(steps: readonly StepPlan[], isLast: (step: StepPlan) => boolean): readonly StepPlan[] {
  return steps.slice(0, steps.findIndex(isLast) + 1);
}

function endAfter(steps: readonly StepPlan[], last: StepPlan): Omit<BranchPlan, "name" | "lateOf"> {
  return {
    steps,
    sink: taken,
    subject: null,
    format: "json",
    message: null,
    rows: last.output,
    forwards: false,
  };
}

/** Where keys have watermarks of their own, their column stands where home begins now. */
function withHome(plan: PipelinePlan): PipelinePlan {
  const { per, schema } = plan;
  if (per === null) return plan;
  const { trunk } = trunkOf(plan);
  const before = trunk.slice(0, statelessPrefix(trunk)).at(-1)?.output ?? schema;
  const index = before.fields.indexOf(schema.fields[per.entry.index]!);
  const moved: PerKey = { ...per, home: { ...per.entry, index } };
  return { ...plan, per: moved };
}
