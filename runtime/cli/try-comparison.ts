// weir try --against: the rows that two pipelines made of the same records, kept until the end and then compared. Knows no
// source.

import { isShown } from "../pipeline/shown-plan.ts";
import { limits } from "../limits.ts";
import type { PipelinePlan } from "../pipeline/pipeline.ts";
import { compareRows, matchingColumns, type RowChange } from "../testing/row-comparison.ts";
import type { Trial } from "../testing/trial.ts";
import { countText } from "./amounts.ts";

export interface BranchChange extends RowChange {
  /** The branch, or the step, whose rows they are. */
  readonly branch: string;
}

export interface Comparison {
  readonly alike: number;
  readonly differ: number;
  readonly only_minus: number;
  readonly only_plus: number;
  readonly changes: readonly BranchChange[];
}

/** The branches of both that stand against each other; -1 where one has none of the name. */
interface Counterparts {
  readonly name: string;
  readonly places: readonly [minus: number, plus: number];
}

export class TryComparison {
  readonly #trials: readonly [minus: Trial, plus: Trial];
  /** By trial and branch. */
  readonly #rows: readonly (readonly string[][])[];
  #count = 0;

  constructor(minus: Trial, plus: Trial) {
    this.#trials = [minus, plus];
    this.#rows = this.#trials.map(({ plan }) => plan.branches.map(() => []));
  }

  /** Keeps the rows that were made since; returns how many those of the first are. */
  keep(): number {
    const taken = this.#trials.map((trial) => trial.take());
    for (const [place, rows] of taken.entries()) {
      for (const { branch, text } of rows) this.#rows[place]![branch]!.push(text);
      this.#count += rows.length;
    }
    return taken[0]!.length;
  }

  /** Rows that are kept. */
  get count(): number {
    return this.#count;
  }

  /** How many are compared by name. */
  get branches(): number {
    return counterparts(this.#trials[0].plan, this.#trials[1].plan).length;
  }

  /** Whether so many are kept that it has to end here. */
  get isFull(): boolean {
    return this.#count >= limits.compared_rows_max;
  }

  /** `tolerance`: numbers may differ by this share. */
  compare(tolerance: number): Comparison {
    const [minus, plus] = this.#trials;
    let alike = 0;
    const changes: BranchChange[] = [];
    for (const { name, places } of counterparts(minus.plan, plus.plan)) {
      const [own, other] = [this.#rows[0]![places[0]] ?? [], this.#rows[1]![places[1]] ?? []];
      const isBoth = places.every((place) => place >= 0);
      const columns = isBoth ? matchingColumns(minus.plan, plus.plan, places) : [];
      const compared = compareRows(own, other, { columns, tolerance });
      alike += compared.alike;
      for (const change of compared.changes) changes.push({ branch: minus.step ?? name, ...change });
    }
    return {
      alike,
      differ: changes.filter((each) => each.minus !== null && each.plus !== null).length,
      only_minus: changes.filter((each) => each.plus === null).length,
      only_plus: changes.filter((each) => each.minus === null).length,
      changes,
    };
  }
}

/** Branches of one name; where each pipeline shows one, those two, whatever their names. */
function counterparts(minus: PipelinePlan, plus: PipelinePlan): readonly Counterparts[] {
  const [own, other] = [minus, plus].map(({ branches }) =>
    branches.flatMap((branch, place) => (isShown(branch) ? [{ name: branch.name, place }] : [])),
  ) as [{ name: string; place: number }[], { name: string; place: number }[]];
  if (own.length === 1 && other.length === 1)
    return [{ name: own[0]!.name, places: [own[0]!.place, other[0]!.place] }];
  const placeIn = (all: readonly { name: string; place: number }[], name: string): number =>
    all.find((each) => each.name === name)?.place ?? -1;
  const names = new Set([...own, ...other].map(({ name }) => name));
  return [...names].map((name) => ({ name, places: [placeIn(own, name), placeIn(other, name)] }));
}

/** `rows: 120 alike, 3 differ, 2 only in a.yaml, 5 only in b.yaml`. */
export function comparisonLine(
  { alike, differ, only_minus, only_plus }: Comparison,
  [minus, plus]: readonly [string, string],
): string {
  const counts = [`${countText(alike)} alike`, `${countText(differ)} differ`];
  return `rows: ${[...counts, `${countText(only_minus)} only in ${minus}`, `${countText(only_plus)} only in ${plus}`].join(", ")}`;
}
