// Where a pipeline wants to run: with others or alone, on hosts with which labels, and what it is expected to take.
// Reads what the file says; where it runs is decided elsewhere.

import { z } from "zod";
import { field } from "../../operators/sdk/index.ts";
import { limits } from "../limits.ts";
import type { PlacementSpec } from "./pipeline.ts";
import type { Reader } from "./section.ts";

const settings = z
  .strictObject({
    isolation: z
      .enum(["shared", "worker"])
      .meta({
        description:
          "`worker`: it has a worker of its own, as has one that takes more than a worker which is shared; without it, it shares one with others.",
      })
      .optional(),
    labels: z
      .record(z.string().regex(/^[a-z0-9_-]{1,64}$/), z.string().max(256))
      .meta({ description: "Labels that its host must have.", examples: [{ site: "north" }] })
      .optional(),
    processors: z
      .number()
      .min(0)
      .max(limits.pipeline_processors_max)
      .meta({
        description:
          "Processors that it is expected to take: 0.5 is half of one. A worker of its own may take as many.",
      })
      .optional(),
    memory: field
      .size(
        "Memory that it is expected to take. A worker of its own may take as much, beside what the worker itself takes.",
      )
      .optional(),
    partitions: z
      .int()
      .min(1)
      .max(limits.partitions_max)
      .meta({
        description:
          "How many partitions the nats-server's mapping makes of its stream: a supervisor runs each by itself, and shares them among workers; of a fleet (`weir apply --fleet`) each has a host of its own. 12 and 24 are shared evenly by many numbers of workers; the number of a stream does not change.",
      })
      .optional(),
    workers: z
      .strictObject({ max: z.int().min(1).max(limits.partitions_max).meta({ description: "The most." }) })
      .meta({
        description:
          "Of how many workers the partitions may have; without it, of as many as the host can spare.",
        examples: [{ max: 4 }],
      })
      .optional(),
    spread: z
      .boolean()
      .meta({
        description:
          "Of a fleet (`weir apply --fleet`): its partitions are shared evenly among all hosts that fit, also when one comes. One at a time goes over, and begins a turn there; without it they stay where they are.",
      })
      .optional(),
    carry_state: z
      .boolean()
      .meta({
        description:
          "Of a fleet (`weir apply --fleet`): when it is moved to another host that fits, what it keeps goes along by way of the bucket `weir_handover`: open windows, how far it has read, rows that wait. So nothing is lost by a move, and nothing comes twice. Without it, it begins anew there.",
      })
      .optional(),
    threads: z
      .int()
      .min(0)
      .max(limits.worker_threads_max)
      .meta({
        description:
          "How many threads of its worker decode and filter for it, beside the one that all of it comes home to; 0 for none. Without it, as the device's `weir.yaml` says, or as many as it has processors to spare. A change is taken over between two commits.",
      })
      .optional(),
  })
  .meta({ description: "Where a supervisor lets it run, and with how many threads." });

/** The section, for the editors' schema and the reference. */
export const placementSetting: z.ZodType = settings;

/** Reads `placement`; what is not said or was refused is as without it. */
export function readPlacement(reader: Reader): PlacementSpec {
  const isThere = reader.document.valueAt(["placement"]) !== undefined;
  const read = isThere ? reader.parse(settings, ["placement"]) : undefined;
  if (read?.workers !== undefined && read.partitions === undefined) {
    const hint = "add partitions: 12, which the nats-server's mapping makes, or remove workers";
    reader.keyFault(["placement", "workers"], "only partitions can be shared among workers", hint);
  }
  if (read?.spread === true && read.partitions === undefined) {
    const hint = "add partitions: 12, which the nats-server's mapping makes, or remove spread";
    reader.keyFault(["placement", "spread"], "only partitions can be shared among hosts", hint);
  }
  return {
    isolation: read?.isolation ?? "shared",
    labels: read?.labels ?? {},
    processors: read?.processors ?? limits.pipeline_processors_default,
    memory: read?.memory ?? limits.pipeline_memory_bytes_default,
    partitions: read?.partitions ?? null,
    workersMax: read?.workers?.max ?? null,
    spread: read?.spread ?? false,
    carriesState: read?.carry_state ?? false,
    threads: read?.threads ?? null,
  };
}
