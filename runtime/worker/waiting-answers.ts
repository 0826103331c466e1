// What a worker says of each pipeline that it was given when it is asked what they wait for.

import { type PipelineWaiting, waitingOf } from "../engine/waiting.ts";
import type { WorkerStatus } from "./worker.ts";

export interface WaitingAnswer {
  readonly name: string;
  /** Null until it is open: its server or stream may not be there, or that of one before it. */
  readonly waiting: PipelineWaiting | null;
  /** What is not there yet, or, of one that is open, not any more; absent where that is not known. */
  readonly waits_for?: string;
  /** Of one that is open: a connection of its whose server is not there now. */
  readonly away?: string;
  /** Of one that does not run, or of a revision that was refused while another one runs: which, and why. */
  readonly failed?: string;
  /** By branch, rows that its sink has not confirmed; those with none are left out. A worker of an earlier version does not say so. */
  readonly unsent?: readonly {
    readonly branch: string;
    readonly rows: number;
    /** What is in their way, as far as it is known. */
    readonly hindrance?: string;
  }[];
  /** Why nothing new is taken just now, the disk of its state being full; absent while it is not. */
  readonly lacks_room?: string;
}

/** A revision of a pipeline that does not run. */
export interface FailedRevision {
  readonly name: string;
  readonly revision: string;
  readonly fault: string | null;
}

export function failedAnswer({ name, revision, fault }: FailedRevision): WaitingAnswer {
  return {
    name,
    waiting: null,
    unsent: [],
    failed: `revision ${revision} failed: ${fault ?? "not known why"}`,
  };
}

/** By name of a pipeline. */
export interface Absent {
  /** What it waits for to be opened, or to go on. */
  readonly missing?: ReadonlyMap<string, string>;
  /** Once it is open, a connection whose server is not there. */
  readonly away?: ReadonlyMap<string, string>;
}

/** `statuses` are of those that are open, `names` of all. */
export function waitingAnswers(
  names: readonly string[],
  statuses: readonly WorkerStatus[],
  { now, elapsed }: { readonly now: number; readonly elapsed: number },
  { missing, away }: Absent = {},
): readonly WaitingAnswer[] {
  const unopened = names.filter((name) => statuses.every((each) => each.name !== name));
  return [
    ...statuses.map(({ name, pipeline, sinks, lacks_room }) => {
      const connection = away?.get(name);
      const waits_for = missing?.get(name);
      const isSaid = sinks.some(({ hindrance }) => hindrance === waits_for);
      return {
        name,
        waiting: waitingOf(pipeline, now, elapsed),
        unsent: sinks.flatMap(({ branch, pending, hindrance }) => {
          const why = hindrance === undefined ? {} : { hindrance };
          return pending > 0 ? [{ branch, rows: pending, ...why }] : [];
        }),
        ...(waits_for === undefined || isSaid ? {} : { waits_for }),
        ...(connection === undefined ? {} : { away: connection }),
        ...(lacks_room === undefined ? {} : { lacks_room }),
      };
    }),
    ...unopened.map((name) => {
      const waits_for = missing?.get(name);
      return { name, waiting: null, unsent: [], ...(waits_for === undefined ? {} : { waits_for }) };
    }),
  ];
}
