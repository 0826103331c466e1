// What became of workers and pipelines since the last look: who failed, who runs well, who has failed too often.
// Each failure is counted once. Pure; it decides what is not run any more, never what is done about a process.

import { assignmentMark } from "../assignment.ts";
import type { PipelineBeat } from "../heartbeat.ts";
import { limits } from "../limits.ts";
import type { ObservedWorker } from "./driver.ts";
import { type Failure, lives, lookAt, unknownWorker } from "./life-signs.ts";
import type { Memory, PipelineMemory, WorkerMemory } from "./memory.ts";
import type { Desired, Happening, Observed } from "./situation.ts";
import { afterFailure, afterRefusal, escalate, isDue, isGood, neverFailed, type Suspect } from "./restart.ts";

export interface Accounted {
  readonly memory: Memory;
  readonly happenings: readonly Happening[];
}

export function account(
  desired: Desired,
  observed: Observed,
  memory: Memory,
  now: number,
  jitter: () => number,
): Accounted {
  const accounting = new Accounting(memory, now, jitter);
  const handles = handlesByName(observed.workers ?? []);
  const names = new Set([...Object.keys(memory.workers), ...handles.keys(), ...observed.refused.keys()]);
  for (const name of [...names].sort()) {
    accounting.worker(name, {
      handles: handles.get(name) ?? [],
      heard: observed.heard.get(name),
      refused: observed.refused.get(name),
      since: observed.since,
      late: observed.late,
      revision: desired.worker,
    });
  }
  for (const [name, { beat }] of observed.heard) {
    if (handles.get(name)?.some(lives) === true)
      for (const each of beat.pipelines) accounting.pipeline(each, beat.at);
  }
  accounting.retry();
  return accounting.result();
}

/** The handles of each worker. */
export function handlesByName(
  workers: readonly ObservedWorker[],
): ReadonlyMap<string, readonly ObservedWorker[]> {
  const handles = new Map<string, ObservedWorker[]>();
  for (const each of workers) {
    const others = handles.get(each.name);
    if (others === undefined) handles.set(each.name, [each]);
    else others.push(each);
  }
  return handles;
}

/** The revision of a pipeline that is run; null when none is any more. */
export function effectiveRevision({ wanted, good, refused }: PipelineMemory): string | null {
  if (refused[wanted] === undefined) return wanted;
  return good !== null && refused[good] === undefined ? good : null;
}

function notOpen({ waits_for }: PipelineBeat): string {
  const what = waits_for === undefined ? "its log says what it waits for" : `it waits for ${waits_for}`;
  return `it is not open after ${limits.update_open_ms_max / 1000} s although its connections are there; ${what}`;
}

/** A revision that waits for ever for what the one before it did not need. One that has none before it waits as long as it takes. */
function isStuck({ good }: PipelineMemory, { phase, revision, unready_ms = 0 }: PipelineBeat): boolean {
  return (
    phase === "starting" && good !== null && good !== revision && unready_ms >= limits.update_open_ms_max
  );
}

class Accounting {
  readonly #now: number;
  readonly #jitter: () => number;
  readonly #pipelines: Record<string, PipelineMemory>;
  readonly #workers: Record<string, WorkerMemory> = {};
  readonly #happenings: Happening[] = [];
  readonly #scales: Memory["scales"];

