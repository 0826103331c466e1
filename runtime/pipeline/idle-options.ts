// What stands beside an operator's word and changes nothing there: bounds of keys where there are none to bound, and a late branch
// that no record comes to. Warnings: the rows are the same without. Pure.

import type { ConfigDocument } from "./document.ts";
import type { DeclaredKeys, Diagnostic, PipelinePlan, StepPlan } from "./pipeline.ts";

export function idleOptionWarnings(
  { steps, branches }: PipelinePlan,
  document: ConfigDocument,
): readonly Diagnostic[] {
  const all = [...steps, ...branches.flatMap((branch) => branch.steps)];
  const ofKeys = all.flatMap((step) => idleKeys(step, document));
  const ofLate = branches.flatMap(({ lateOf }) => (lateOf === null ? [] : idleLate(lateOf, document)));
  return [...ofKeys, ...ofLate];
}

function idleKeys({ definition, config, spec }: StepPlan, document: ConfigDocument): readonly Diagnostic[] {
  const said = (Object.keys(spec.keys) as (keyof DeclaredKeys)[]).filter(
    (name) => spec.keys[name] !== undefined,
  );
  if (said.length === 0) return [];
  const { name } = definition;
  const at = [...spec.path.slice(0, -1), "keys"];
  const tables = Object.values(definition.state(config)).flatMap((table) =>
    table.kind !== "values" && table.by.length > 0 ? [table] : [],
  );
  if (tables.length === 0) {
    const message = `${name} has no key here, so that there is nothing to bound`;
    return [document.diagnostic(document.keySpanOf(at), message, "remove keys", "warning")];
  }
  // Tables whose keys the operator itself forgets.
  const forgets = tables.some((table) => table.kind !== "keyed" || !table.lasting);
  return said
    .filter((setting) => !forgets && setting !== "max")
    .map((setting) => {
      const message = `${name} forgets its keys by its own settings: ${setting} has no say in it`;
      return document.diagnostic(
        document.keySpanOf([...at, setting]),
        message,
        `remove ${setting}`,
        "warning",
      );
    });
}

function idleLate({ definition, config, spec }: StepPlan, document: ConfigDocument): readonly Diagnostic[] {
  if (definition.late?.(config) ?? true) return [];
  const at = [...spec.path.slice(0, -1), "late"];
  const message = `no record is late for ${definition.name} with these settings: this branch gets none`;
  return [document.diagnostic(document.keySpanOf(at), message, "remove late", "warning")];
}
