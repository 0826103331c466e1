// The column whose every value has a watermark of its own (`per` in `time`): where it stands when home
// gets it, and that no step mixes the times of several. Pure.

import type { ColumnReference, ColumnType, Schema } from "../../operators/sdk/index.ts";
import { limits } from "../limits.ts";
import { bindColumn, splitFault } from "./binding.ts";
import type { ChainPlan, Planning } from "./chain.ts";
import type { BranchPlan, InputSpec, PerKey, PipelineSpec, StepPlan, StepSpec } from "./pipeline.ts";

const keyTypes: readonly ColumnType[] = ["string", "float64", "int64", "bool", "time"];

/** How many keys may have a watermark of their own: no more than the pipeline may know. */
export function lanesOf({ limits: { keys } }: PipelineSpec): number {
  return Math.min(limits.lanes_max, keys.max ?? limits.lanes_max);
}

interface Planned {
  readonly plan: StepPlan;
  readonly spec: StepSpec;
}

/** The column; null where all records share one watermark, or, reported, where it cannot be. */
export function planPer(
  { reader }: Planning,
  { inputs, steps, branches: specs }: PipelineSpec,
  schema: Schema,
  shared: ChainPlan,
  branches: readonly BranchPlan[],
): PerKey | null {
  const [input] = inputs as [InputSpec];
  const per = input.time?.per ?? null;
  if (per === null) return null;
  const trunk = paired(shared.steps, steps);
  const own = branches.map(({ name, steps: plans }) =>
    paired(plans, specs.find((each) => each.name === name)?.steps ?? []),
  );
  const all = [...trunk, ...own.flat()];
  if (own.length === 1) trunk.push(...own[0]!);
  for (const { plan, spec } of all) {
    if (plan.definition.kind === "stateless" || isBy(plan, per)) continue;
    const hint = `its clocks are those of each ${per}: add ${per} to by`;
    reader.fault(spec.path, `${plan.definition.name} takes records of several ${per} together`, hint);
  }
  const firstKeyed = trunk.findIndex(({ plan }) => plan.definition.kind === "keyed");
  const before = firstKeyed < 0 ? trunk : trunk.slice(0, firstKeyed);
  const home = bindColumn(per, keyTypes, before.at(-1)?.plan.output ?? schema);
  const entry = bindColumn(per, keyTypes, schema);
  if (!entry.ok) {
    for (const fault of entry.faults) {
      const { message, hint } = splitFault(fault);
      reader.fault([...input.path, "time", "per"], message, hint);
    }
    return null;
  }
  if (home.ok && isSame(before, schema, entry.value, home.value))
    return { entry: entry.value, home: home.value };
  const changed = before.find(({ plan }) => !plan.output.fields.includes(schema.fields[entry.value.index]!));
  const hint = "each value of it has a time of its own: leave it as it comes until the first step with a key";
  reader.fault(changed?.spec.path ?? input.path, `${per} is changed or left out here`, hint);
  return null;
}

/** Whether the values that home gets are those that came in: a step that replaces values makes a new field. */
function isSame(
  before: readonly Planned[],
  schema: Schema,
  entry: ColumnReference,
  home: ColumnReference,
): boolean {
  const last = before.at(-1)?.plan.output ?? schema;
  return last.fields[home.index] === schema.fields[entry.index];
}

function paired(plans: readonly StepPlan[], specs: readonly StepSpec[]): Planned[] {
  return plans.map((plan, place) => ({ plan, spec: specs[place]! }));
}

/** Whether a column of that name is part of the key of a step's tables; one that remembers nothing mixes no times, nor one without keys. */
function isBy({ definition, config }: StepPlan, name: string): boolean {
  if (definition.keyless === true) return true;
  const tables = Object.values(definition.state(config));
  return (
    tables.length === 0 ||
    tables.some(
      (declaration) => declaration.kind !== "values" && declaration.by.some((column) => column.name === name),
    )
  );
}
