// Pipelines of one folder that are called the same: what runs a folder refuses them, because state, rows and figures go by
// the name. Looks at pipelines that are right by themselves, and only together; those of other folders run elsewhere.

import { dirname, resolve } from "node:path";
import { readDocument } from "./document.ts";
import type { Diagnostic } from "./pipeline.ts";
import type { WrittenPipeline } from "./shared-streams.ts";

/** By pipeline, in the order given, that an earlier file of its folder has its name. A file that is named twice is one. */
export function sameNameFaults(pipelines: readonly WrittenPipeline[]): readonly (readonly Diagnostic[])[] {
  const first = new Map<string, WrittenPipeline>();
  return pipelines.map((pipeline) => {
    const key = JSON.stringify([dirname(resolve(pipeline.file)), pipeline.spec.name]);
    const earlier = first.get(key) ?? pipeline;
    first.set(key, earlier);
    return resolve(earlier.file) === resolve(pipeline.file) ? [] : [fault(pipeline, earlier)];
  });
}

function fault({ file, text, spec: { name } }: WrittenPipeline, earlier: WrittenPipeline): Diagnostic {
  const message = `${earlier.file} is called ${name} as well`;
  const hint = "give each pipeline of a folder a name of its own";
  const { document } = readDocument(file, text);
  // A pipeline that was read has a document.
  if (document === null) return { file, line: 1, column: 1, length: 1, message, hint, severity: "error" };
  return document.diagnostic(document.spanOf(["name"]), message, hint);
}
