// The reference tables that a plan's steps look records up in: what they are called, and where in the file
// they are named. Pure; never reads a table.

import type { ReferenceDeclaration, ReferenceSource } from "../../operators/sdk/index.ts";
import { didYouMean } from "./nearest.ts";
import type { Path, PipelinePlan, StepPlan, StepSpec, TestLookups } from "./pipeline.ts";
import type { Reader } from "./section.ts";

/** A table that a step reads. */
export interface PlannedLookup {
  readonly label: string;
  /** The step's setting that names the table. */
  readonly setting: string;
  readonly declaration: ReferenceDeclaration;
  /** Leads to that setting. */
  readonly path: Path;
}

/** What a table is called in tests, figures and messages: its path, or its bucket with the connection where that is not the default one. */
export function referenceName(source: ReferenceSource): string {
  if (source.kind === "file") return source.path;
  return source.to === "default" ? source.bucket : `${source.to}/${source.bucket}`;
}

/** What the steps of a plan read, in the order of the file. */
export function lookupsOf({ spec, steps, branches }: PipelinePlan): readonly PlannedLookup[] {
  return [
    ...lookupsIn(steps, spec.steps),
    ...branches.flatMap(({ name, steps: own }) =>
      lookupsIn(own, spec.branches.find((each) => each.name === name)?.steps ?? []),
    ),
  ];
}

function lookupsIn(plans: readonly StepPlan[], specs: readonly StepSpec[]): readonly PlannedLookup[] {
  return plans.flatMap(({ label, definition, config }, place) =>
    Object.entries(definition.references(config)).map(([setting, declaration]) => ({
      label,
      setting,
      declaration,
      path: [...specs[place]!.path, setting],
    })),
  );
}

/** Each table once, by name. */
export function referenceSources(plans: readonly PipelinePlan[]): ReadonlyMap<string, ReferenceSource> {
  const lookups = plans.flatMap(lookupsOf);
  return new Map(lookups.map(({ declaration: { source } }) => [referenceName(source), source]));
}

/** A test that gives content to a table which no step reads has a mistake in the name. */
export function checkTestLookups(reader: Reader, plan: PipelinePlan): void {
  const names = [...referenceSources([plan]).keys()];
  const check = (lookups: TestLookups, path: Path): void => {
    for (const name of Object.keys(lookups)) {
      if (names.includes(name)) continue;
      const hint = names.length === 0 ? "no step has a table" : didYouMean(name, names);
      reader.keyFault([...path, name], `no step reads a table ${name}`, hint);
    }
  };
  for (const [place, { lookups, input }] of plan.spec.tests.entries()) {
    check(lookups, ["tests", place, "lookups"]);
    for (const [index, item] of input.entries())
      if (item.kind === "lookups") check(item.lookups, ["tests", place, "input", index, "lookups"]);
  }
}
