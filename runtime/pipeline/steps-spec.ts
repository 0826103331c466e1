// The steps of a pipeline file: operators by name, branches, and the sink that ends each chain. Each
// operator's settings are parsed with its own field specs. Never compiles an expression.

import type { OperatorDefinition } from "../../operators/sdk/index.ts";
import { limits } from "../limits.ts";
import { nearName } from "../expression/near-name.ts";
import { syntaxFaultsOf, unboundIn } from "./binding.ts";
import { choiceOf, didYouMean } from "./nearest.ts";
import type { BranchSpec, DeclaredKeys, Path, StepSpec } from "./pipeline.ts";
import type { Reader } from "./section.ts";
import { checkOptions, readKeys } from "./step-options.ts";
import { isOption, stepOptions } from "./option-words.ts";
import { readSink, type SinkPart } from "./sink-spec.ts";

/** Stands for settings that were refused: the step keeps its place, so that what follows is not judged without it. */
export const unread: unique symbol = Symbol("unread settings");

export interface StepsPart {
  readonly steps: readonly StepSpec[];
  readonly branches: readonly BranchSpec[];
  /** The branches that the file names, those included that could not be read. */
  readonly names: readonly string[];
}

/** What reading a chain needs. */
interface Reading {
  readonly reader: Reader;
  readonly catalogue: readonly OperatorDefinition[];
  /** True when some could not be loaded, and `catalogue` lacks them. */
  readonly lacksOperators: boolean;
  /** Steps that the file may still have. */
  readonly count: { left: number };
  /** True in a late branch. */
  readonly isLate: boolean;
}

interface End {
  readonly part: SinkPart;
  readonly path: Path;
}

/** A chain that was read: its operators, what follows them, and where the late records of one of them go. */
interface Chain {
  readonly steps: StepSpec[];
  sink: End | null;
  branch: Path | null;
  late: LateBranch | null;
}

/** A late branch that has no name yet. */
type LateBranch = Omit<BranchSpec, "name">;

/** Reads `steps`. What could be read is answered even where mistakes were reported, so that they do not hide others. */
export function readSteps(
  reader: Reader,
  catalogue: readonly OperatorDefinition[],
  lacksOperators: boolean,
): StepsPart {
  const path = ["steps"];
  if (reader.document.valueAt(path) === undefined) {
    reader.missing("steps", "a pipeline has at least one step: a sink");
    return { steps: [], branches: [], names: [] };
  }
  const count = { left: limits.steps_max };
  const reading: Reading = { reader, catalogue, lacksOperators, count, isLate: false };
  const chain = readChain(reading, path, "the pipeline");
  if (chain === null) return { steps: [], branches: [], names: [] };
  const { steps, branch, sink, late } = chain;
  if (branch !== null) return { steps, ...readBranches(reading, branch, late) };
  const own = sink === null ? [] : [branchOf("main", [], sink)];
  const after = lateBranches(reader, [[null, late]], ["main"]);
  return { steps, branches: [...own, ...after], names: ["main", ...after.map(({ name }) => name)] };
}

function branchOf(name: string, steps: readonly StepSpec[], { part, path }: End): BranchSpec {
  return { name, steps, ...part, path, lateOf: null };
}

/** The late branches of chains, named after them: `late` of the steps that all records take, `x-late` of a branch x. */
function lateBranches(
  reader: Reader,
  chains: readonly (readonly [string | null, LateBranch | null])[],
  names: readonly string[],
): readonly BranchSpec[] {
  return chains.flatMap(([owner, late]) => {
    if (late === null) return [];
    const name = owner === null ? "late" : `${owner}-late`;
    if (!names.includes(name)) return [{ name, ...late }];
    const path = [...late.lateOf!.path.slice(0, -1), "late"];
    reader.keyFault(path, `this makes a branch ${name}, and there is one already`, "rename the other");
    return [];
  });
}

function readChain(reading: Reading, path: Path, owner: string): Chain | null {
  const { reader, count } = reading;
  const list = reader.document.valueAt(path);
  if (!Array.isArray(list)) {
    reader.fault(path, "expected a list of steps", "each step begins with a dash: - filter: …");
    return null;
  }
  if (list.length === 0) {
    reader.fault(path, `${owner} has no steps`, "end it with a sink: - sink: { stdout: {} }");
    return null;
  }
  const chain: Chain = { steps: [], sink: null, branch: null, late: null };
  let ended: string | null = null;
  for (const [place, step] of (list as unknown[]).entries()) {
    const at = [...path, place];
    const name = wordOf(reading, at, step);
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
    if (name !== null && isEnd(name)) ended = name;
    if (name !== null) readLink(reading, chain, [...at, name], name);
  }
  if (ended === null)
    reader.fault(
      [...path, list.length - 1],
      `${owner} ends without a sink`,
      "add a last step: - sink: { … }",
    );
  return chain;
}

/** Reads one step into its chain. */
function readLink(reading: Reading, chain: Chain, path: Path, name: string): void {
  const { reader, catalogue } = reading;
  const own = path.slice(0, -1);
  if (settingsBeside(catalogue, reader.document.valueAt(own)).length > 0) {
    if (!isEnd(name)) chain.steps.push({ operator: name, keys: readKeys(reader, own), config: unread, path });
    return;
  }
  if (!isEnd(name)) {
    const keys = readKeys(reader, own);
    const step = readStep(reading, path, name, keys);
    chain.steps.push(step);
    checkOptions(reader, own, catalogue.find((each) => each.name === name)?.kind, name);
    readLate(reading, chain, step, own);
    return;
  }
  checkOptions(reader, own, "stateless", name);
  if (name === "sink") {
    const part = readSink(reader, path);
    if (part !== undefined) chain.sink = { part, path };
  } else if (path.length > 3) {
    const hint = "write the inner branches beside the outer ones, with their steps repeated";
    reader.keyFault(path, "a branch inside a branch", hint);
  } else chain.branch = path;
}

