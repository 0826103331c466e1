// weir explain: the plan, for people or as JSON. Opens nothing.

import { availableParallelism } from "node:os";
import {
  explainPlan,
  type ExplainedPlan,
  type ExplainedSource,
  type ExplainedStep,
} from "../pipeline/explain.ts";
import { poolThreads, threadsFor } from "../engine/placement.ts";
import { durationText } from "../engine/waiting.ts";
import { limits } from "../limits.ts";
import { sizeText } from "../pipeline/state-bound.ts";
import {
  endToEnd,
  type Guarantee,
  guaranteeText,
  type PlaceGuarantee,
  sourceGuarantee,
} from "../pipeline/guarantee.ts";
import { filesOf, loadFilesShown, refusalOf } from "./load.ts";
import { print, styled } from "./terminal.ts";

type Columns = readonly { readonly name: string; readonly type: string }[];

function columnsText(columns: Columns, open: boolean): string {
  const names = columns.map(({ name, type }) => `${name}: ${type}`);
  return [...names, ...(open ? ["… whatever else the record holds"] : [])].join(", ");
}

function runsText(step: ExplainedStep, custom: boolean): string {
  if (custom) return "in the pipeline's own thread";
  if (step.splits) return "at home, in order; in the pool records are aggregated for it when that gains";
  return step.runs === "home" ? "at home, in order" : "at home, or in the pool when that gains";
}

function stepLines(steps: readonly ExplainedStep[], custom: boolean, indent: string): string[] {
  return steps.flatMap((step) => [
    `${indent}${styled("bold", step.label)}  ${step.kind}, ${runsText(step, custom)}`,
    ...step.tables.map(({ table, kind, on }) => `${indent}  table ${kind} ${table}, by ${on}`),
    `${indent}  → ${columnsText(step.columns, step.open)}`,
    ...(step.state === null ? [] : [`${indent}  keeps at most ${step.state.arithmetic}`]),
  ]);
}

/** What a pipeline with several sources is told about them together. */
const unionLines = [
  "  together each row has the columns of all sources, null where its own has none, and its source's name in source",
  "           event time is that of the source furthest behind; sources are not shared with other pipelines",
];

function sourceLines(
  { kind, target, format, framing, decoded, subject, time }: ExplainedSource,
  name: string | null,
  guarantee: Guarantee,
): string[] {
  const columns = decoded.map((field) => ({
    ...field,
    type: field.unit ? `${field.type} (${field.unit})` : field.type,
  }));
  return [
    `  source   ${name === null ? "" : `${styled("bold", name)}: `}${kind} ${target}, ${format}${framing === "message" ? "" : ` (${framing})`}`,
    `           ${guaranteeText(guarantee)}`,
    `  decodes  ${columnsText(columns, false) || "nothing: no step reads a field"}`,
    ...subject.map((each) => `  subject  ${each.name}: token ${each.token + 1}`),
    time === null ? "  time     processing time: windows follow the clock" : `  time     ${timeText(time)}`,
  ];
}

function timeText({
  field,
  lateness_ms,
  idle_ms,
  ahead_ms,
  per,
}: NonNullable<ExplainedSource["time"]>): string {
  const late = lateness_ms === 0 ? "no lateness" : `late by at most ${durationText(lateness_ms)}`;
  const idle = idle_ms === null ? "never idle" : `idle after ${durationText(idle_ms)}`;
  const own = per === null ? "" : `, each ${per} with a time of its own`;
  return `${field}, ${late}, ${idle}, at most ${durationText(ahead_ms)} ahead${own}`;
}

/** What holds by source with a state folder, and by branch from the sources to its sink with one and without. */
interface Guarantees {
  readonly sources: readonly Guarantee[];
  readonly durable: readonly PlaceGuarantee[];
  readonly fleeting: readonly PlaceGuarantee[];
}

/** What holds from the sources to one place where rows go. */
function placeLines({ durable, fleeting }: Guarantees, place: number): string[] {
  return [
    `           with a state folder   ${guaranteeText(durable[place]!.guarantee)}`,
    `           without one           ${guaranteeText(fleeting[place]!.guarantee)}`,
  ];
}

function textOf(plan: ExplainedPlan, custom: boolean, guarantees: Guarantees): string[] {
  const several = plan.sources.length > 1;
  const lines = [
    styled("bold", plan.name) + (plan.about === null ? "" : `  ${plan.about}`),
    ...plan.sources.flatMap((source, place) =>
      sourceLines(source, several ? source.name : null, guarantees.sources[place]!),
    ),
    ...(several ? unionLines : []),
    "  steps",
    ...stepLines(plan.steps, custom, "    "),
  ];
  plan.branches.forEach((branch, place) => {
    lines.push(
      `  branch ${styled("bold", branch.name)}${branch.lateOf === null ? "" : `, what ${branch.lateOf} finds late`}`,
      ...stepLines(branch.steps, custom, "    "),
      `    sink   ${branch.sink.kind} ${branch.sink.target}, ${branch.sink.format}${branch.forwards ? ", the original bytes" : ""}`,
      ...placeLines(guarantees, place),
      `    rows   ${columnsText(branch.columns, branch.open)}`,
    );
  });
  lines.push(
    `  state  at most ${sizeText(plan.state.bytes)} of ${sizeText(plan.state.allowed)}, taking a text for ${limits.state_text_bytes} B and a kept record for ${limits.state_record_bytes} B beside its columns`,
  );
  const letters =
    plan.deadLetter === null
      ? "none: refused records are only counted"
      : `${plan.deadLetter.kind} ${plan.deadLetter.target}`;
  const promised = plan.deadLetter === null ? [] : placeLines(guarantees, plan.branches.length);
  return [...lines, `  dead letter  ${letters}`, ...promised];
}

export async function explain(
  names: readonly string[],
  options: { readonly json?: boolean },
): Promise<number> {
  const files = filesOf(names);
  const pipelines = await loadFilesShown(files);
  const refusal = refusalOf(files, pipelines, options.json === true);
  if (refusal !== null) return refusal;
  const explained = pipelines.map(({ plan, custom }) => ({
    plan: explainPlan(plan!),
    custom,
    guarantees: {
      sources: plan!.spec.inputs.map(({ source }) => sourceGuarantee(source, true)),
      durable: endToEnd(plan!, true),
      fleeting: endToEnd(plan!, false),
    },
  }));
  if (options.json === true) {
    print(JSON.stringify(explained.map(({ plan, custom, guarantees }) => ({ ...plan, custom, guarantees }))));
    return 0;
  }
  for (const { plan, custom, guarantees } of explained)
    print(`${textOf(plan, custom, guarantees).join("\n")}\n`);
  const spare = poolThreads(availableParallelism());
  for (const { plan } of pipelines) {
    const threads = threadsFor([plan!], null, spare);
    print(`threads  ${plan!.name}: home${threads === 0 ? " alone" : `, and up to ${threads} in the pool`}`);
  }
  return 0;
}
