// Filters of several pipelines that are given the same batches, and which of them can be answered together.

import type { Expression } from "../../operators/sdk/index.ts";
import { type BoundTest, type ColumnTest, testIn, type ValueTest } from "../expression/column-test.ts";
import type { StepPlan } from "../pipeline/pipeline.ts";
import type { Stage } from "./stage.ts";

/** A step after which some pipelines go on. */
export interface Branch {
  readonly step: StepPlan;
  readonly stage: Stage;
  /** Told when the step, or what is behind it, fails. */
  readonly failed: (error: unknown) => void;
}

export interface JointFilter<T extends ColumnTest> extends Branch {
  readonly condition: Expression;
  readonly test: T;
}

/** Filters by what they say about a column, and those branches that are none. */
export function jointFilters(branches: readonly Branch[]): {
  readonly bounds: readonly JointFilter<BoundTest>[][];
  readonly values: readonly JointFilter<ValueTest>[][];
  readonly others: readonly Branch[];
} {
  const bounds = new Map<string, JointFilter<BoundTest>[]>();
  const values = new Map<number, JointFilter<ValueTest>[]>();
  const others: Branch[] = [];
  for (const branch of branches) {
    const { definition, config } = branch.step;
    const condition = definition.condition?.(config);
    const test = condition === undefined ? null : testIn(condition);
    if (test === null) others.push(branch);
    else if (test.kind === "value") gather(values, test.column, { ...branch, condition: condition!, test });
    else gather(bounds, `${test.column} ${test.side}`, { ...branch, condition: condition!, test });
  }
  return { bounds: [...bounds.values()], values: [...values.values()], others };
}

function gather<K, V>(groups: Map<K, V[]>, key: K, value: V): void {
  const group = groups.get(key);
  if (group === undefined) groups.set(key, [value]);
  else group.push(value);
}
