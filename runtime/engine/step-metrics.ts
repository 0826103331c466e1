// Numbers that a step shows beside its counts. They go on after a restart as its state does, are never part of the
// stream, and no operator can read them.

import type { Metrics } from "../../operators/sdk/index.ts";
import { limits } from "../limits.ts";
import { damaged, listOf, numberOf, type Plain, textOf } from "../state/plain.ts";

/** One number of one step, and how it is put together from several: as their largest, or as their sum. */
export interface StepMetric {
  readonly step: string;
  readonly name: string;
  readonly kind: keyof Metrics;
  readonly value: number;
}

export class StepMetrics implements Metrics {
  readonly #step: string;
  readonly #values: Readonly<Record<keyof Metrics, Map<string, number>>> = { max: new Map(), add: new Map() };

  constructor(step: string) {
    this.#step = step;
  }

  max(name: string, value: number): void {
    const known = this.#values.max.get(name);
    // NaN is larger than nothing.
    if (known === undefined ? !Number.isNaN(value) : value > known) this.#set("max", name, value);
  }

  add(name: string, amount: number): void {
    this.#set("add", name, (this.#values.add.get(name) ?? 0) + amount);
  }

  entries(): StepMetric[] {
    return (["max", "add"] as const).flatMap((kind) =>
      [...this.#values[kind]].map(([name, value]) => ({ step: this.#step, name, kind, value })),
    );
  }

  snapshot(): Plain {
    return plainMetrics(this.entries());
  }

  /** `entries`, which are of this step, in place of those so far. */
  replace(entries: readonly StepMetric[]): void {
    this.drain();
    for (const { kind, name, value } of entries) this[kind](name, value);
  }

  /** The numbers so far; there are none afterwards. */
  drain(): StepMetric[] {
    const entries = this.entries();
    this.#values.max.clear();
    this.#values.add.clear();
    return entries;
  }

  #set(kind: keyof Metrics, name: string, value: number): void {
    const values = this.#values[kind];
    values.set(name, value);
    if (values.size > limits.step_metrics_max)
      throw new RangeError(`a step shows at most ${limits.step_metrics_max} numbers; ${name} is one more`);
  }
}

export function plainMetrics(metrics: readonly StepMetric[]): Plain {
  return metrics.flatMap(({ step, name, kind, value }): Plain[] => [step, name, kind, value]);
}

/** What `plainMetrics` gave. */
export function metricsOf(data: Plain): StepMetric[] {
  const all = listOf(data);
  const metrics: StepMetric[] = [];
  for (let at = 0; at < all.length; at += 4) {
    const [step, name, kind, value] = listOf(all.slice(at, at + 4), 4) as [Plain, Plain, Plain, Plain];
    if (kind !== "max" && kind !== "add") throw damaged("expected a largest value or a sum");
    metrics.push({ step: textOf(step), name: textOf(name), kind, value: numberOf(value) });
  }
  if (metrics.length > 2 * limits.step_metrics_max * limits.steps_max)
    throw damaged("expected no more numbers than steps may show");
  return metrics;
}

/** The numbers of all, those of one step and name put together. */
export function joinMetrics(all: readonly StepMetric[]): StepMetric[] {
  const steps = new Map<string, StepMetrics>();
  for (const { step, name, kind, value } of all) {
    let metrics = steps.get(step);
    if (metrics === undefined) steps.set(step, (metrics = new StepMetrics(step)));
    metrics[kind](name, value);
  }
  return [...steps.values()].flatMap((metrics) => metrics.entries());
}
