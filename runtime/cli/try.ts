// weir try: a pipeline on real records, and what would come out. Nothing is sent, kept or acknowledged, and nobody who reads
// the source notices. With --against, two of them on the same records, and how they differ.

import { wallClock } from "../clock.ts";
import { stepNamed } from "../pipeline/shown-plan.ts";
import { limits } from "../limits.ts";
import { type Log, makeLog } from "../log.ts";
import { Trial } from "../testing/trial.ts";
import { Connections } from "../worker/connections.ts";
import type { Surroundings } from "../worker/open.ts";
import { ReferenceTask } from "../worker/reference-task.ts";
import { settingsFor } from "./device-settings.ts";
import { type CheckedPipeline, loadFiles, refusalOf } from "./load.ts";
import { exitReaderGone } from "./options.ts";
import { warn } from "./terminal.ts";
import {
  boundsOf,
  checkSameSources,
  checkTolerance,
  headersOf,
  lookingOf,
  namesOthers,
  shownOf,
  silence,
  type TryBounds,
} from "./try-options.ts";
import { answered, checkStored, filesInPlace, openSources, type TrySource } from "./try-sources.ts";
import { TryRun } from "./try-run.ts";

export interface TryOptions {
  readonly from: readonly string[];
  readonly since?: string;
  readonly last?: number;
  readonly for?: string;
  readonly limit?: string;
  readonly step?: string;
  readonly against?: string;
  readonly tolerance?: number;
  readonly nats: readonly string[];
  readonly config: string;
  readonly json?: boolean;
}

/** Only what somebody has to know who looks at rows. */
function quietLog(): Log {
  return { ...makeLog("text"), info: () => undefined };
}

export async function tryPipeline(file: string, options: TryOptions): Promise<number> {
  const bounds = boundsOf(options.limit, options.for);
  const looking = lookingOf(options.since, options.last, wallClock.now());
  checkTolerance(options.tolerance, options.against);
  const files = [file, ...(options.against === undefined ? [] : [options.against])];
  const pipelines = await loadFiles(files);
  const refusal = refusalOf(files, pipelines, options.json === true);
  if (refusal !== null) return refusal;
  const plans = pipelines.map(({ plan }) => plan!);
  const plan = plans[0]!;
  const { step: name } = options;
  const steps = plans.map((each) => (name === undefined ? null : stepNamed(each, name)));
  checkSameSources(files, plans);
  const origins = { files: filesInPlace(plan, options.from), looking };
  checkStored(plan, origins);
  const log = quietLog();
  const { connections: named } = settingsFor({ nats: options.nats, config: options.config });
  const connections = new Connections(named, log, wallClock, limits.nats_command_wait_ms_max);
  const surroundings: Surroundings = { connections, clock: wallClock, log, subjects: new Map() };
  try {
    const sources = await openSources(plan, origins, surroundings);
    const session = new Session(sources);
    try {
      await session.open(pipelines, steps, surroundings);
      return await run(session, files, bounds, options);
    } finally {
      await session.close();
    }
  } finally {
    await connections.close();
  }
}

async function run(
  { sources, trials }: Session,
  files: readonly string[],
  bounds: TryBounds,
  options: TryOptions,
): Promise<number> {
  const { json = false, tolerance = 0 } = options;
  const [trial, other] = trials as [Trial, Trial?];
  const tell = (text: string): void => void (json || process.stderr.write(`${text}\n`));
  if (other !== undefined && namesOthers(trial.plan, other.plan))
    tell(`${files[1]} names other sources: it is given the records of ${files[0]}'s`);
  const isEndless = sources.some((source) => source.isEndless) && bounds.for_ms === null;
  tell(`reading ${sources.map(({ where }) => where).join(", ")}${isEndless ? "; Ctrl-C ends it" : ""}`);
  const running = new TryRun({ sources, trials, files, bounds, tolerance, json });
  const result = await running.run();
  if (running.isGone) return exitReaderGone;
  // Told with --json as well: rows of several devices may have become those of one.
  for (const note of sources.flatMap(({ notes }) => notes?.() ?? [])) warn(note);
  if (trial.records === 0 && !running.isInterrupted) throw silence(trial.plan, sources, bounds);
  return result;
}

/** All that is open. */
class Session {
  readonly sources: readonly TrySource[];
  readonly trials: Trial[] = [];
  readonly #tables: ReferenceTask[] = [];

  constructor(sources: readonly TrySource[]) {
    this.sources = sources;
  }

  /** Opens a trial of each pipeline, with its reference tables. */
  async open(
    pipelines: readonly CheckedPipeline[],
    steps: readonly (string | null)[],
    surroundings: Surroundings,
  ): Promise<void> {
    for (const [place, pipeline] of pipelines.entries()) {
      const shown = shownOf(pipeline.plan!, this.sources, steps[place]!);
      const headers = headersOf(pipeline.plan!, this.sources);
      const trial = await Trial.open(pipeline, { shown, headers, clock: wallClock });
      this.trials.push(trial);
      const tables = new ReferenceTask(surroundings.log);
      this.#tables.push(tables);
      await answered(tables.load([trial.plan], surroundings), `a table of ${trial.plan.name}`);
      await tables.start(trial.runner);
    }
  }

  async close(): Promise<void> {
    for (const { source } of this.sources) await source.close();
    for (const tables of this.#tables) await tables.close();
    for (const trial of this.trials) await trial.close();
  }
}
