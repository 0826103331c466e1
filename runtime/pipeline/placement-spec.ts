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
      .meta({ description: "`worker`: it has a worker of its own; without it, it shares one with others." })
      .optional(),
    labels: z
      .record(z.string().regex(/^[a-z0-9_-]{1,64}$/), z.string().max(256))
      .meta({ description: "Labels that its host must have.", examples: [{ site: "north" }] })
      .optional(),
    processors: z
      .number()
      .min(0)
      .max(limits.pipeline_processors_max)
      .meta({ description: "Processors that it is expected to take: 0.5 is half of one." })
      .optional(),
    memory: field.size("Memory that it is expected to take.").optional(),
  })
  .meta({ description: "Where a supervisor lets it run." });

/** The section, for the editors' schema and the reference. */
export const placementSetting: z.ZodType = settings;

/** Reads `placement`; what is not said or was refused is as without it. */
export function readPlacement(reader: Reader): PlacementSpec {
  const isThere = reader.document.valueAt(["placement"]) !== undefined;
  const read = isThere ? reader.parse(settings, ["placement"]) : undefined;
  return {
    isolation: read?.isolation ?? "shared",
    labels: read?.labels ?? {},
    processors: read?.processors ?? limits.pipeline_processors_default,
    memory: read?.memory ?? limits.pipeline_memory_bytes_default,
  };
}
