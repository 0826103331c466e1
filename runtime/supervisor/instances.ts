// What is to run of what is wanted: a pipeline as a whole, each of its partitions by itself, or the one of them that is wanted.
// Pure.

import type { Demand } from "./capacity.ts";
import { instanceName, instanceOf } from "../instance.ts";
import type { DesiredPipeline } from "./situation.ts";
import type { WantedPipeline } from "./wanted.ts";

/** The names under which a pipeline runs. */
export function instancesOf({ name, placement }: WantedPipeline): readonly string[] {
  const { partitions } = placement;
  if (partitions === null || instanceOf(name).partition !== null) return [name];
  return Array.from({ length: partitions }, (_, partition) => instanceName(name, partition));
}

/** What each of them is expected to take: partitions have equal shares. */
export function demandOfEach({ placement }: WantedPipeline): Demand {
  const { processors, memory, partitions } = placement;
  const count = partitions ?? 1;
  return { processors: processors / count, memory_bytes: memory / count };
}

/** A pipeline as what is to run of it. */
export function desiredOf(wanted: WantedPipeline): readonly DesiredPipeline[] {
  const { name, revision, term, placement } = wanted;
  const { isolation, partitions, workersMax } = placement;
  const demand = demandOfEach(wanted);
  if (partitions === null) return [{ name, revision, term, isolation, demand }];
  const { pipeline } = instanceOf(name);
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
