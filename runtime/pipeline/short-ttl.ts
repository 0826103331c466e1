// Keys that are forgotten before what their step waits for can come: it would be silent about the very keys that it watches.
// Warnings, because a key whose records come often enough is never forgotten. Pure.

import type { ConfigDocument } from "./document.ts";
import type { Diagnostic, PipelinePlan, StepPlan } from "./pipeline.ts";

export function shortTtlWarnings(
  { steps, branches }: PipelinePlan,
  document: ConfigDocument,
): readonly Diagnostic[] {
  const all = [...steps, ...branches.flatMap((branch) => branch.steps)];
  return all.flatMap((step) => shortTtl(step, document));
}

function shortTtl(
  { definition, config, keys, spec }: StepPlan,
  document: ConfigDocument,
): readonly Diagnostic[] {
  const silence = definition.silence?.(config);
  if (silence === undefined || keys.ttl === null || keys.ttl >= silence) return [];
  const isKeyed = Object.values(definition.state(config)).some(
    (table) => table.kind !== "values" && table.by.length > 0,
  );
  if (!isKeyed) return [];
  const { name } = definition;
  const at = spec.keys.ttl === undefined ? ["limits"] : spec.path.slice(0, -1);
  const message = `${name} forgets a key that is silent before a row of it is due: it has none then`;
  const hint = "write a ttl that is no shorter";
  return [document.diagnostic(document.keySpanOf([...at, "keys", "ttl"]), message, hint, "warning")];
}
