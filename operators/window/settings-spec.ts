// The spec of the settings of `window`: exactly one kind, its lengths, and what is wrong with them in words. Judges
// what can be judged before the columns are known; runs nothing.

import { field, z } from "weir/sdk";
import { aggregates } from "./aggregates/catalog.ts";
import { lengthMax, overlapMax, shiftsMax, stepsMax } from "./bounds.ts";
import { earlyFaults, gapFaults, updatesFaults } from "./emission.ts";
import { calendarUnits } from "./kinds/calendar.ts";
import { gapPolicies } from "./kinds/gaps.ts";
import type { WindowSettings } from "./settings.ts";
import { isZone } from "./zone.ts";

const day = 86_400_000;

/** A length of time in whole milliseconds, at least one. */
function length(doc: string): z.ZodType<number, string> {
  return field
    .duration(doc)
    .refine((ms) => ms >= 1, "a window is at least 1ms long: write a longer time")
    .refine(
      (ms) => ms <= lengthMax,
      `a window is at most ${lengthMax / day}d long, a hundred years: write a shorter time`,
    )
    .refine((ms) => Number.isInteger(ms), "windows are cut at whole milliseconds: write a multiple of 1ms");
}

const hopping = z
  .strictObject({
    size: length("Length of a window."),
    every: length("From the start of one window to the start of the next; at most `size`."),
  })
  .superRefine(({ size, every }, context) => {
    const fault = (message: string): void => context.addIssue({ code: "custom", path: ["every"], message });
    if (every > size)
      fault("windows further apart than they are long leave records out: make every at most size");
    else if (size / every > overlapMax)
      fault(
        `a record would be in ${Math.ceil(size / every)} windows; the most is ${overlapMax}: make every longer`,
      );
  })
  .meta({ description: "Windows of one size that begin at even steps, and overlap." });

const cumulate = z
  .strictObject({
    step: length("By how much the window grows."),
    max: length("Its full length, a multiple of `step`; then it begins anew."),
  })
  .superRefine(({ step, max }, context) => {
    const fault = (message: string): void => context.addIssue({ code: "custom", path: ["step"], message });
    if (max % step !== 0) fault("the full length is no multiple of the step: make max a multiple of step");
    else if (max / step > stepsMax)
      fault(`the window would grow in ${max / step} steps; the most is ${stepsMax}: make the step longer`);
  })
  .meta({ description: "A window that grows step by step, and begins anew at its full length." });

const session = z
  .strictObject({
    gap: length("Longest time between two records of a session."),
    max: length("Cuts a session this long after its first record.").optional(),
  })
  .meta({ description: "Records that follow each other closely, until there is a gap." });

const count = z
  .strictObject({
    n: z.int().min(1).meta({ description: "Records of a window." }),
    every: z
      .int()
      .min(1)
      .meta({ description: "Records from the start of one window to that of the next; `n` without it." })
      .optional(),
  })
  .superRefine(({ n, every = n }, context) => {
    const fault = (message: string): void => context.addIssue({ code: "custom", path: ["every"], message });
    if (every > n) fault("windows further apart than they are long leave records out: make every at most n");
    else if (n / every > overlapMax)
      fault(
        `a record would be in ${Math.ceil(n / every)} windows; the most is ${overlapMax}: make every larger`,
      );
  })
  .meta({ description: "Every so many records of a key." });

const state = z
  .strictObject({
    open: field.expression(["bool"], "A record for which this is true opens a window."),
    close: field.expression(["bool"], "A record for which this is true is the last of its window."),
  })
  .meta({ description: "From a record that meets one condition to one that meets another." });

const timeOfDay = z
  .string()
  .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'expected a time of day such as "06:00", in quotes')
  .transform((text) => (Number(text.slice(0, 2)) * 60 + Number(text.slice(3))) * 60_000);