/** What to do about a step that is no map. */
function hintOfStep(step: unknown): string {
  if (typeof step !== "string") return "write - filter: temp > 30";
  const [, word, setting] = /^(\w+):(\S.*)$/.exec(step) ?? [];
  return word === undefined
    ? `write - ${step}: with its settings`
    : `a space follows the colon: - ${word}: ${setting}`;
}

function isEnd(name: string): boolean {
  return name === "sink" || name === "branch";
}

/** The settings that begin in the column of a step's word, which has none under it: they were not indented far enough. */
function settingsBeside(catalogue: readonly OperatorDefinition[], step: unknown): readonly string[] {
  const [word, ...others] = Object.keys(step ?? {}).filter((name) => !isOption(name));
  if (word === undefined || (step as Readonly<Record<string, unknown>>)[word] !== null) return [];
  const isWord = (name: string): boolean => isEnd(name) || catalogue.some((each) => each.name === name);
  // One alone may be a step without its dash; a setting may be called like an operator.
  return others.every(isWord) ? [] : others;
}

/** The one key of a step; null, and reported, when it is no map of one key. */
function wordOf({ reader, catalogue }: Reading, path: Path, step: unknown): string | null {
  if (typeof step !== "object" || step === null || Array.isArray(step)) {
    reader.fault(path, "expected a step: the name of an operator and its settings", hintOfStep(step));
    return null;
  }
  const names = Object.keys(step);
  if (names.length === 0)
    reader.fault(path, "an empty step", "write the name of an operator and its settings");
  const [operator, ...others] = names.filter((name) => !isOption(name));
  if (operator === undefined && names.length > 0)
    reader.keyFault(
      [...path, names[0]!],
      `${names[0]} without an operator`,
      "write it beside the operator's word",
    );
  const beside = settingsBeside(catalogue, step);
  if (operator !== undefined && beside.length > 0) {
    const message = `${operator} has no settings under it: ${beside.join(", ")} stand${beside.length === 1 ? "s" : ""} beside it`;
    reader.keyFault(
      [...path, beside[0]!],
      message,
      `indent what belongs to ${operator} further than ${operator}`,
    );
    return operator;
  }
  for (const name of others) {
    const near = didYouMean(name, stepOptions);
    const hint =
      near?.startsWith("did you mean") === true
        ? near
        : "begin it with a dash of its own, or indent it as a setting";
    reader.keyFault([...path, name], `${name} stands beside ${operator} in one step`, hint);
  }
  return operator ?? null;
}

/** Reads the chain of steps that the late records of `step` take. */
function readLate(reading: Reading, chain: Chain, step: StepSpec, path: Path): void {
  const at = [...path, "late"];
  const { reader } = reading;
  if (reader.document.valueAt(at) === undefined) return;
  if (reading.isLate) {
    reader.keyFault(
      at,
      "a late branch inside a late branch",
      "remove it: its records have been late already",
    );
    return;
  }
  const late = readChain({ ...reading, isLate: true }, at, "the late branch");
  if (chain.late !== null) {
    const first = chain.late.lateOf!.operator;
    const hint = `keep one of them; what ${first} finds late does not reach this step`;
    reader.keyFault(at, `a second late branch in one chain, beside that of ${first}`, hint);
  } else if (late?.sink) {
    chain.late = { steps: late.steps, ...late.sink.part, path: late.sink.path, lateOf: step };
  }
}

function readStep(
  { reader, catalogue, lacksOperators }: Reading,
  path: Path,
  name: string,
  keys: DeclaredKeys,
): StepSpec {
  const definition = catalogue.find((each) => each.name === name);
  if (definition === undefined) {
    const names = [...catalogue.map((each) => each.name), "branch", "sink"];
    const hint =
      didYouMean(name, names) ??
      `there is ${choiceOf(names)}; one of your own is in a file under use: [./${name}.ts]`;
    if (!lacksOperators || nearName(name, names) !== undefined)
      reader.keyFault(path, `there is no operator ${name}`, hint);
    return { operator: name, keys, config: unread, path };
  }
  const config = reader.parse(definition.config, path);
  for (const { unbound, path: within } of unboundIn(config)) {
    reader.faultsWithin([...path, ...within], syntaxFaultsOf(unbound));
  }
  return { operator: name, keys, config: config === undefined ? unread : config, path };
}

function readBranches(
  reading: Reading,
  path: Path,
  late: LateBranch | null,
): Pick<StepsPart, "branches" | "names"> {
  const { reader } = reading;
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
  const chains = names.map((name): [string, Chain | null] => {
    const at = [...path, name];
    if (!/^[a-z0-9_-]{1,64}$/.test(name)) {
      reader.keyFault(
        at,
        `${name} cannot be a branch's name`,
        "lower-case letters, digits, - and _, at most 64",
      );
    }
    return [name, readChain(reading, at, `the branch ${name}`)];
  });
  const own = chains.flatMap(([name, chain]) =>
    chain === null || chain.sink === null ? [] : [branchOf(name, chain.steps, chain.sink)],
  );
  const lates = chains.map(([name, chain]): [string, LateBranch | null] => [name, chain?.late ?? null]);
  const after = lateBranches(reader, [[null, late], ...lates], names);
  return { branches: [...own, ...after], names: [...names, ...after.map(({ name }) => name)] };
}
