// The part of a pipeline that runs at home: from the first keyed step, through the branches, to the
// outputs at their ends. Holds the state of its steps; knows nothing of clocks and sources.

import type { OutputRow } from "../connect/connect.ts";
import type { BranchPlan, PipelinePlan, StepPlan } from "../pipeline/pipeline.ts";
import { statelessPrefix, trunkOf } from "../pipeline/trunk.ts";
import { listOf, member, membersOf, type Plain } from "../state/plain.ts";
import { type Chain, FanOut, LateHead, linkChain } from "./chain.ts";
import type { DeadLetterPort } from "./dead-letter.ts";
import { Ledger } from "./ledger.ts";
import { type EngineOutputs, Output } from "./output.ts";
import type { References } from "./references.ts";
import { rowEncoder } from "./row-encoder.ts";
import type { Stage } from "./stage.ts";
import type { Receiver } from "./receiver.ts";
import type { StepMetric } from "./step-metrics.ts";
import type { StepWaiting } from "./status.ts";

/** Where a branch ends, and what its own steps left out. */
export interface Exit {
  readonly plan: BranchPlan;
  readonly output: Output;
  readonly ledger: Ledger;
  /** The late records that a late branch was given. */
  readonly given: { records: number };
}

/** The exit of every branch of a plan. `identity` makes row ids unique among runs. */
export function exitsOf(
  plan: PipelinePlan,
  header: readonly string[] | null,
  identity: string,
  outputs: EngineOutputs,
): readonly Exit[] {
  return plan.branches.map((branch, place) => {
    const prefix = `${plan.name}.${branch.name}.${identity}`;
    const isTaken = outputs.takes?.(place) ?? true;
    const taker = !isTaken
      ? null
      : { encoder: rowEncoder(plan, branch, header), send: (row: OutputRow) => outputs.row(place, row) };
    return {
      plan: branch,
      output: new Output(branch, prefix, taker),
      ledger: new Ledger(),
      given: { records: 0 },
    };
  });
}

/** What stages that have tables keep, in their order; and by label, what the others show. */
interface Written {
  readonly kept: readonly Plain[];
  readonly others: ReadonlyMap<string, Plain>;
}

export class Home {
  readonly first: Receiver;
  /** The step that takes what was aggregated before home, if there is one. */
  readonly merging: Stage | null;
  readonly #trunk: Chain;
  readonly #branches: readonly Chain[];
  readonly #isLate: readonly boolean[];
  /** Every stage, the trunk's first: all are told of time. */
  readonly #timed: readonly Stage[];
  /** Of these, the ones that have tables, and the others. */
  readonly #keeping: readonly Stage[];
  readonly #showing: readonly Stage[];
  /** And has not been told of time since. */
  #isRestored = false;
  /** The steps have been told of the stream's end. */
  #isEnding = false;

  /** `ledger` counts what the steps that branches share leave out. */
  constructor(
    plan: PipelinePlan,
    ledger: Ledger,
    deadLetter: DeadLetterPort,
    exits: readonly Exit[],
    references: References,
  ) {
    const { trunk, branches } = trunkOf(plan);
    this.#isLate = branches.map(({ plan: { lateOf } }) => lateOf !== null);
    const late = new Map<StepPlan, Receiver>();
    // Late branches are the last: they are linked before the steps that feed them.
    const linked = branches.toReversed().map(({ plan: { lateOf }, steps }, fromLast) => {
      const exit = exits[branches.length - 1 - fromLast]!;
      const chain = linkChain(steps, exit.ledger, deadLetter, exit.output, references, late);
      if (lateOf !== null) late.set(lateOf, new LateHead(exit.given, chain.first));
      return chain;
    });
    this.#branches = linked.toReversed();
    const heads = this.#branches.flatMap(({ first }, place) => (this.#isLate[place]! ? [] : [first]));
    const next = heads.length === 1 ? heads[0]! : new FanOut(heads);
    this.#trunk = linkChain(trunk.slice(statelessPrefix(trunk)), ledger, deadLetter, next, references, late);
    this.first = this.#trunk.first;
    this.merging = this.#trunk.stages[0] ?? null;
    this.#timed = [this.#trunk, ...this.#branches].flatMap(({ stages }) => stages);
    this.#keeping = this.#timed.filter(({ keepsState }) => keepsState);
    this.#showing = this.#timed.filter(({ keepsState }) => !keepsState);
  }

  /** Input records in the tables of the steps that lead to a branch's end. */
  held(branch: number): number {
    const shared = this.#isLate[branch]! ? [] : this.#trunk.stages;
    const stages = [...shared, ...this.#branches[branch]!.stages];
    return stages.reduce((total, stage) => total + stage.held, 0);
  }

  /** True where there are steps, which have to be told of time. */
  get waitsForTime(): boolean {
    return this.#timed.length > 0;
  }

  /** True where a step has left rows for later, or may have done so before a restart. */
  get isBehind(): boolean {
    return this.#isRestored || this.#timed.some(({ isBehind }) => isBehind);
  }

  /** Sends some more of them, up to the watermark; behind all of that, where the stream has ended, what its end makes due. */
  goOn(watermark: number, hasEnded: boolean): void {
    this.#isRestored = false;
    if (!this.#isEnding) this.first.onWatermark(watermark);
    if (!hasEnded || (!this.#isEnding && this.isBehind)) return;
    this.#isEnding = true;
    this.first.onWatermark(Number.POSITIVE_INFINITY);
  }

  metrics(): StepMetric[] {
    return this.#timed.flatMap(({ metrics }) => metrics.entries());
  }

  /** The steps that hold records, or have left rows for later, in their order. */
  waiting(): readonly StepWaiting[] {
    return this.#timed.filter(({ held, isBehind }) => held > 0 || isBehind).map((stage) => stage.waiting());
  }

  /** What every stage keeps that has tables, in their order; and by label, what the others show. */
  snapshot(): Plain {
    const others = this.#showing.map((stage) => [stage.label, stage.snapshot()] as const);
    return { kept: this.#keeping.map((stage) => stage.snapshot()), others: Object.fromEntries(others) };
  }

  /** Goes on from `data` when the function that is returned is called. */
  restoring(data: Plain): () => void {
    const { kept, others } = this.#written(data);
    const changes = [
      ...this.#keeping.map((stage, place) => stage.restoring(kept[place]!)),
      ...this.#showing.flatMap((stage) => {
        const shown = others.get(stage.label);
        return shown === undefined ? [] : [stage.restoring(shown)];
      }),
    ];
    return () => {
      changes.forEach((change) => change());
      this.#isRestored = true;
    };
  }

  /** What was written; before, it was a list of all stages. */
  #written(data: Plain): Written {
    if (!Array.isArray(data))
      return {
        kept: listOf(member(data, "kept"), this.#keeping.length),
        others: new Map(membersOf(member(data, "others"))),
      };
    const all = listOf(data, this.#timed.length).map((each, place) => [this.#timed[place]!, each] as const);
    return {
      kept: all.flatMap(([{ keepsState }, each]) => (keepsState ? [each] : [])),
      others: new Map(all.map(([{ label }, each]) => [label, each])),
    };
  }
}
