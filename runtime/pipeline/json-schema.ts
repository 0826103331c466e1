// The JSON Schema of a pipeline file, for editors: the same specs that the parser uses, every operator's
// settings under its name. Never validates a file itself.

import { z } from "zod";
import type { OperatorDefinition } from "../../operators/sdk/index.ts";
import { limits } from "../limits.ts";
import { keysSetting, limitsSetting } from "./limits-spec.ts";
import { outboxSetting } from "./outbox-spec.ts";
import { placementSetting } from "./placement-spec.ts";
import { deadLetterSetting, sinkSetting } from "./sink-spec.ts";
import { sourceSetting } from "./source-spec.ts";
import { sourceNamePattern } from "./sources-spec.ts";
import { aboutSetting, nameSetting, useSetting } from "./spec.ts";
import { testSetting } from "./test-spec.ts";

export type JsonSchema = Readonly<Record<string, unknown>>;

/** The draft-7 schema of one setting, as it is written in a file. */
export function settingSchema(setting: z.core.$ZodType): JsonSchema {
  const {
    $schema: _,
    "~standard": __,
    ...schema
  } = z.toJSONSchema(setting, {
    target: "draft-7",
    io: "input",
    unrepresentable: "any",
  }) as Record<string, unknown>;
  return schema;
}

/** The draft-7 schema of a pipeline file that may use the operators of `catalogue`. */
export function pipelineJsonSchema(catalogue: readonly OperatorDefinition[]): JsonSchema {
  const operators = catalogue.map((definition): [string, JsonSchema] => [
    definition.name,
    { ...settingSchema(definition.config), description: `${definition.summary}\n\n${definition.rule}` },
  ]);
  const keyed = catalogue.filter(({ kind }) => kind === "keyed").map(({ name }) => name);
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "weir pipeline",
    type: "object",
    properties: {
      name: settingSchema(nameSetting),
      about: settingSchema(aboutSetting),
      use: settingSchema(useSetting),
      source: { $ref: "#/definitions/source" },
      sources: {
        type: "object",
        description:
          "In place of source: several, by name. Their records are one stream with the columns of all, null where a source has none, and the column source with its name. Each declares its schema.",
        propertyNames: { pattern: sourceNamePattern.source },
        additionalProperties: { $ref: "#/definitions/source" },
        minProperties: 2,
        maxProperties: limits.sources_max,
      },
      steps: {
        ...steps("step"),
        description: "What happens to the records, in order; ends in a sink or in branches.",
      },
      limits: settingSchema(limitsSetting),
      outbox: settingSchema(outboxSetting),
      placement: settingSchema(placementSetting),
      dead_letter: settingSchema(deadLetterSetting),
      tests: {
        type: "array",
        items: settingSchema(testSetting),
        description: "Runs the pipeline under a virtual clock.",
      },
    },
    required: ["name", "steps"],
    oneOf: [{ required: ["source"] }, { required: ["sources"] }],
    additionalProperties: false,
    definitions: {
      ...Object.fromEntries(operators.map(([name, schema]) => [`operator_${name}`, schema])),
      sink: settingSchema(sinkSetting),
      source: settingSchema(sourceSetting),
      branch: {
        type: "object",
        description: "Sends every record down each branch; ends the steps.",
        propertyNames: { pattern: "^[a-z0-9_-]{1,64}$" },
        additionalProperties: steps("branch_step"),
        minProperties: 1,
        maxProperties: limits.branches_max,
      },
      keys: settingSchema(keysSetting),
      late: {
        ...steps("late_step"),
        description: "What becomes of the records that this step finds late; ends in a sink.",
      },
      late_step: step([...operators.map(([name]) => name), "sink"], keyed, ["keys"]),
      branch_step: step([...operators.map(([name]) => name), "sink"], keyed, ["keys", "late"]),
      step: step([...operators.map(([name]) => name), "sink", "branch"], keyed, ["keys", "late"]),
    },
  };
}

function steps(of: "step" | "branch_step" | "late_step"): JsonSchema {
  return { type: "array", items: { $ref: `#/definitions/${of}` }, minItems: 1, maxItems: limits.steps_max };
}

/** One of `names`, and what stands under it; beside one that is keyed, options. */
function step(names: readonly string[], keyed: readonly string[], options: readonly string[]): JsonSchema {
  const own = new Set(["sink", "branch", ...options]);
  const ref = (name: string): JsonSchema => ({
    $ref: `#/definitions/${own.has(name) ? name : `operator_${name}`}`,
  });
  const oneOf = (some: readonly string[]): JsonSchema => ({
    oneOf: some.map((name) => ({ required: [name] })),
  });
  return {
    type: "object",
    properties: Object.fromEntries([...names, ...options].map((name) => [name, ref(name)])),
    additionalProperties: false,
    ...oneOf(names),
    dependencies: Object.fromEntries(options.map((option) => [option, oneOf(keyed)])),
  };
}
