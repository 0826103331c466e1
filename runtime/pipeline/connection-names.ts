// Connections that a pipeline names and the device's settings do not, but one that is written nearly so. Warnings, because a
// connection may be named on the command line as well. Pure.

import { nearName } from "../expression/near-name.ts";
import { readDocument } from "./document.ts";
import { lookupsOf } from "./lookups.ts";
import type { Diagnostic, Path, PipelinePlan, PipelineSpec } from "./pipeline.ts";
import type { WrittenPipeline } from "./shared-streams.ts";

/** What is said of the connections of one pipeline, on a device that has those of `known`. */
export function connectionNameWarnings(
  { file, text }: Pick<WrittenPipeline, "file" | "text">,
  plan: PipelinePlan,
  known: readonly string[],
): readonly Diagnostic[] {
  const named = [...connectionsOf(plan.spec), ...connectionsOfTables(plan)].flatMap(({ to, path }) => {
    const near = known.includes(to) ? undefined : nearName(to, known);
    return near === undefined ? [] : [{ to, path, near }];
  });
  if (named.length === 0) return [];
  const { document } = readDocument(file, text);
  if (document === null) return [];
  const told = named.map(({ to, path, near }) => {
    const message = `the device's weir.yaml names no connection ${to}`;
    return document.diagnostic(document.spanOf(path), message, `did you mean ${near}?`, "warning");
  });
  return told.sort((one, other) => one.line - other.line || one.column - other.column);
}

interface Named {
  readonly to: string;
  readonly path: Path;
}

function connectionsOfTables(plan: PipelinePlan): readonly Named[] {
  return lookupsOf(plan).flatMap(({ declaration: { source }, path }) =>
    source.kind === "file" ? [] : [{ to: source.to, path: [...path, "kv", "to"] }],
  );
}

function connectionsOf({ inputs, branches, deadLetter }: PipelineSpec): readonly Named[] {
  const sinks = branches.map(({ sink, path }) => ({ end: sink, path }));
  const sources = inputs.map(({ source, path }) => ({ end: source, path }));
  const dead = deadLetter === null ? [] : [{ end: deadLetter.sink, path: ["dead_letter"] }];
  return [...sources, ...sinks, ...dead].flatMap(({ end, path }) =>
    end.kind === "nats" ? [{ to: end.to, path: [...path, "nats", "to"] }] : [],
  );
}
