// The tables that a pipeline looks records up in, as far as they are files: read where the pipeline is
// checked or tested, with every mistake at the setting that names the table. Never reads a bucket.

import { dirname, resolve } from "node:path";
import type { ReferenceContent } from "../codec/reference/content.ts";
import { readReferenceFile } from "../connect/reference-file.ts";
import { WeirError } from "../errors.ts";
import { readDocument } from "../pipeline/document.ts";
import { lookupsOf, referenceName } from "../pipeline/lookups.ts";
import type { Diagnostic } from "../pipeline/pipeline.ts";
import { decodeAs } from "./live-reference.ts";
import type { LoadedPipeline } from "./loader.ts";

export interface ReferenceFiles {
  /** By name of the table. */
  readonly contents: ReadonlyMap<string, ReferenceContent>;
  /** Files that cannot be used. */
  readonly diagnostics: readonly Diagnostic[];
  /** Warnings for buckets, which only the worker reads. */
  readonly unchecked: readonly Diagnostic[];
}

/** Reads and checks the files. `shown` is the pipeline's name in messages. */
export async function readReferenceFiles(
  { input, plan }: LoadedPipeline,
  shown: string,
): Promise<ReferenceFiles> {
  const contents = new Map<string, ReferenceContent>();
  const diagnostics: Diagnostic[] = [];
  const unchecked: Diagnostic[] = [];
  const lookups = plan === null ? [] : lookupsOf(plan);
  if (lookups.length === 0) return { contents, diagnostics, unchecked };
  const { document } = readDocument(shown, input.text);
  for (const { declaration, path } of lookups) {
    const { source } = declaration;
    const name = referenceName(source);
    const span = document!.spanOf([...path, ...(source.kind === "file" ? ["file"] : ["kv", "bucket"])]);
    if (source.kind === "kv") {
      const message = `what bucket ${source.bucket} holds is not checked here`;
      const hint = "weir run reads it before it opens the source";
      unchecked.push(document!.diagnostic(span, message, hint, "warning"));
      continue;
    }
    const file = resolve(dirname(input.file), source.path);
    const content = contents.get(name) ?? (await readReferenceFile(file, name));
    contents.set(name, content);
    try {
      decodeAs(declaration, content);
    } catch (error) {
      if (!(error instanceof WeirError)) throw error;
      diagnostics.push(document!.diagnostic(span, error.message, error.remedy ?? null));
    }
  }
  return { contents, diagnostics, unchecked };
}
