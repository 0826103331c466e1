// Sources that steps speak of by name, where the pipeline has none of that name: no record would ever be of them. Warnings,
// because the expression itself is right. Pure.

import type { ConfigDocument } from "./document.ts";
import { didYouMean } from "./nearest.ts";
import type { Diagnostic, Path, PipelinePlan, StepPlan } from "./pipeline.ts";

/** A comparison of the column that names the source. */
const comparison = /\bsource\s*[!=]=\s*(?:"([^"\\]*)"|'([^'\\]*)')/g;

export function sourceNameWarnings(
  { spec, steps, branches }: PipelinePlan,
  document: ConfigDocument,
): readonly Diagnostic[] {
  const names = spec.inputs.map(({ name }) => name);
  // One source alone has no column that names it.
  if (names.length < 2) return [];
  const all = [...steps, ...branches.flatMap((branch) => branch.steps)];
  return all.flatMap((step) =>
    spokenOf(step, document).flatMap(({ name, path }) => {
      if (names.includes(name)) return [];
      const message = `there is no source ${name}: no record is of it`;
      return [document.diagnostic(document.spanOf(path), message, didYouMean(name, names), "warning")];
    }),
  );
}

interface Spoken {
  readonly name: string;
  readonly path: Path;
}

function spokenOf({ config, spec }: StepPlan, document: ConfigDocument): readonly Spoken[] {
  const { inputs } = (config ?? {}) as {
    readonly inputs?: Readonly<Record<string, { readonly text?: unknown }>>;
  };
  /** An entry of a list that stands for a source, as those of `align` and `join` do. */
  const isSource = (path: Path, name: string): boolean =>
    path.at(-2) === "inputs" &&
    typeof path.at(-1) === "number" &&
    inputs?.[name]?.text === `source == ${JSON.stringify(name)}`;
  const found: Spoken[] = [];
  const look = (value: unknown, path: Path): void => {
    if (typeof value === "string") {
      if (isSource(path, value)) found.push({ name: value, path });
      for (const [, double, single] of value.matchAll(comparison))
        found.push({ name: double ?? single ?? "", path });
    } else if (Array.isArray(value)) {
      for (const [place, each] of value.entries()) look(each, [...path, place]);
    } else if (typeof value === "object" && value !== null) {
      for (const [key, each] of Object.entries(value)) look(each, [...path, key]);
    }
  };
  look(document.valueAt(spec.path), spec.path);
  return found;
}
