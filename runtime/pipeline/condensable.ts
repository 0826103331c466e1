// Whether rows of a branch can be condensed while they wait, and how: what becomes of each column when rows of one key and
// a longer time become one. Pure.

import type { AggregateCall, ColumnReference } from "../../operators/sdk/index.ts";
import type { ColumnRule, RowForm } from "../codec/condense.ts";
import type { BranchPlan, Path, PipelinePlan, StepPlan } from "./pipeline.ts";

export type Condensable =
  | { readonly form: RowForm; readonly fault: null }
  | { readonly form: null; readonly fault: string; readonly hint: string };

/** Steps that leave rows of a window as they are. */
const harmless = new Set(["filter"]);

export function condensable(plan: PipelinePlan, branch: BranchPlan): Condensable {
  const steps = [...plan.steps, ...branch.steps];
  const place = steps.findLastIndex(({ definition }) => definition.name === "window");
  const window = steps[place];
  if (branch.format !== "json" && branch.format !== "msgpack")
    return no(`rows in ${branch.format} are not read again`, "write json or msgpack");
  if (window === undefined)
    return no("only rows of windows say what they stand for", "end the branch in a window");
  const changer = steps.slice(place + 1).find(({ definition }) => !harmless.has(definition.name));
  if (changer !== undefined)
    return no(
      `${changer.definition.name} makes other rows of those of the window`,
      "leave it to whoever reads the rows",
    );
  return ofWindow(window, branch.format);
}

function ofWindow(window: StepPlan, format: RowForm["format"]): Condensable {
  const settings = window.config as Readonly<Record<string, unknown>>;
  const kind = ["tumbling", "calendar", "session"].find((name) => settings[name] !== undefined);
  if (kind === undefined)
    return no(
      "windows that overlap count a record more than once",
      "use tumbling, calendar or session windows",
    );
  const label = window.output.fields.find(({ name }) => labels.has(name));
  if (label !== undefined)
    return no(`rows with ${label.name} are sent again, or stand for nothing`, "leave emit and gaps out");
  const columns = new Map<string, ColumnRule>([
    ["window_start", { kind: "start" }],
    ["window_end", { kind: "end" }],
  ]);
  const select = settings["select"] as Readonly<Record<string, AggregateCall>>;
  const by = new Set(((settings["by"] ?? []) as readonly ColumnReference[]).map(({ name }) => name));
  for (const { name, type } of window.output.fields) {
    if (columns.has(name)) continue;
    if (type === "int64")
      return no(`${name} is int64, whose digits may not survive it`, "make it float64 or a text");
    const call = select[name];
    if (call === undefined || by.has(name)) columns.set(name, { kind: "key" });
    else {
      const rule = ruleOf(call, select);
      if (typeof rule === "string") return no(`${name}: ${rule}`, "leave it out, or leave tiers out");
      columns.set(name, rule);
    }
  }
  return { form: { format, columns }, fault: null };
}

const labels = new Set(["window_final", "window_revision", "window_filled"]);

/** Aggregates of which the whole follows from the parts. */
const rules: Readonly<Record<string, Exclude<ColumnRule["kind"], "mean">>> = {
  count: "sum",
  sum: "sum",
  min: "min",
  max: "max",
  first: "first",
  last: "last",
};

/** What becomes of an aggregate's column; why nothing can. */
function ruleOf(call: AggregateCall, select: Readonly<Record<string, AggregateCall>>): ColumnRule | string {
  const kind = rules[call.name];
  if (kind !== undefined) return { kind };
  if (call.name !== "mean") return `what ${call.name} is of a longer time does not follow from the parts`;
  const argument = call.text.slice(call.name.length);
  const counts = Object.entries(select).filter(([, { name }]) => name === "count");
  const weight =
    counts.find(([, { text }]) => text === `count${argument}`) ??
    counts.find(([, { input }]) => input === null);
  return weight === undefined
    ? `a mean is weighed by a count: select count${argument} or count() as well`
    : { kind: "mean", weight: weight[0] };
}

function no(fault: string, hint: string): Condensable {
  return { form: null, fault, hint };
}

/** What is wrong with a pipeline whose file wants rows condensed that cannot be. */
export function condensableFaults(plan: PipelinePlan): readonly {
  /** Of the branch's sink. */
  readonly path: Path;
  readonly message: string;
  readonly hint: string;
}[] {
  const { outbox, branches } = plan.spec;
  if (outbox.tiers.length === 0) return [];
  return plan.branches.flatMap((branch, place) => {
    if (branch.sink.kind !== "nats" || branch.sink.lane === "alarm") return [];
    const answer = condensable(plan, branch);
    if (answer.form !== null) return [];
    const message = `rows of this sink cannot be condensed, as the tiers of outbox want: ${answer.fault}`;
    const hint = `${answer.hint}; or send them in the lane alarm, which is left alone`;
    return [{ path: branches[place]!.path, message, hint }];
  });
}
