// Steps that have room for fewer records than come at the rate that is expected, and would leave the others out. An
// error where they must, a warning where it depends on how records are spread over the keys. Pure.

import type { PartDeclaration, Room, TableDeclaration } from "../../operators/sdk/index.ts";
import { limits } from "../limits.ts";
import { keysOf, type Surroundings, surroundingsOf } from "./state-bound.ts";
import type { PipelinePlan, StepPlan } from "./pipeline.ts";

export interface Crowding {
  readonly step: StepPlan;
  /** Records are left out whatever their keys are; else only if too many are of one. */
  readonly isCertain: boolean;
  readonly message: string;
  readonly hint: string;
}

/** The steps of a plan that may be too crowded. One whose rate or keys have no bound has other faults. */
export function crowdingOf(plan: PipelinePlan): readonly Crowding[] {
  const around = surroundingsOf(plan);
  if (around.rate === null) return [];
  const all = [...plan.steps, ...plan.branches.flatMap((branch) => branch.steps)];
  return all
    .filter(({ definition }) => definition.kind === "keyed")
    .flatMap((step) =>
      Object.values(step.definition.state(step.config)).flatMap(
        (each) => crowdingIn(each, step, around) ?? [],
      ),
    );
}

function crowdingIn(table: TableDeclaration, step: StepPlan, around: Surroundings): Crowding | null {
  if (table.kind === "parts") return crowdingOfParts(table, step, around);
  if (table.kind === "values" || table.extent?.room === undefined) return null;
  const { room } = table.extent;
  const within = room.within(around.lateness);
  const records = Math.ceil((around.rate! * within) / 1000);
  const ofOne = room.ofOne(step.keys.max);
  if (records <= ofOne) return null;
  const ofAll = mostOf(room, table.by, step, around);
  const isCertain = records > ofAll;
  const places = isCertain ? `${ofAll} in all` : `${ofOne} of one key`;
  const message = `each record is remembered for ${within / 1000} s, ${records} may come in that time at limits.rate, and there is room for ${places}: further ones are left out as overflow`;
  return { step, isCertain, message, hint: room.cure(records) };
}

/** Of parts, of which each record may be one of its own, a table takes so many and no more, however much memory there is. */
function crowdingOfParts({ extent }: PartDeclaration, step: StepPlan, around: Surroundings): Crowding | null {
  const within = extent?.within?.(around.lateness) ?? 0;
  const records = Math.ceil((around.rate! * within) / 1000);
  if (records <= limits.window_parts_max) return null;
  const message = `each record is kept for up to ${within / 1000} s, ${records} may come in that time at limits.rate, and there is room for ${limits.window_parts_max}: further ones are left out as overflow`;
  const hint = "let records come less late, or let the step keep them for less time";
  return { step, isCertain: false, message, hint };
}

/** How many have room at best. Keys with clocks of their own have as many tables. */
function mostOf(room: Room, by: Parameters<typeof keysOf>[0], step: StepPlan, around: Surroundings): number {
  return around.per === null ? room.ofAll(keysOf(by, step, around)) : Number.POSITIVE_INFINITY;
}
