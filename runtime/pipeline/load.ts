// The door of the room: a pipeline file's text to its plan, or to everything that is wrong with it. The
// environment, files and operators come in as arguments; nothing here reads them itself.

import type { OperatorDefinition } from "../../operators/sdk/index.ts";
import { limits } from "../limits.ts";
import { type ConfigDocument, type DocumentAnswer, readDocument } from "./document.ts";
import { interpolate, type Surroundings } from "./interpolate.ts";
import type { Diagnostic, PipelinePlan, PipelineSpec } from "./pipeline.ts";
import { specOfPartition } from "./partitions.ts";
import { planPipeline } from "./plan.ts";
import type { ProtoFiles } from "./proto-files.ts";
import { readSpec } from "./spec.ts";

export interface PlanRequest {
  readonly catalogue: readonly OperatorDefinition[];
  /** What `${…}` stands for; nothing is set when left out. */
  readonly surroundings?: Surroundings;
  /** What .proto files define; there are none when left out. */
  readonly protos?: ProtoFiles;
  /** True when operators that the file names could not be loaded: there is no plan, and that one is not there may be for that alone. */
  readonly lacksOperators?: boolean;
  /** The partition that is to run by itself; null or left out: the pipeline as a whole. */
  readonly partition?: number | null;
}

export interface LoadRequest extends PlanRequest {
  /** The file's name, as messages show it. */
  readonly file: string;
  /** Its text, or its bytes. */
  readonly content: string | Uint8Array;
}

export interface Loaded {
  /** What the file says; null when there are errors. */
  readonly spec: PipelineSpec | null;
  /** Null when there are errors. */
  readonly plan: PipelinePlan | null;
  /** In the order of the file. */
  readonly diagnostics: readonly Diagnostic[];
  /** Values that must not be shown anywhere. */
  readonly secrets: readonly string[];
}

const nothing: Surroundings = { variables: {}, file: () => null };

/** Reads, checks and plans a pipeline file. Never throws for what the file holds. */
export function loadPipeline({ file, content, ...request }: LoadRequest): Loaded {
  return loadDocument(readDocument(file, content), request);
}

/** The same for a file whose document was read before. */
export function loadDocument(
  { document: written, diagnostics: unreadable }: DocumentAnswer,
  { catalogue, surroundings = nothing, protos, lacksOperators = false, partition = null }: PlanRequest,
): Loaded {
  if (written === null) return { spec: null, plan: null, diagnostics: settle(unreadable), secrets: [] };
  const { document, diagnostics: unset, secrets } = interpolate(written, surroundings);
  const { spec: whole, diagnostics: misread } = readSpec(document, catalogue, protos, lacksOperators);
  const spec = whole === null || partition === null ? whole : specOfPartition(whole, partition);
  const planned = spec === null ? null : planPipeline(spec, catalogue, document);
  const further = [...misread, ...(planned?.diagnostics ?? [])].filter((each) => !isOfAny(each, unset));
  const all = settle([...unreadable, ...unset, ...further]);
  const isRefused = lacksOperators || all.some((each) => each.severity === "error");
  const plan = isRefused ? null : (planned?.plan ?? null);
  return { spec: plan?.spec ?? null, plan, diagnostics: all, secrets };
}

/** The operator files that a pipeline file names under `use`, so that they can be loaded before it is. */
export function operatorFilesOf(document: ConfigDocument): readonly string[] {
  const use = document.valueAt(["use"]);
  return Array.isArray(use) ? use.filter((each) => typeof each === "string") : [];
}

/** In the order of the file, and not more than a reader can use. */
function settle(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const sorted = distinct(diagnostics).toSorted((a, b) => a.line - b.line || a.column - b.column);
  const left = sorted.length - limits.config_diagnostics_max;
  if (left <= 0) return sorted;
  const last = sorted[limits.config_diagnostics_max - 1]!;
  const more: Diagnostic = { ...last, message: `${left + 1} more mistakes from here on`, hint: null };
  return [...sorted.slice(0, limits.config_diagnostics_max - 1), more];
}

/** True of what is wrong with a value only because a reference in it stands for nothing. */
function isOfAny({ line, column, length }: Diagnostic, unset: readonly Diagnostic[]): boolean {
  return unset.some(
    (each) => each.line === line && column <= each.column + each.length && column + length >= each.column,
  );
}

/** One mistake at one place: the spec, inference and binding may all have seen it. */
function distinct(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const seen = new Set<string>();
  return diagnostics.filter(({ line, column }) => {
    const key = `${line}:${column}`;
    return !seen.has(key) && seen.add(key) !== undefined;
  });
}
