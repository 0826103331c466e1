// What a supervisor is to run of what is wanted: a pipeline as a whole, or each of its partitions by itself. Pure.

import { instanceName } from "../instance.ts";
import type { DesiredPipeline } from "./situation.ts";
import type { WantedPipeline } from "./wanted.ts";

/** The names under which a pipeline runs. */
export function instancesOf({ name, placement }: WantedPipeline): readonly string[] {
  const { partitions } = placement;
  if (partitions === null) return [name];
  return Array.from({ length: partitions }, (_, partition) => instanceName(name, partition));
}

/** A pipeline as what is to run of it. Partitions take an equal share of what it is expected to take. */
export function desiredOf(wanted: WantedPipeline): readonly DesiredPipeline[] {
  const { name: pipeline, revision, term, placement } = wanted;
  const { isolation, processors, memory, partitions, workersMax } = placement;
  if (partitions === null)
    return [{ name: pipeline, revision, term, isolation, demand: { processors, memory_bytes: memory } }];
  const demand = { processors: processors / partitions, memory_bytes: memory / partitions };
  const partitionOf = { pipeline, most: workersMax ?? partitions };
  return instancesOf(wanted).map((name) => ({
    name,
    revision,
    term,
    isolation: "shared",
    demand,
    partitionOf,
  }));
}