const calendar = z
  .strictObject({
    unit: z.enum(calendarUnits).meta({ description: "Weeks begin on Monday." }).optional(),
    shifts: z
      .record(z.string().min(1).max(64), timeOfDay)
      .meta({
        description:
          "When each shift of a day begins, by its name; it lasts until the next. Rows get a column `shift`.",
      })
      .optional(),
    zone: z
      .string()
      .refine(isZone, {
        error: "there is no such time zone: write one of the IANA list, such as Europe/Berlin or UTC",
        params: { of: "zones" },
      })
      .meta({ description: "The time zone by whose clocks windows begin and end; `UTC` without it." })
      .default("UTC"),
  })
  .superRefine(({ unit, shifts }, context) => {
    const fault = (message: string): void => context.addIssue({ code: "custom", message });
    const begins = Object.values(shifts ?? {});
    if ((unit === undefined) === (shifts === undefined)) fault("calendar needs one of unit and shifts");
    if (shifts !== undefined && (begins.length === 0 || begins.length > shiftsMax))
      fault(`a day has from 1 to ${shiftsMax} shifts, not ${begins.length}`);
    if (new Set(begins).size < begins.length)
      fault("two shifts begin at the same time: give each one of its own");
  })
  .meta({ description: "The hours, days, weeks, months or shifts of a time zone." });

const emit = z
  .union([
    z.literal("final"),
    z
      .strictObject({
        early: length("How often the growing result is sent, in event time.").optional(),
        updates: length("How long a window takes late records after its end.").optional(),
      })
      .superRefine(({ early, updates }, context) => {
        if ((early === undefined) === (updates === undefined))
          context.addIssue({
            code: "custom",
            message: "emit needs one of early and updates, or the word final",
          });
      }),
  ])
  .meta({
    description:
      "When rows are sent: once, when the window closes; `early` as well, and rows have a column `window_final`; or, with `updates`, again for late records, and rows have a column `window_revision`.",
  });

const kinds = {
  tumbling: length("Length of the windows; they follow each other without overlap.").optional(),
  hopping: hopping.optional(),
  cumulate: cumulate.optional(),
  session: session.optional(),
  count: count.optional(),
  sliding: length("For every record the last while of its key, up to that record.").optional(),
  state: state.optional(),
  calendar: calendar.optional(),
};

const kindNames = Object.keys(kinds) as (keyof typeof kinds)[];
const shifted: ReadonlySet<string> = new Set(["tumbling", "hopping", "cumulate"]);

export const windowSettings: z.ZodType<WindowSettings> = z
  .strictObject({
    ...kinds,
    offset: field
      .duration("Shifts the windows against the epoch: of `tumbling`, `hopping` and `cumulate`.")
      .refine((ms) => Number.isInteger(ms), "windows are cut at whole milliseconds: write a multiple of 1ms")
      .optional(),
    emit: emit.optional(),
    gaps: z
      .enum(["skip", ...gapPolicies])
      .nullable()
      .meta({
        description:
          "What stands for a window without records of a key that had some: no row, zeros, nulls, the last result again, or a straight line to the next. With rows for such windows, there is a column `window_filled`.",
      })
      // YAML reads the word null as no value.
      .transform((policy) => policy ?? "null")
      .optional(),
    by: field
      .keys("The key: one column or a list of them. Without it, all records are one group.")
      .optional(),
    select: z
      .record(z.string(), field.aggregate(aggregates, "An aggregate, such as `mean(temp)`."))
      .meta({ description: "The result's columns by name, each an aggregate." }),
  })
  .superRefine((settings, context) => {
    const fault = (path: string[], message: string): void =>
      context.addIssue({ code: "custom", path, message });
    const named = kindNames.filter((name) => settings[name] !== undefined);
    if (named.length === 0) fault([], `window needs one of ${kindNames.join(", ")}`);
    for (const name of named.slice(1)) fault([name], `${name} stands beside ${named[0]}: keep one of them`);
    if (settings.offset !== undefined && named.length === 1 && !shifted.has(named[0]!))
      fault(["offset"], `${named[0]} windows have no offset: leave it out`);
    if (named.length !== 1) return;
    const { emit: emitted, gaps = "skip" } = settings;
    const { early, updates } = typeof emitted === "object" ? emitted : {};
    if (early !== undefined)
      for (const message of earlyFaults(named[0]!, settings, early)) fault(["emit", "early"], message);
    if (updates !== undefined)
      for (const message of updatesFaults(named[0]!, settings, updates)) fault(["emit", "updates"], message);
    if (gaps !== "skip") for (const message of gapFaults(named[0]!, emitted)) fault(["gaps"], message);
  });
