// The steps of a pipeline file: operators by name, branches, and the sink that ends each chain. Each
// operator's settings are parsed with its own field specs. Never compiles an expression.

import type { OperatorDefinition } from "../../operators/sdk/index.ts";
import { limits } from "../limits.ts";
import { syntaxFaultsOf, unboundIn } from "./binding.ts";
import { didYouMean } from "./nearest.ts";
import type { BranchSpec, Path, StepSpec } from "./pipeline.ts";
import type { Reader } from "./section.ts";
import { readSink, type SinkPart } from "./sink-spec.ts";

/** Stands for settings that were refused: the step keeps its place, so that what follows is not judged without it. */
export const unread: unique symbol = Symbol("unread settings");

export interface StepsPart {
  readonly steps: readonly StepSpec[];
  readonly branches: readonly BranchSpec[];
  /** The branches that the file names, those included that could not be read. */
  readonly names: readonly string[];
}

/** A chain that was read: what follows its operators. */
interface Chain {
  readonly steps: StepSpec[];
  readonly sink: { readonly part: SinkPart; readonly path: Path } | null;
  readonly branch: Path | null;
}

/** Reads `steps`. What could be read is answered even where mistakes were reported, so that they do not hide others. */
export function readSteps(reader: Reader, catalogue: readonly OperatorDefinition[]): StepsPart {
  const path = ["steps"];
  if (reader.document.valueAt(path) === undefined) {
    reader.fault([], "steps is missing", "a pipeline has at least one step: a sink");
    return { steps: [], branches: [], names: [] };
  }
  const count = { left: limits.steps_max };
  const chain = readChain(reader, catalogue, path, count, "the pipeline");
  if (chain === null) return { steps: [], branches: [], names: [] };
  const { steps, branch, sink } = chain;
  if (branch !== null) return { steps, ...readBranches(reader, catalogue, branch, count) };
  if (sink === null) return { steps, branches: [], names: ["main"] };
  return { steps, branches: [{ name: "main", steps: [], ...sink.part, path: sink.path }], names: ["main"] };
}

function readChain(
  reader: Reader,
  catalogue: readonly OperatorDefinition[],
  path: Path,
  count: { left: number },
  owner: string,
): Chain | null {
  const list = reader.document.valueAt(path);
  if (!Array.isArray(list)) {
    reader.fault(path, "expected a list of steps", "each step begins with a dash: - filter: …");
    return null;
  }
  if (list.length === 0) {
    reader.fault(path, `${owner} has no steps`, "end it with a sink: - sink: { stdout: {} }");
    return null;
  }
  const chain: { -readonly [K in keyof Chain]: Chain[K] } = {
    steps: [],
    sink: null,
    branch: null,
  };
  let ended: string | null = null;
  for (const [place, step] of (list as unknown[]).entries()) {
    const at = [...path, place];
    const name = wordOf(reader, at, step);
    if (ended !== null) {
      reader.keyFault(
        name === null ? at : [...at, name],
        `a step after the ${ended}`,
        `the ${ended} comes last in ${owner}`,
      );
      break;
    }
    if (count.left-- === 0) {
      reader.fault(at, `more than ${limits.steps_max} steps`, "split the pipeline");
      break;
    }
    if (name === "sink") {
      ended = name;
      const part = readSink(reader, [...at, name]);
      if (part !== undefined) chain.sink = { part, path: [...at, name] };
    } else if (name === "branch") {
      ended = name;
      if (path.length > 1) {
        reader.keyFault(
          [...at, name],
          "a branch inside a branch",
          "write the inner branches beside the outer ones, with their steps repeated",
        );
      } else chain.branch = [...at, name];
    } else {
      const read = name === null ? null : readStep(reader, catalogue, [...at, name], name);
      if (read !== null) chain.steps.push(read);
    }
  }
  if (ended === null)
    reader.fault(
      [...path, list.length - 1],
      `${owner} ends without a sink`,
      "add a last step: - sink: { … }",
    );
  return chain;
}

/** The one key of a step; null, and reported, when it is no map of one key. */
function wordOf(reader: Reader, path: Path, step: unknown): string | null {
  if (typeof step !== "object" || step === null || Array.isArray(step)) {
    const hint =
      typeof step === "string" ? `write - ${step}: with its settings` : "write - filter: temp > 30";
    reader.fault(path, "expected a step: the name of an operator and its settings", hint);
    return null;
  }
  const names = Object.keys(step);
  if (names.length === 0)
    reader.fault(path, "an empty step", "write the name of an operator and its settings");
  for (const name of names.slice(1)) {
    reader.keyFault(
      [...path, name],
      `${name} stands beside ${names[0]} in one step`,
      "begin it with a dash of its own, or indent it as a setting",
    );
  }
  return names[0] ?? null;
}

function readStep(
  reader: Reader,
  catalogue: readonly OperatorDefinition[],
  path: Path,
  name: string,
): StepSpec | null {
  const definition = catalogue.find((each) => each.name === name);
  if (definition === undefined) {
    const names = [...catalogue.map((each) => each.name), "branch", "sink"];
    reader.keyFault(path, `there is no operator ${name}`, didYouMean(name, names));
    return { operator: name, config: unread, path };
  }
  const config = reader.parse(definition.config, path);
  for (const { unbound, path: within } of unboundIn(config)) {
    reader.faultsWithin([...path, ...within], syntaxFaultsOf(unbound));
  }
  return { operator: name, config: config === undefined ? unread : config, path };
}

function readBranches(
  reader: Reader,
  catalogue: readonly OperatorDefinition[],
  path: Path,
  count: { left: number },
): Pick<StepsPart, "branches" | "names"> {
  const map = reader.document.valueAt(path);
  if (typeof map !== "object" || map === null || Array.isArray(map)) {
    reader.fault(path, "expected branches by name", "write branch: { name: [ steps ] }");
    return { branches: [], names: [] };
  }
  const names = Object.keys(map);
  if (names.length === 0) reader.fault(path, "a branch step without branches", "name at least one");
  if (names.length > limits.branches_max) {
    reader.fault(path, `${names.length} branches; the most is ${limits.branches_max}`, "split the pipeline");
    return { branches: [], names };
  }
  const branches = names.flatMap((name) => {
    const at = [...path, name];
    if (!/^[a-z0-9_-]{1,64}$/.test(name)) {
      reader.keyFault(
        at,
        `${name} cannot be a branch's name`,
        "lower-case letters, digits, - and _, at most 64",
      );
    }
    const chain = readChain(reader, catalogue, at, count, `the branch ${name}`);
    if (chain === null || chain.sink === null) return [];
    return [{ name, steps: chain.steps, ...chain.sink.part, path: chain.sink.path }];
  });
  return { branches, names };
}
