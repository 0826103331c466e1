// The leading steps of pipelines that begin alike, linked into one tree: a step that several have in common
// is run once, and what it gives goes to all of them. Each pipeline counts for itself, and fails alone.

import type { Batch } from "../../operators/sdk/index.ts";
import type { PipelinePlan, StepPlan } from "../pipeline/pipeline.ts";
import { statelessPrefix, trunkOf } from "../pipeline/trunk.ts";
import { BoundedFilters } from "./bounded-filters.ts";
import { FanOut } from "./chain.ts";
import { type DeadLetterPort, jointPort } from "./dead-letter.ts";
import { described } from "./fingerprint.ts";
import { type Books, jointBooks } from "./ledger.ts";
import { type Branch, jointFilters } from "./joint-filter.ts";
import { Stage } from "./stage.ts";
import type { Receiver } from "./receiver.ts";
import { ValueFilters, valueFiltersMin } from "./value-filters.ts";

/** A pipeline in the tree. */
export interface Member {
  readonly plan: PipelinePlan;
  readonly ledger: Books;
  readonly deadLetter: DeadLetterPort;
}

/** What becomes of what comes out of the tree. */
export interface Ends<M extends Member> {
  /** Gets the batches of members whose leading steps have all been run. */
  end(members: readonly M[]): Receiver;
  /** A step of theirs has failed, and they with it. */
  failed(members: readonly M[], error: unknown): void;
}

export interface StepTree<M extends Member> {
  readonly first: Receiver;
  /** By member, its steps in the tree. */
  readonly stages: ReadonlyMap<M, readonly Stage[]>;
}

/** A member, and those of its steps that are still to be linked. */
interface Path<M extends Member> {
  readonly member: M;
  readonly steps: readonly StepPlan[];
}

/** The steps of a plan that run before home. */
export function leadingSteps(plan: PipelinePlan): readonly StepPlan[] {
  const { trunk } = trunkOf(plan);
  return trunk.slice(0, statelessPrefix(trunk));
}

/** Links the leading steps of pipelines whose records enter alike. */
export function linkTree<M extends Member>(members: readonly M[], ends: Ends<M>): StepTree<M> {
  const stages = new Map(members.map((member): [M, Stage[]] => [member, []]));
  const paths = members.map((member) => ({ member, steps: leadingSteps(member.plan) }));
  return { first: new TreeLinker(ends, stages).link(paths, 0), stages };
}

class TreeLinker<M extends Member> {
  readonly #ends: Ends<M>;
  readonly #stages: ReadonlyMap<M, Stage[]>;

  constructor(ends: Ends<M>, stages: ReadonlyMap<M, Stage[]>) {
    this.#ends = ends;
    this.#stages = stages;
  }

  /** What takes the batches that come out of the first `depth` steps, which the paths have in common. */
  link(paths: readonly Path<M>[], depth: number): Receiver {
    const ended = paths.filter(({ steps }) => steps.length === depth);
    const further = Map.groupBy(
      paths.filter(({ steps }) => steps.length > depth),
      ({ steps }) => stepText(steps[depth]!),
    );
    const branches = besideEachOther([...further.values()].map((alike) => this.#step(alike, depth)));
    if (ended.length > 0) branches.push(this.#ends.end(membersOf(ended)));
    return branches.length === 1 ? branches[0]! : new FanOut(branches);
  }

  #step(paths: readonly Path<M>[], depth: number): Branch {
    const members = membersOf(paths);
    const ledger = jointBooks(members.map((each) => each.ledger));
    const deadLetter = jointPort(members.map((each) => each.deadLetter));
    const step = paths[0]!.steps[depth]!;
    const stage = new Stage(step, ledger, deadLetter, this.link(paths, depth + 1));
    for (const member of members) this.#stages.get(member)!.unshift(stage);
    return { step, stage, failed: (error) => this.#ends.failed(members, error) };
  }
}

/** Receivers for steps that are given the same batches: one for each, or one for several that can be answered together. */
function besideEachOther(branches: readonly Branch[]): Receiver[] {
  const { bounds, values, others } = jointFilters(branches);
  const together: Receiver[] = [];
  const alone = [...others];
  for (const filters of bounds) {
    if (filters.length > 1) together.push(new BoundedFilters(filters));
    else alone.push(...filters);
  }
  for (const filters of values) {
    if (filters.length >= valueFiltersMin) together.push(new ValueFilters(filters));
    else alone.push(...filters);
  }
  return [...alone.map(({ stage, failed }) => new Apart(stage, failed)), ...together];
}

/** Keeps a failure from those beside it. */
class Apart implements Receiver {
  readonly #next: Receiver;
  readonly #failed: (error: unknown) => void;
  constructor(next: Receiver, failed: (error: unknown) => void) {
    this.#next = next;
    this.#failed = failed;
  }
  onBatch(batch: Batch): void {
    try {
      this.#next.onBatch(batch);
    } catch (error) {
      this.#failed(error);
    }
  }
  onWatermark(watermark: number): void {
    this.#next.onWatermark(watermark);
  }
}

function membersOf<M extends Member>(paths: readonly Path<M>[]): M[] {
  return paths.map(({ member }) => member);
}

/** Equal for steps that do the same to the same columns. */
function stepText({ label, definition, config }: StepPlan): string {
  return JSON.stringify([label, definition.name, described(config)]);
}
