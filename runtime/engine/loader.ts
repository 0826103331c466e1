// From a pipeline file to its plan: the file's text, the operators that it names under `use`, and the
// built-in ones. The only importer of the catalogue.

import { dirname, resolve } from "node:path";
import { catalog } from "../../operators/catalog.ts";
import type { OperatorDefinition } from "../../operators/sdk/index.ts";
import { readBounded } from "../bounded-file.ts";
import { messageOf, WeirError } from "../errors.ts";
import { limits } from "../limits.ts";
import { type ConfigDocument, readDocument } from "../pipeline/document.ts";
import { loadDocument, operatorFilesOf } from "../pipeline/load.ts";
import type { Diagnostic, PipelinePlan, PipelineSpec } from "../pipeline/pipeline.ts";
import { noProtos, type ProtoFiles } from "../pipeline/proto-files.ts";
import { type Shown, shownPlan } from "../pipeline/shown-plan.ts";
import { isStepName, loadOperators, stepWords } from "./operator-file.ts";
import { rehearse } from "./rehearsal.ts";

/** All that a pipeline is made of, as data, so that a thread can make the same plan. */
export interface PipelineInput {
  /** Absolute path. */
  readonly file: string;
  readonly text: string;
  readonly environment: Readonly<Record<string, string>>;
  /** The partition that runs by itself; null or left out: the pipeline as a whole. */
  readonly partition?: number | null;
  /** What somebody looks at of it, in place of running it for its sinks. */
  readonly shown?: Shown;
}

/** A pipeline that was read; `plan` is null when a mistake stands in its way. */
export interface LoadedPipeline {
  readonly input: PipelineInput;
  readonly spec: PipelineSpec | null;
  readonly plan: PipelinePlan | null;
  readonly diagnostics: readonly Diagnostic[];
  /** True when operators of the user's own are among its steps. */
  readonly custom: boolean;
  /** Values that must not be shown. */
  readonly secrets: readonly string[];
}

/** The variables that are set. Pipelines of one environment are given the same object, so that it is kept once. */
export function variablesOf(
  environment: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  const set = Object.entries(environment).filter((each): each is [string, string] => each[1] !== undefined);
  return Object.fromEntries(set);
}

/** Reads a pipeline file. */
export function readInput(file: string, environment: Readonly<Record<string, string>>): PipelineInput {
  const path = resolve(file);
  try {
    const bytes = readBounded(path, limits.config_bytes_max);
    return { file: path, text: bytes.toString("utf8"), environment };
  } catch (error) {
    const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
    const message = isMissing ? `there is no file ${file}` : `cannot read ${file}: ${messageOf(error)}`;
    throw new WeirError("WEIR_FILE", message, {
      remedy: isMissing
        ? "name a pipeline file; weir init writes one to start from"
        : "name a pipeline file that this user may read",
      cause: error,
    });
  }
}

/** The text of a file that a pipeline names, relative to its own. */
function readTextFile(base: string, path: string, bytesMax: number): string | null {
  try {
    return readBounded(resolve(base, path), bytesMax).toString("utf8");
  } catch {
    return null;
  }
}

/** That the name of an operator is not free, and what to do about it. */
function takenName(
  taken: OperatorDefinition,
  known: readonly OperatorDefinition[],
): readonly [message: string, hint: string] {
  const { name } = taken;
  if (known.includes(taken)) return ["this file is named already", "name it once"];
  if (catalog.some((each) => each.name === name))
    return [`there is an operator ${name} already, which comes with weir`, "give this one another name"];
  return known.some((each) => each.name === name)
    ? [`there is an operator ${name} already, of another file`, "give one of them another name"]
    : [`two of its operators are called ${name}`, "give one of them another name"];
}

