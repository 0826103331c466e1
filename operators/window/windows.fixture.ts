// What the tests of windows share: the pipeline of some `window` steps over readings of `key`, `ts` and `x`.

import type { OperatorDefinition } from "weir/sdk";
import { exampleLimits } from "weir/testing";
import type { PipelinePlan } from "../../runtime/pipeline/pipeline.ts";
import { planOnce } from "../../runtime/testing/plans.fixture.ts";
import { window } from "./window.ts";

export type Fields = Readonly<Record<string, unknown>>;

/** `lateness`: how late a reading may come. `definition` stands for `window`. */
export function planOfWindows(
  steps: readonly Fields[],
  lateness: string,
  definition: OperatorDefinition = window,
): PipelinePlan {
  const content = JSON.stringify({
    name: "w",
    source: {
      file: { path: "in.ndjson" },
      format: "json",
      schema: { key: "string", ts: "time", x: "float64" },
      time: { field: "ts", lateness },
    },
    limits: exampleLimits,
    steps: [...steps.map((step) => ({ window: step })), { sink: { stdout: {}, format: "json" } }],
  });
  return planOnce(content, [definition]);
}
