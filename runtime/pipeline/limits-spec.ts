// What a pipeline may take: the keys that a step remembers, the rate that is expected, the memory for
// state. Reads what the file says; never computes what a step needs.

import { z } from "zod";
import { field } from "../../operators/sdk/index.ts";
import { limits } from "../limits.ts";
import type { DeclaredKeys, KeyBounds, LimitsSpec } from "./pipeline.ts";
import type { Reader } from "./section.ts";

const keys = z
  .strictObject({
    max: z
      .int()
      .min(1)
      .max(limits.keys_max)
      .meta({
        description: `Most keys that are remembered; without it ${limits.keys_default}, or as many as fit into \`limits.memory\`.`,
      })
      .optional(),
    ttl: field
      .duration("A key that was silent for so long, in event time, is forgotten; never without it.")
      .refine((ttl) => ttl > 0, "a key lives longer than 0: write a longer time, or leave ttl out")
      .optional(),
    when_full: z
      .enum(["refuse", "forget_oldest"])
      .meta({
        description:
          "What becomes of a new key when there are `max`: its records are counted as `overflow` (refuse, the default), or the key that was silent longest is forgotten.",
      })
      .optional(),
  })
  .meta({ description: "How many keys a step remembers, and for how long." });

const perUnit: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };
const ratePattern = /^(\d+(?:\.\d+)?)\/(s|m|h)$/;

/** `500/sec` and `500 per second` are probably `500/s`; nothing where it cannot be told. */
function rateHint(text: string): string {
  const [, count, unit] =
    /^\s*([\d.]*[1-9][\d.]*)\s*(?:\/|per )\s*([smh])(?:ec|in|r|our|econd|inute)?s?\s*$/i.exec(text) ?? [];
  return count === undefined ? "" : `; write ${count}/${unit!.toLowerCase()}`;
}

/** `500/s` to records a second. */
const rate = z
  .string()
  .meta({
    description: "The most records that are expected in a time: what a step keeps for each is judged by it.",
    pattern: ratePattern.source,
    examples: ["500/s", "10/m", "100000/h"],
  })
  .transform((text, context) => {
    const [, count, unit] = ratePattern.exec(text) ?? [];
    const perSecond = count === undefined ? 0 : Number(count) / perUnit[unit!]!;
    if (perSecond > 0 && Number.isFinite(perSecond)) return perSecond;
    const message = `expected a rate above 0 such as 500/s, 10/m or 100000/h, got ${JSON.stringify(text)}${rateHint(text)}`;
    context.addIssue({ code: "custom", message });
    return z.NEVER;
  });

const settings = z
  .strictObject({
    keys: keys.optional(),
    rate: rate.optional(),
    memory: field
      .size(
        `The most that the state of all steps may take; ${limits.state_bytes_default / 1024 ** 2}MiB without it.`,
      )
      .refine((bytes) => bytes > 0, "state takes more than nothing: write a larger size")
      .optional(),
  })
  .meta({ description: "What the pipeline may take." });

/** A step's `keys`, and the section `limits`, for the editors' schema and the reference. */
export const keysSetting: z.ZodType<DeclaredKeys> = keys;
export const limitsSetting: z.ZodType = settings;

/** Reads `limits`; what is not said or was refused is as without it. */
export function readLimits(reader: Reader): LimitsSpec {
  const isThere = reader.document.valueAt(["limits"]) !== undefined;
  const read = isThere ? reader.parse(settings, ["limits"]) : undefined;
  return {
    keys: read?.keys ?? {},
    rate: read?.rate ?? null,
    memory: read?.memory ?? limits.state_bytes_default,
  };
}

/** The bounds in force: each as the step says, else as the pipeline does. */
export function keyBounds(step: DeclaredKeys, pipeline: DeclaredKeys): KeyBounds {
  return {
    max: step.max ?? pipeline.max ?? limits.keys_default,
    ttl: step.ttl ?? pipeline.ttl ?? null,
    when_full: step.when_full ?? pipeline.when_full ?? "refuse",
  };
}
