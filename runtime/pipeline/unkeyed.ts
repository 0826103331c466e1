// Windows that put together what the subject tells apart. A warning: it may be meant. Pure.

import type { ConfigDocument } from "./document.ts";
import type { Diagnostic, PipelinePlan } from "./pipeline.ts";
import { namedTokens, partitionToken } from "./subject.ts";

/**
 * Windows without `by` where a token of the subject has a name that nothing else of the pipeline uses: why would it have
 * one? `read`: the columns that anything reads.
 */
export function unkeyedWarnings(
  { spec, steps, branches }: PipelinePlan,
  read: ReadonlySet<string>,
  document: ConfigDocument,
): readonly Diagnostic[] {
  const tokens = spec.inputs.flatMap(({ source }) =>
    source.kind === "nats" ? namedTokens(source.subject).map(({ name }) => name) : [],
  );
  const name = tokens.find((token) => token !== partitionToken && !read.has(token));
  const windows = [...steps, ...branches.flatMap((branch) => branch.steps)].filter(
    ({ spec: { path, operator } }) =>
      operator === "window" && document.valueAt([...path, "by"]) === undefined,
  );
  if (name === undefined) return [];
  return windows.map(({ spec: { path } }) => {
    const message = `this window puts every ${name} of the subject together`;
    const hint = `add by: ${name}, or write * in its place in the subject where this is meant`;
    return document.diagnostic(document.keySpanOf(path), message, hint, "warning");
  });
}
