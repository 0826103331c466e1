// A run of steps planned against the columns that come in: settings bound, columns out told. Never
// creates an operator.

import {
  columnTypes,
  ConfigurationError,
  type OperatorDefinition,
  type Schema,
} from "../../operators/sdk/index.ts";
import { placedMessage } from "../operator-place.ts";
import { bind, demandsOf, placeholder, replaceUnbound } from "./binding.ts";
import { keyBounds } from "./limits-spec.ts";
import type { DeclaredKeys, Path, StepPlan, StepSpec } from "./pipeline.ts";
import type { Reader } from "./section.ts";
import { unread } from "./steps-spec.ts";

/** What planning a chain needs and gathers. */
export interface Planning {
  readonly reader: Reader;
  readonly catalogue: readonly OperatorDefinition[];
  /** Of steps that declare none. */
  readonly keys: DeclaredKeys;
  /** Names of columns that some step or sink reads. */
  readonly read: Set<string>;
}

export interface ChainPlan {
  readonly steps: readonly StepPlan[];
  readonly output: Schema;
}

/** The plan of `steps`; null, and reported, when one of them cannot be planned: what follows it cannot be judged. */
export function planChain(
  planning: Planning,
  steps: readonly StepSpec[],
  input: Schema,
  prefix: string,
): ChainPlan | null {
  const plans: StepPlan[] = [];
  let schema = input;
  for (const [place, step] of steps.entries()) {
    const definition = planning.catalogue.find((each) => each.name === step.operator);
    if (definition === undefined || step.config === unread) return null;
    const { config, faulty } = bindSettings(planning, step, schema);
    const output = faulty
      ? guessedOutput(definition, schema, config)
      : outputOf(planning.reader, definition, schema, config, step.path);
    if (output === null) return null;
    plans.push({
      label: `${prefix}${place + 1} ${step.operator}`,
      definition,
      config,
      keys: keyBounds(step.keys, planning.keys),
      input: schema,
      output,
      spec: step,
    });
    schema = output;
  }
  return { steps: plans, output: schema };
}

/** The step's settings with every reference bound; where one cannot be, it is reported and stood in for. */
function bindSettings(
  { reader, read }: Planning,
  step: StepSpec,
  schema: Schema,
): { readonly config: unknown; readonly faulty: boolean } {
  let faulty = false;
  const config = replaceUnbound(step.config, (unbound, within) => {
    for (const { name } of demandsOf(unbound)) read.add(name);
    const answer = bind(unbound, schema);
    if (answer.ok) return answer.value;
    faulty = true;
    reader.faultsWithin([...step.path, ...within], answer.faults);
    return placeholder(unbound);
  });
  return { config, faulty };
}

/** The columns after a step with a mistake in it: known only where the step changes none, as a filter. */
function guessedOutput(definition: OperatorDefinition, input: Schema, config: unknown): Schema | null {
  try {
    return definition.schema(input, config) === input ? input : null;
  } catch {
    return null;
  }
}

function outputOf(
  reader: Reader,
  definition: OperatorDefinition,
  input: Schema,
  config: unknown,
  path: Path,
): Schema | null {
  try {
    const output = definition.schema(input, config);
    const names = output.fields.map((each) => each.name);
    if (definition.kind === "stateless" && Object.keys(definition.references(config)).length > 0)
      throw new Error("a stateless operator, which may run on any thread, has no reference tables");
    if (definition.kind === "stateless" && Object.keys(definition.state(config)).length > 0)
      throw new Error(
        "a stateless operator, which may run on any thread, keeps no tables: its kind is keyed",
      );
    const odd = output.fields.find(({ name, type }) => name === "" || !columnTypes.includes(type));
    if (odd !== undefined)
      throw new TypeError(
        `its column ${JSON.stringify(odd.name)} is of type ${odd.type}, expected one of ${columnTypes.join(", ")}, and a name`,
      );
    const twice = names.find((name, place) => names.indexOf(name) !== place);
    if (twice === undefined) return output;
    reader.fault(
      path,
      `${definition.name} makes two columns called ${twice}`,
      "give one of them another name",
    );
  } catch (thrown) {
    if (thrown instanceof ConfigurationError) reader.fault([...path, ...thrown.path], thrown.message);
    else
      reader.fault(
        path,
        `${definition.name} failed while it was planned: ${placedMessage(thrown)}`,
        "this is a fault of the operator",
      );
  }
  return null;
}
