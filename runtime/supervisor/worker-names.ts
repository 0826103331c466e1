// What the workers of a host are called: by what they run, and never as another one is. Pure.

import { createHash } from "node:crypto";
import { instanceOf } from "../instance.ts";
import { limits } from "../limits.ts";

const ownPrefix = "own-";
const sharedPrefix = "shared-";
const replicaPrefix = "replica-";
const apartPrefix = "apart-";

/** One of the workers that pipelines share, counted from 1. */
export function sharedWorker(number: number): string {
  return `${sharedPrefix}${number}`;
}

export function isSharedWorker(name: string | undefined): boolean {
  return name?.startsWith(sharedPrefix) === true;
}

/** True for one with a pipeline, or a partition, of its own. */
export function isOwnWorker(name: string): boolean {
  return name.startsWith(ownPrefix) || name.startsWith(apartPrefix);
}

/** True for one of the workers that partitions share. */
export function isReplica(name: string | undefined): boolean {
  return name?.startsWith(replicaPrefix) === true;
}

/** The worker of a pipeline, or of one partition, that shares it with none. */
export function ownWorker(name: string): string {
  const { pipeline, partition } = instanceOf(name);
  return partition === null
    ? workerName(`${ownPrefix}${pipeline}`)
    : workerName(`${apartPrefix}${pipeline}`, `-${partition}`);
}

/** One of the workers that share the partitions of a pipeline, counted from 1. */
export function replicaWorker(pipeline: string, number: number): string {
  return workerName(`${replicaPrefix}${pipeline}`, `-${number}`);
}

function workerName(name: string, number = ""): string {
  const longest = limits.worker_name_length_max - number.length;
  if (name.length <= longest) return `${name}${number}`;
  const digest = createHash("sha256").update(name).digest("hex").slice(0, 12);
  return `${name.slice(0, longest - digest.length - 1)}-${digest}${number}`;
}