/** The operators of the user's own that a file names, and what is wrong with them. */
async function ownOperators(
  input: PipelineInput,
  document: ConfigDocument | null,
  isTried: boolean,
): Promise<{ readonly own: readonly OperatorDefinition[]; readonly diagnostics: readonly Diagnostic[] }> {
  const own: OperatorDefinition[] = [];
  const diagnostics: Diagnostic[] = [];
  if (document === null) return { own, diagnostics };
  for (const [index, file] of operatorFilesOf(document).entries()) {
    const refuse = (message: string, hint: string | null): void => {
      diagnostics.push(document.diagnostic(document.spanOf(["use", index]), message, hint));
    };
    try {
      const path = resolve(dirname(input.file), file);
      if (!isTried) await rehearse(path);
      const loaded = await loadOperators(path);
      const nameless = loaded.find(({ name }) => !isStepName(name));
      const known = [...catalog, ...own];
      const taken = loaded.find(({ name }, place) =>
        [...known, ...loaded.slice(0, place)].some((each) => each.name === name),
      );
      if (nameless !== undefined)
        refuse(
          `an operator cannot be called ${JSON.stringify(nameless.name)}`,
          `a name is lower-case letters, digits and _, and none of ${[...stepWords].join(", ")}`,
        );
      else if (taken === undefined) own.push(...loaded);
      else refuse(...takenName(taken, known));
    } catch (error) {
      refuse(messageOf(error), error instanceof WeirError ? (error.remedy ?? null) : null);
    }
  }
  return { own, diagnostics };
}

/** What the .proto files that a pipeline names define, each read once. Their parser is loaded where there may be some. */
async function protoFiles({ file, text }: PipelineInput): Promise<ProtoFiles> {
  if (!text.includes("protobuf")) return noProtos;
  const { readProto } = await import("../codec/protobuf/proto-file.ts");
  const base = dirname(file);
  const read = new Map<string, ReturnType<ProtoFiles>>();
  return (path) => {
    if (!read.has(path))
      read.set(
        path,
        readProto(path, (each) => readTextFile(base, each, limits.proto_file_bytes_max)),
      );
    return read.get(path)!;
  };
}

/**
 * Makes the plan of a pipeline, with every mistake that stands in its way. `shown` is the file's name in them. `isTried`: this is a thread
 * that may end of what an operator's file does, or the file was loaded in one before.
 */
export async function loadInput(
  input: PipelineInput,
  shown: string = input.file,
  isTried = false,
): Promise<LoadedPipeline> {
  const read = readDocument(shown, input.text);
  const { own, diagnostics: unloadable } = await ownOperators(input, read.document, isTried);
  const catalogue = [...catalog, ...own];
  const surroundings = {
    variables: input.environment,
    file: (path: string) => readTextFile(dirname(input.file), path, limits.interpolated_value_bytes_max),
  };
  const protos = await protoFiles(input);
  const { partition = null } = input;
  const lacksOperators = unloadable.length > 0;
  const loaded = loadDocument(read, { catalogue, surroundings, protos, lacksOperators, partition });
  const whole = lacksOperators ? null : loaded.plan;
  const { shown: view } = input;
  const plan = whole === null || view === undefined ? whole : shownPlan(whole, view);
  const steps =
    plan === null ? [] : [...plan.spec.steps, ...plan.spec.branches.flatMap((branch) => branch.steps)];
  return {
    input,
    spec: loaded.spec,
    plan,
    diagnostics: [...unloadable, ...loaded.diagnostics],
    custom: steps.some(({ operator }) => own.some(({ name }) => name === operator)),
    secrets: loaded.secrets,
  };
}

/** The plans of pipelines that are known to be right, in a thread of their own. */
export async function loadPlans(inputs: readonly PipelineInput[]): Promise<PipelinePlan[]> {
  const plans: PipelinePlan[] = [];
  for (const input of inputs) {
    const { plan: made, diagnostics } = await loadInput(input, input.file, true);
    if (made === null) {
      throw new WeirError("WEIR_CONFIG", `${input.file}: ${diagnostics[0]?.message ?? "cannot be planned"}`);
    }
    plans.push(made);
  }
  return plans;
}