  constructor(memory: Memory, now: number, jitter: () => number) {
    this.#now = now;
    this.#jitter = jitter;
    this.#pipelines = { ...memory.pipelines };
    Object.assign(this.#workers, memory.workers);
    this.#scales = memory.scales;
  }

  result(): Accounted {
    const memory = { pipelines: this.#pipelines, workers: this.#workers, scales: this.#scales };
    return { memory, happenings: this.#happenings };
  }

  worker(name: string, sight: Parameters<typeof lookAt>[1]): void {
    const looked = lookAt(this.#workers[name] ?? unknownWorker, sight, this.#now);
    this.#workers[name] = looked.memory;
    for (const failure of looked.failures) this.#workerFailed(name, failure);
  }

  /** Takes what a living worker says of one pipeline, at that time of its own clock. */
  pipeline(beat: PipelineBeat, at: number): void {
    const known = this.#pipelines[beat.name];
    const current =
      known !== undefined && effectiveRevision(known) === beat.revision && known.attempt === beat.attempt;
    if (!current) return;
    if (beat.phase === "running" && isGood(beat.since, at)) this.#runsWell(known, beat);
    if (beat.phase === "failed" && known.judged < beat.attempt)
      this.#pipelineFailed(known, beat, beat.fault ?? "it failed");
    if (isStuck(known, beat)) this.#refuse(beat.name, beat.revision, notOpen(beat));
  }

  /** Wants a new start of the pipelines whose time has come. */
  retry(): void {
    for (const [name, known] of Object.entries(this.#pipelines)) {
      if (
        known.judged === known.attempt &&
        isDue(known.restart, this.#now) &&
        effectiveRevision(known) !== null
      )
        this.#pipelines[name] = { ...known, attempt: known.attempt + 1 };
    }
  }

  #runsWell(known: PipelineMemory, { name, revision }: PipelineBeat): void {
    if (known.good === revision && known.restart.attempt === 0 && !known.apart) return;
    if (known.good !== revision) this.#tell("good", name, `revision ${revision} runs well`, { revision });
    this.#pipelines[name] = { ...known, good: revision, restart: neverFailed, apart: false };
  }

  #pipelineFailed(known: PipelineMemory, { name, revision, attempt }: PipelineBeat, reason: string): void {
    const { record, exhausted } = afterFailure(known.restart, this.#now, this.#jitter());
    this.#pipelines[name] = { ...known, judged: attempt, restart: record };
    this.#tell("failed", name, reason, { revision });
    if (exhausted) this.#refuse(name, revision, reason);
  }

  #workerFailed(name: string, { reason, blames }: Failure): void {
    const known = this.#workers[name] ?? unknownWorker;
    this.#tell("failed", name, reason);
    if (!blames) {
      this.#workers[name] = { ...known, restart: afterRefusal(known.restart, this.#now, this.#jitter()) };
      return;
    }
    const { record, exhausted } = afterFailure(known.restart, this.#now, this.#jitter());
    this.#workers[name] = { ...known, restart: record };
    if (exhausted) this.#escalate(name, reason);
  }

  #escalate(name: string, reason: string): void {
    const members = this.#membersOf(name);
    const { apart, rollBack, quarantine, whole } = escalate(members);
    const known = this.#workers[name]!;
    if (whole) {
      const keys = members.map((each) => ({
        ...each,
        attempt: this.#pipelines[each.name]!.attempt,
        term: this.#pipelines[each.name]!.term,
      }));
      this.#workers[name] = { ...known, quarantine: { mark: assignmentMark(keys), reason } };
      this.#tell("quarantined", name, reason);
      return;
    }
    // What is left has failures of its own to come, or none.
    this.#workers[name] = { ...known, restart: neverFailed };
    for (const each of apart) {
      this.#pipelines[each] = { ...this.#pipelines[each]!, apart: true };
      this.#tell("apart", each, `it may be why ${name} fails: ${reason}`);
    }
    const refused = members.find((each) => each.name === (rollBack ?? quarantine));
    if (refused !== undefined) this.#refuse(refused.name, refused.revision, reason);
  }

  #membersOf(worker: string): readonly Suspect[] {
    return Object.entries(this.#pipelines).flatMap(([name, known]) => {
      const revision = effectiveRevision(known);
      return known.worker === worker && revision !== null ? [{ name, revision, good: known.good }] : [];
    });
  }

  /** That revision is not run any more; the good one is, where there is another. */
  #refuse(name: string, revision: string, reason: string): void {
    const known = this.#pipelines[name]!;
    const refused = { ...known.refused, [revision]: reason };
    const changed = { ...known, refused, restart: neverFailed, attempt: known.attempt + 1 };
    this.#pipelines[name] = changed;
    const instead = effectiveRevision(changed);
    const what = `revision ${revision}: ${reason}`;
    if (instead === null) this.#tell("quarantined", name, what, { revision });
    else this.#tell("rolled_back", name, `${what}; ${instead} runs instead`, { revision, instead });
  }

  #tell(
    what: Happening["what"],
    name: string,
    reason: string,
    revisions: Pick<Happening, "revision" | "instead"> = {},
  ): void {
    this.#happenings.push({ what, name, reason, ...revisions });
  }
}
