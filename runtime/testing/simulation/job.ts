// What the lives of one machine run: pipelines, where their records are and where their rows go. And the rules by which the
// chains of a shape are called and delivered, as a worker has them. Data only.

import { bucketTarget } from "../../connect/chain/bucket-target.ts";
import type { Target } from "../../connect/chain/chain.ts";
import { exclusiveTarget } from "../../connect/chain/exclusive-target.ts";
import { identifiedTarget } from "../../connect/chain/identified-target.ts";
import { laneSubject, laneTarget } from "../../connect/chain/lane-target.ts";
import type { StreamTargetOptions } from "../../connect/chain/stream-target.ts";
import { subjectTarget } from "../../connect/chain/subject-target.ts";
import { backlogOf, type Lane, liveOf } from "../../state/outbox/lanes.ts";
import type { Wire } from "./link-model.ts";
import { type DeliveryKind, mayOvertake, type OutboxShape, plainOutbox, type Shape } from "./shape.ts";
import { laneStream, type Workload } from "./workload.ts";
import { inputStream, type World } from "./world.ts";

/** Sizes and times that differ from seed to seed. */
export interface Settings {
  readonly commit_ms: number;
  readonly snapshot_bytes: number;
  readonly outboxMemory_bytes: number;
  /** How long a source waits for a message beyond what it is asked to. */
  readonly patience_ms: number;
}

export interface Job {
  /** In the subjects of lanes. */
  readonly host: string;
  readonly workload: Workload;
  readonly delivery: DeliveryKind;
  readonly outbox: OutboxShape;
  readonly input: Wire;
  /** By source of the workload, the stream that it reads; null where it reads a journal. */
  readonly streams: readonly string[] | null;
  /** Messages hold many rows. */
  readonly unpacks: boolean;
  readonly output: Wire;
  readonly settings: Settings;
  /** Rows that wait long go to a chain of their own. */
  readonly hasBacklog: boolean;
}

export function hostJob(
  host: string,
  workload: Workload,
  shape: Shape,
  world: World,
  settings: Settings,
): Job {
  const { delivery, outbox, input } = shape;
  return {
    host,
    workload,
    delivery,
    outbox,
    input: world.edgeWire,
    streams: input === "journal" ? null : workload.sources.map((name) => inputStream(host, name)),
    unpacks: false,
    output: world.cloudWire,
    settings,
    hasBacklog: mayOvertake(shape),
  };
}

/** A worker in the cloud that makes rows of what lanes bring. */
export function unpackJob(workload: Workload, world: World, settings: Settings): Job {
  return {
    host: "cloud",
    workload,
    delivery: "exclusive",
    outbox: plainOutbox,
    input: world.cloudInside,
    streams: workload.sources,
    unpacks: true,
    output: world.cloudInside,
    settings,
    hasBacklog: false,
  };
}

/** Of each sink its chain, called as its stream, and the chain of what waits too long. */
export function chainsOf({ workload, hasBacklog }: Job): readonly string[] {
  const chains = new Set(workload.sinks.map(({ stream }) => stream));
  return [...chains].flatMap((chain) => (hasBacklog ? [chain, backlogOf(chain)] : [chain]));
}

export function laneOf({ workload, outbox }: Job, chain: string): Lane {
  if (liveOf(chain) !== null) return "backlog";
  const isAlarm = workload.sinks.some(({ stream, kind }) => stream === chain && outbox.alarms.includes(kind));
  return isAlarm ? "alarm" : "live";
}

/** The stream of the server that takes the rows of a chain. */
export function streamOf({ delivery }: Job, chain: string): string {
  if (delivery === "lane") return laneStream;
  const stream = liveOf(chain) ?? chain;
  return delivery === "bucket" ? `KV_${stream}` : stream;
}

export function targetOf(job: Job, chain: string, options: StreamTargetOptions): Target {
  const stream = liveOf(chain) ?? chain;
  switch (job.delivery) {
    case "exclusive":
      return exclusiveTarget(options);
    case "subject":
      return subjectTarget(options);
    case "bucket":
      return bucketTarget({ ...options, bucket: stream });
    case "message_id":
      return identifiedTarget(options);
    case "lane": {
      const lane = laneOf(job, chain);
      const subject = laneSubject(laneStream.toLowerCase(), job.host, stream, lane);
      return laneTarget({ ...options, subject, packed: lane === "backlog" });
    }
  }
}
