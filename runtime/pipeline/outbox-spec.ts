// What rows that wait to be sent may take: the section `outbox` of a pipeline file or of a device's settings. Reads what is
// said; never knows what waits.

import { z } from "zod";
import { field } from "../../operators/sdk/index.ts";
import { limits } from "../limits.ts";
import type { OutboxSpec, Tier } from "./pipeline.ts";
import type { Reader } from "./section.ts";

const tier = z
  .strictObject({
    every: field
      .duration("How much time one row stands for; the first tier has none: its rows are as they were made.")
      .refine((every) => every > 0, "a row stands for some time: write a longer one")
      .optional(),
    keep: field
      .duration("Rows that waited longer go to the next tier; from the last one they are dropped.")
      .refine((keep) => keep > 0, "a row is kept for some time: write a longer one"),
  })
  .transform(({ every, keep }): Tier => ({ every: every ?? 0, keep }));

const tiers = z
  .array(tier)
  .min(2)
  .max(limits.outbox_tiers_max)
  .superRefine((all, context) => {
    all.forEach((each, place) => {
      const message = tierFault(each, all[place - 1]);
      if (message !== null) context.addIssue({ code: "custom", message, path: [place] });
    });
  })
  .meta({
    description:
      "What waits too long is condensed step by step instead of dropped: rows of one subject and key within `every` become one. For rows of windows in json or msgpack. Each condensed row says its resolution in `Weir-Resolution`; one that stands for more time than that stays as it is. Means are weighed by `count(x)` of the same `x`, and where that is not selected by `count()`, which counts records without `x` too.",
  });

/** Why a tier cannot follow the one before; null where it can. */
function tierFault({ every, keep }: Tier, before: Tier | undefined): string | null {
  if (before === undefined)
    return every === 0 ? null : "the first tier holds rows as they were made: leave every out";
  if (every <= before.every) return "a tier is coarser than the one before: write a longer every";
  if (before.every > 0 && every % before.every !== 0)
    return "rows of the tier before have to fit into those of this one: write a multiple of its every";
  if (keep <= before.keep)
    return "rows are in this tier once they are older than in the one before: write a longer keep";
  return null;
}

const settings = z
  .strictObject({
    bytes: field
      .size(
        `The most that waiting rows may take on the disk; ${limits.outbox_bytes_default / 1024 ** 3}GiB without it.`,
      )
      .refine(
        (bytes) => bytes >= limits.outbox_bytes_min,
        `an outbox needs ${limits.outbox_bytes_min / 1024} KiB at least`,
      )
      .optional(),
    age: field
      .duration("Rows that waited longer are dropped and counted as `expired`; never without it.")
      .refine((age) => age > 0, "a row may wait for some time: write a longer one, or leave age out")
      .optional(),
    when_full: z.enum(["wait", "drop_oldest", "condense"]).optional().meta({
      description:
        "`wait` (the default) reads no more from the source until there is room; `drop_oldest` drops the rows that waited longest, those of alarms last, and counts them as `overflow`; `condense` takes the next of the `tiers` before its time, and waits where there is none.",
    }),
    backlog_after: z
      .union([field.duration(""), z.literal("never")])
      .optional()
      .meta({
        description:
          "Rows that waited longer are backlog: it is sent behind new rows, marked by `Weir-Lane`, so that those do not wait. 1m without it; `never` keeps the order of rows through any outage. It is for sinks with `delivery: lane` or `message_id`: the others tell rows by their order, so that there new rows come behind those that waited.",
        examples: ["1m", "never"],
      }),
    tiers: tiers.default([]),
  })
  .superRefine(({ when_full, tiers }, context) => {
    if (when_full !== "condense" || tiers.length > 0) return;
    const message =
      "condense needs tiers, which say to what: tiers: [{ keep: 2h }, { every: 10s, keep: 1d }]";
    context.addIssue({ code: "custom", message, path: ["when_full"] });
  })
  .meta({ description: "What rows that wait to be sent may take, and what becomes of more." });

/** The section, for the editors' schema, the reference and a device's settings. */
export const outboxSetting: z.ZodType<OutboxSpec> = settings;

/** Reads `outbox`; what is not said or was refused is as without it. */
export function readOutbox(reader: Reader): OutboxSpec {
  const isThere = reader.document.valueAt(["outbox"]) !== undefined;
  return (isThere ? reader.parse(settings, ["outbox"]) : undefined) ?? { tiers: [] };
}

/** What holds for a pipeline: what its file says, and where that says nothing, what its device does. */
export function mergedOutbox(file: OutboxSpec, device: OutboxSpec): OutboxSpec {
  return {
    bytes: file.bytes ?? device.bytes,
    age: file.age ?? device.age,
    when_full: file.when_full ?? device.when_full,
    backlog_after: file.backlog_after ?? device.backlog_after,
    tiers: file.tiers.length > 0 ? file.tiers : device.tiers,
  };
}
