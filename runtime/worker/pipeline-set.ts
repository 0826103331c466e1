// The pipelines of a worker that is told what to run. Each is changed by itself, at a commit boundary of its own,
// while the others run on; a revision that is wrong never takes the place of one that runs.

import { type AssignedPipeline, assignmentMark } from "../assignment.ts";
import { checkPipeline, PipelineLife, type PipelineSurroundings } from "./pipeline-life.ts";

/** The place of one name. Changes of it follow each other; only the newest that is wanted is made. */
class PipelinePlace {
  readonly #surroundings: PipelineSurroundings;
  #wanted: AssignedPipeline | null = null;
  #reached: AssignedPipeline | null = null;
  #life: PipelineLife | null = null;
  /** A revision that was refused while another one runs. */
  #refused: PipelineLife | null = null;
  #changing: Promise<void> | null = null;

  constructor(surroundings: PipelineSurroundings) {
    this.#surroundings = surroundings;
  }

  get isSettled(): boolean {
    return this.#changing === null;
  }

  /** Nothing is here and nothing is wanted here. */
  get isEmpty(): boolean {
    return this.isSettled && this.#life === null && this.#refused === null;
  }

  lives(): readonly PipelineLife[] {
    return [this.#life, this.#refused].filter((each) => each !== null);
  }

  want(pipeline: AssignedPipeline | null): void {
    this.#wanted = pipeline;
    if (isSame(this.#wanted, this.#reached)) return;
    this.#changing ??= this.#change().finally(() => {
      this.#changing = null;
    });
  }

  /** Resolves once what was wanted last is there. */
  async settled(): Promise<void> {
    await this.#changing;
  }

  async #change(): Promise<void> {
    while (!isSame(this.#wanted, this.#reached)) {
      const next = this.#wanted;
      await (next === null ? this.#empty() : this.#turnTo(next));
      this.#reached = next;
    }
  }

  async #empty(): Promise<void> {
    await this.#life?.stop();
    this.#life = null;
    this.#refused = null;
  }

  async #turnTo(next: AssignedPipeline): Promise<void> {
    this.#refused = null;
    const present = this.#life;
    const isSameRun = present?.revision === next.revision && present.term === next.term;
    if (isSameRun && ["starting", "running"].includes(present.phase)) {
      present.attempt = next.attempt;
      return;
    }
    const life = new PipelineLife(next, this.#surroundings);
    const { pipeline, fault } = await checkPipeline(next, this.#surroundings.environment);
    if (pipeline === null) {
      life.refuse(fault);
      if (this.#life === null) this.#life = life;
      else this.#refused = life;
      return;
    }
    // Found out before the one that runs is stopped: it would be refused, and nothing would run.
    const misfit = next.forget === true ? null : (this.#life?.misfit(pipeline) ?? null);
    if (misfit !== null) {
      life.refuse(misfit);
      this.#refused = life;
      return;
    }
    await this.#life?.stop();
    this.#life = life;
    life.start(pipeline);
  }
}

function isSame(one: AssignedPipeline | null, other: AssignedPipeline | null): boolean {
  if (one === null || other === null) return one === other;
  return assignmentMark([one]) === assignmentMark([other]);
}

export class PipelineSet {
  readonly #surroundings: PipelineSurroundings;
  readonly #places = new Map<string, PipelinePlace>();
  #told: string | null = null;
  #done: string | null = null;

  constructor(surroundings: PipelineSurroundings) {
    this.#surroundings = surroundings;
  }

  /** From here on these are to run, and no others. */
  assign(pipelines: readonly AssignedPipeline[]): void {
    const wanted = new Map(pipelines.map((each) => [each.name, each]));
    for (const name of wanted.keys()) {
      if (!this.#places.has(name)) this.#places.set(name, new PipelinePlace(this.#surroundings));
    }
    for (const [name, place] of this.#places) place.want(wanted.get(name) ?? null);
    this.#told = assignmentMark(pipelines);
  }

  /** The mark of the last assignment that was carried out: all that it asks for has begun, and all else has ended. */
  get carriedOut(): string | null {
    for (const [name, place] of this.#places) if (place.isEmpty) this.#places.delete(name);
    if ([...this.#places.values()].every(({ isSettled }) => isSettled)) this.#done = this.#told;
    return this.#done;
  }

  /** By name; a name may be there twice, with a revision that runs and one that was refused. */
  lives(): readonly { readonly name: string; readonly life: PipelineLife }[] {
    return [...this.#places].flatMap(([name, place]) => place.lives().map((life) => ({ name, life })));
  }

  /** Drains all; resolves once all have ended. */
  async drain(): Promise<void> {
    this.assign([]);
    await Promise.all([...this.#places.values()].map((place) => place.settled()));
  }
}
