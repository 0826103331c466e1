// One look at a host as data: what is wanted there, what is there, and what is to be done and told of it. Decides nothing.

import type { AssignmentKey } from "../assignment.ts";
import type { Heartbeat } from "../heartbeat.ts";
import type { Capacity } from "./capacity.ts";
import type { ObservedWorker, WorkerLimits } from "./driver.ts";
import type { Packable } from "./pack.ts";
import type { ScaleTiming } from "./scale.ts";

/** One pipeline that is wanted on this host, or one partition of it. */
export interface DesiredPipeline extends Omit<Packable, "among"> {
  /** Of its text. */
  readonly revision: string;
  /** The pipeline that it is a partition of, and the most workers that its partitions may have. */
  readonly partitionOf?: { readonly pipeline: string; readonly most: number };
  /** Which turn of it this host's is, where it goes from host to host. */
  readonly term?: number | undefined;
}

export interface Desired {
  readonly pipelines: readonly DesiredPipeline[];
  /** Of how workers are started here: their command and surroundings. */
  readonly worker: string;
  /** How far each of them may go; one with a pipeline of its own as far as that is expected to. */
  readonly limits: WorkerLimits;
  /** What all workers may take together. */
  readonly host: Capacity;
  /** How fast partitions are given more workers, or fewer; as usual when left out. */
  readonly scaling?: ScaleTiming;
}

/** A heartbeat, and when it came by the supervisor's own clock. */
export interface Heard {
  readonly at: number;
  readonly beat: Heartbeat;
}

export interface Observed {
  /** Null when the driver could not say: then nothing is started and nothing is ended. */
  readonly workers: readonly ObservedWorker[] | null;
  /** By worker, the last one. */
  readonly heard: ReadonlyMap<string, Heard>;
  /** By worker, what its assignment says. */
  readonly assigned: ReadonlyMap<string, readonly AssignmentKey[]>;
  /** Workers for which an action is being carried out. */
  readonly busy: ReadonlySet<string>;
  /** By worker, why the driver could not start it since the last look. */
  readonly refused: ReadonlyMap<string, string>;
  /** Since when this supervisor listens for heartbeats, wall clock ms. */
  readonly since: number;
  /** How late this look is, or one not long ago was, ms. */
  readonly late: number;
  /** Bytes of this host's memory that nobody has taken. */
  readonly memoryFree: number;
}

export type Action =
  | {
      readonly kind: "assign";
      readonly worker: string;
      readonly pipelines: readonly AssignmentKey[];
      readonly reason: string;
    }
  | {
      readonly kind: "start";
      readonly worker: string;
      readonly revision: string;
      readonly limits: WorkerLimits;
      readonly reason: string;
    }
  | { readonly kind: "stop"; readonly worker: string; readonly id: string; readonly reason: string }
  | { readonly kind: "kill"; readonly worker: string; readonly id: string; readonly reason: string }
  /** Its exit and its output are forgotten. */
  | { readonly kind: "remove"; readonly worker: string; readonly id: string; readonly reason: string }
  /** Its assignment is forgotten. */
  | { readonly kind: "forget"; readonly worker: string; readonly reason: string };

/** Something that changed and that somebody may want to know. */
export interface Happening {
  readonly what:
    | "failed"
    | "rolled_back"
    | "quarantined"
    | "good"
    | "apart"
    | "moved"
    | "left"
    | "taken"
    | "begun_anew"
    | "scaled"
    | "released"
    | "deployed"
    | "removed"
    | "doubled"
    | "refused";
  /** A worker or a pipeline. */
  readonly name: string;
  readonly reason: string;
  /** Of a pipeline: the revision that it is about, and the one that runs in its place. */
  readonly revision?: string;
  readonly instead?: string;
}

/** What one worker is to run, and how far it may go. */
export interface Target {
  readonly keys: readonly AssignmentKey[];
  readonly limits: WorkerLimits;
}

export type Targets = ReadonlyMap<string, Target>;
