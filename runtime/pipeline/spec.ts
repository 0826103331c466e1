// A document to the spec of a pipeline: every part read with its own spec, every mistake reported.
// Never compiles an expression and never opens anything.

import { normalize } from "node:path";
import { z } from "zod";
import type { OperatorDefinition } from "../../operators/sdk/index.ts";
import { pipelineNamePattern } from "../instance.ts";
import type { ConfigDocument } from "./document.ts";
import { didYouMean } from "./nearest.ts";
import { readLimits } from "./limits-spec.ts";
import { readOutbox } from "./outbox-spec.ts";
import type { Diagnostic, PipelineSpec, SinkSpec } from "./pipeline.ts";
import { checkCarriedState } from "./carried-state.ts";
import { checkPartitions } from "./partitions.ts";
import { readPlacement } from "./placement-spec.ts";
import type { ProtoFiles } from "./proto-files.ts";
import { Reader } from "./section.ts";
import { readDeadLetter } from "./sink-spec.ts";
import { readInputs } from "./sources-spec.ts";
import { readSteps } from "./steps-spec.ts";
import { overlaps } from "./subject.ts";
import { readTests } from "./test-spec.ts";

export interface SpecAnswer {
  /** What could be read; null when its sources could not. A step whose settings were refused has `config: undefined`. */
  readonly spec: PipelineSpec | null;
  readonly diagnostics: readonly Diagnostic[];
}

/** The name that was written, as it may be. */
function plainName(written: unknown): string {
  const plain = String(written)
    .toLowerCase()
    .replaceAll(/[^a-z0-9_-]+/g, "-")
    .replaceAll(/^-+|-+$/g, "");
  return plain === "" || plain.length > 64 ? "" : `; write ${plain}`;
}

export const nameSetting: z.ZodType<string> = z
  .string()
  .regex(pipelineNamePattern, {
    error: ({ input }) =>
      input === "constructor" || input === "__proto__"
        ? `${input} cannot be a name here; choose another name`
        : `a pipeline's name is lower-case letters, digits, - and _, at most 64${plainName(input)}`,
  })
  .meta({ description: "Names the pipeline on the device." });
export const aboutSetting: z.ZodType<string> = z
  .string()
  .max(2000)
  .meta({ description: "What the pipeline is for, in a sentence." });
export const useSetting: z.ZodType<string[]> = z
  .array(z.string().min(1).max(4096))
  .max(64)
  .meta({ description: "Files of further operators, relative to this file." });

const settings = [
  "name",
  "about",
  "use",
  "source",
  "sources",
  "steps",
  "limits",
  "outbox",
  "placement",
  "dead_letter",
  "tests",
] as const;

/** Reads the spec in `document`, with the operators of `catalogue`. */
export function readSpec(
  document: ConfigDocument,
  catalogue: readonly OperatorDefinition[],
  protos?: ProtoFiles,
  lacksOperators = false,
): SpecAnswer {
  const reader = new Reader(document, protos);
  const { value } = document;
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    const hint = "a pipeline file begins with name:, source: and steps:";
    const what = value === null || value === undefined ? "the file is empty" : "expected a map of settings";
    reader.at({ start: 0, end: 1 }, what, hint);
    return { spec: null, diagnostics: reader.diagnostics };
  }
  checkSettings(reader, value);
  const name = reader.parse(nameSetting, ["name"]);
  const about = reader.parse(aboutSetting.optional(), ["about"]);
  const use = reader.parse(useSetting.optional(), ["use"]);
  const inputs = readInputs(reader);
  const { steps, branches, names } = readSteps(reader, catalogue, lacksOperators);
  const limits = readLimits(reader);
  const outbox = readOutbox(reader);
  const placement = readPlacement(reader);
  const deadLetter = document.valueAt(["dead_letter"]) === undefined ? undefined : readDeadLetter(reader);
  const tests = readTests(reader, { branches: names, inputs: inputs ?? [] });
  if (inputs === undefined) return { spec: null, diagnostics: reader.diagnostics };
  const spec: PipelineSpec = {
    file: document.file,
    name: name ?? "",
    about: about ?? null,
    use: use ?? [],
    inputs,
    steps,
    branches,
    limits,
    outbox,
    placement,
    deadLetter: deadLetter === undefined ? null : { sink: deadLetter },
    tests,
  };
  checkLoops(reader, spec);
  checkPartitions(reader, spec);
  checkCarriedState(reader, spec);
  return { spec, diagnostics: reader.diagnostics };
}

function checkSettings(reader: Reader, value: object): void {
  for (const key of Object.keys(value)) {
    if ((settings as readonly string[]).includes(key)) continue;
    const hint =
      key === "sink" || key === "branch"
        ? `${key} is the last of the steps: - ${key}: …`
        : didYouMean(key, settings);
    reader.keyFault([key], `unknown setting ${key}`, hint);
  }
}

/** A pipeline that reads what it writes would never come to rest. */
function checkLoops(reader: Reader, { inputs, branches, deadLetter }: PipelineSpec): void {
  for (const { name, source } of inputs) {
    const which = inputs.length === 1 ? "the source" : `the source ${name}`;
    const check = (sink: SinkSpec, path: readonly (string | number)[]): void => {
      if (source.kind === "file" && sink.kind === "file" && normalize(sink.path) === normalize(source.path)) {
        const message = `${which} reads ${source.path}, so these rows would stand in what is read`;
        reader.fault([...path, "file", "path"], message, "write them to another file");
      }
      if (
        source.kind !== "nats" ||
        sink.kind !== "nats" ||
        sink.to !== source.to ||
        !overlaps(sink.subject, source.subject)
      )
        return;
      const message = `${which} reads ${source.subject}, so these rows would come in again`;
      reader.fault([...path, "nats", "subject"], message, "send them to another subject");
    };
    for (const branch of branches) check(branch.sink, branch.path);
    if (deadLetter !== null) check(deadLetter.sink, ["dead_letter"]);
  }
}
