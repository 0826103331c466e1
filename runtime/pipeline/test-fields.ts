// Records of a pipeline's own tests that are probably not what was meant: of whose fields none is read, as of a pause that is
// misspelled, or with a name that is nearly one that is read. Warnings, because records may hold whatever they like. Pure.

import type { ConfigDocument } from "./document.ts";
import { nearName } from "../expression/near-name.ts";
import type { Diagnostic, InputPlan, PipelinePlan } from "./pipeline.ts";

/** What else may stand in `input`. */
const forms = ["record", "pause", "restart", "raw", "lookups", "subject", "source"];

export function testFieldWarnings(plan: PipelinePlan, document: ConfigDocument): readonly Diagnostic[] {
  return plan.spec.tests.flatMap(({ input: items }, test) =>
    items.flatMap((item, place) => {
      if (item.kind !== "record") return [];
      const input = plan.inputs.find(({ spec }) => item.source === null || spec.name === item.source);
      const known = input === undefined ? [] : namesOf(input);
      const path = ["tests", test, "input", place];
      const under = document.valueAt([...path, "record"]);
      const isUnder = typeof under === "object" && under !== null && sameKeys(under, item.record);
      const at = isUnder ? [...path, "record"] : path;
      return known.length === 0 ? [] : warningsOf(item.record, known, at, document);
    }),
  );
}

function sameKeys(one: object, other: object): boolean {
  return Object.keys(one).join("\n") === Object.keys(other).join("\n");
}

/** The outermost names of what is read. */
function namesOf({ fields, spec }: InputPlan): readonly string[] {
  const names = [...fields.map(({ name }) => name), ...Object.keys(spec.schema ?? {})];
  const time = spec.time === null ? [] : [spec.time.field];
  return [...new Set([...names, ...time].flatMap((name) => [name, name.split(".")[0]!]))];
}

function warningsOf(
  record: Readonly<Record<string, unknown>>,
  known: readonly string[],
  path: readonly (string | number)[],
  document: ConfigDocument,
): readonly Diagnostic[] {
  const keys = Object.keys(record);
  const others = known.filter((name) => !keys.includes(name));
  const unread = keys.filter((key) => !known.includes(key));
  const isUnread = unread.length > 0 && unread.length === keys.length;
  return unread.flatMap((key) => {
    const near = nearName(
      key,
      isUnread ? [...others, ...forms.filter((form) => !keys.includes(form))] : others,
    );
    if (near === undefined) return [];
    const message = `the pipeline reads no field ${key}`;
    return [
      document.diagnostic(document.keySpanOf([...path, key]), message, `did you mean ${near}?`, "warning"),
    ];
  });
}
