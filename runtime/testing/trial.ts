// One pipeline on trial: payloads and the clock in, rows and counts out. The engine and the codecs are those of a worker;
// nothing is sent, kept or acknowledged, and nothing here reads a source or a clock.

import type { PayloadBatch } from "../batch/payloads.ts";
import type { Clock } from "../clock.ts";
import type { OutputRow } from "../connect/connect.ts";
import type { DeadLetter } from "../engine/dead-letter.ts";
import { GroupRunner } from "../engine/group-runner.ts";
import { HomeRunner } from "../engine/home-runner.ts";
import type { LoadedPipeline, PipelineInput } from "../engine/loader.ts";
import { takenBranches } from "../engine/output.ts";
import type { EngineOutputs } from "../engine/output.ts";
import type { Runner } from "../engine/runner.ts";
import type { PipelineStatus } from "../engine/status.ts";
import { type Shown, shownPlan } from "../pipeline/shown-plan.ts";
import { SourceGroup } from "../engine/source-group.ts";
import type { BranchPlan, PipelinePlan } from "../pipeline/pipeline.ts";
import { exactText } from "./exact-json.ts";
import { fromPayload } from "./payload.ts";

/** A row, as its sink would have got it. */
export interface TrialRow {
  /** An index into the plan's branches. */
  readonly branch: number;
  /** Empty where the sink has none. */
  readonly subject: string;
  /** When the record that completed it arrived, wall clock ms. */
  readonly caused: number;
  /** One line of JSON. */
  readonly text: string;
}

export interface TrialOptions {
  readonly shown: Shown;
  /** By source, the column names of one in CSV. */
  readonly headers: readonly (readonly string[] | null)[];
  /** Watches over operators of the user's own, which run in a thread. */
  readonly clock: Clock;
}

export class Trial {
  /** What is shown of the pipeline. */
  readonly plan: PipelinePlan;
  /** The step whose rows are shown; null: the ends of branches. */
  readonly step: string | null;
  /** The first record that each step left out for each reason. */
  readonly firstLeft: DeadLetter[] = [];
  #runner!: Runner;
  #rows: TrialRow[] = [];
  #records = 0;

  private constructor(plan: PipelinePlan, step: string | null) {
    this.plan = plan;
    this.step = step;
  }

  /** Of a pipeline in which nothing is wrong. */
  static async open(
    { plan: whole, input, custom }: Pick<LoadedPipeline, "plan" | "input" | "custom">,
    { shown, headers, clock }: TrialOptions,
  ): Promise<Trial> {
    const plan = shownPlan(whole!, shown);
    const trial = new Trial(plan, shown.step);
    const outputs: EngineOutputs = {
      row: (branch, row) => trial.#rows.push(rowOf(plan, branch, row)),
      takes: takenBranches(plan),
      deadLetter: (letter) => trial.#note(letter),
    };
    const about = { plan, headers, identity: "trial", outputs, clock };
    trial.#runner = custom ? await inThread({ ...input, shown }, about) : here(about);
    return trial;
  }

  /** For what it has to be told besides records: its reference tables. */
  get runner(): Runner {
    return this.#runner;
  }

  /** Records that it was given. */
  get records(): number {
    return this.#records;
  }

  /** Takes payloads of the source `input` to the rows that they cause. */
  async feed(payloads: PayloadBatch, now: number, input = 0, elapsed: number = now): Promise<void> {
    this.#records += payloads.count;
    await this.#runner.feed(payloads, now, input, elapsed);
    await this.#runner.idle();
  }

  /** Time passes, and the source `input` has nothing. */
  async tick(now: number, input = 0, elapsed: number = now): Promise<void> {
    await this.#runner.tick(now, input, elapsed);
  }

  /** One of several sources has ended. */
  async end(now: number, input: number, elapsed: number = now): Promise<void> {
    await this.#runner.end(now, input, elapsed);
  }

  /** All sources have ended: open windows fire. */
  async finish(now: number): Promise<void> {
    await this.#runner.finish(now);
  }

  /** The rows since the last call. */
  take(): readonly TrialRow[] {
    const rows = this.#rows;
    this.#rows = [];
    return rows;
  }

  status(): PipelineStatus {
    return this.#runner.status()[0]!;
  }

  async close(): Promise<void> {
    await this.#runner.close();
  }

  #note(letter: DeadLetter): void {
    const isKnown = this.firstLeft.some(
      ({ step, reason }) => step === letter.step && reason === letter.reason,
    );
    if (!isKnown) this.firstLeft.push(letter);
  }
}

interface About {
  readonly plan: PipelinePlan;
  readonly headers: TrialOptions["headers"];
  readonly identity: string;
  readonly outputs: EngineOutputs;
  readonly clock: Clock;
}

function here({ plan, headers, identity, outputs }: About): Runner {
  const group = new SourceGroup([plan], { headers, identity, outputs: () => outputs });
  return new GroupRunner(group, { inputs: [], header: headers[0] ?? [], pool: null });
}

function inThread(input: PipelineInput, about: About): Promise<Runner> {
  return HomeRunner.open({ ...about, input });
}

function rowOf(plan: PipelinePlan, branch: number, { subject, payload, caused }: OutputRow): TrialRow {
  return { branch, subject, caused, text: rowText(plan.branches[branch]!, payload) };
}

/** A payload in one line of JSON that moves no cursor. */
function rowText(branch: BranchPlan, payload: Uint8Array): string {
  const text =
    branch.format === "json" ? new TextDecoder().decode(payload) : exactText(fromPayload(branch, payload));
  return printableJson(text);
}

/** In JSON such characters stand between values, where a space does as well, or may be written by their numbers. */
function printableJson(text: string): string {
  return text
    .replace(/[\p{Cc}\u2028\u2029]/gu, (character) =>
      character < " " ? " " : `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
    )
    .trim();
}
