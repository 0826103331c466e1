// Dead letters that would take along what a step conceals: they are the records as they came, wherever they were left out. A
// warning, because a connection of another name may still end on this device. Pure.

import type { ConfigDocument } from "./document.ts";
import type { Diagnostic, PipelinePlan } from "./pipeline.ts";

export function concealedWarnings(
  { spec, steps, branches }: PipelinePlan,
  document: ConfigDocument,
): readonly Diagnostic[] {
  const sink = spec.deadLetter?.sink;
  if (sink?.kind !== "nats" || sink.to === "default") return [];
  const all = [...steps, ...branches.flatMap((branch) => branch.steps)];
  const hidden = all.find(({ definition }) => definition.conceals === true);
  if (hidden === undefined) return [];
  const message = `dead letters go to ${sink.to} as the records came, with what ${hidden.definition.name} conceals`;
  const hint = "leave `to` out: they stay on the device then";
  return [document.diagnostic(document.keySpanOf(["dead_letter", "nats", "to"]), message, hint, "warning")];
}
