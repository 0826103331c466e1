// The settings of `join`, and what is wrong with them in words. Judges what can be judged before the
// columns are known; runs nothing.

import { type ColumnReference, field, z } from "weir/sdk";
import { keyRecordsDefault, keyRecordsMax } from "./bounds.ts";
import { type Inputs, inputsSetting, type Members, membersSetting } from "./inputs.ts";

/** As the operator gets them; lengths in ms. Exactly one of `within` and `window` is there. */
export interface JoinSettings {
  readonly left: string;
  readonly right: string;
  readonly inputs: Inputs;
  readonly on: readonly ColumnReference[];
  readonly within?: { readonly before: number; readonly after: number } | undefined;
  readonly window?: number | undefined;
  readonly offset?: number | undefined;
  readonly kind: "inner" | "left" | "outer";
  readonly max: number;
  readonly select: Members;
}

const wholeMs = "windows are cut at whole milliseconds: write a multiple of 1ms";

const within = z
  .union([
    field.duration("Farthest apart, either way.").transform((ms) => ({ before: ms, after: ms })),
    z.strictObject({
      before: field.duration("How much earlier than the left record the right one may be."),
      after: field.duration("How much later than the left record the right one may be."),
    }),
  ])
  .meta({
    description: "How far in event time a right record may be from a left one, either way or each way.",
  });

const settings = z.strictObject({
  left: z.string().min(1).meta({ description: "The input of the left records." }),
  right: z.string().min(1).meta({ description: "The input of the right records." }),
  inputs: inputsSetting,
  on: field.keys("The key: records join where it is the same, and not null."),
  within: within.optional(),
  window: field
    .duration("In place of `within`: both records are in the same window of this length.")
    .refine((ms) => Number.isInteger(ms) && ms >= 1, wholeMs)
    .optional(),
  offset: field
    .duration("Shifts the windows against the epoch.")
    .refine((ms) => Number.isInteger(ms), wholeMs)
    .optional(),
  kind: z.enum(["inner", "left", "outer"]).default("inner").meta({
    description:
      "What becomes of records that joined nothing: left out, or sent with nulls, those of the left side or of both.",
  }),
  max: z.int().min(1).max(keyRecordsMax).default(keyRecordsDefault).meta({
    description:
      "How many records of one key each side keeps at most; each record that comes may make as many rows.",
  }),
  select: membersSetting,
});

export const joinSettings: z.ZodType<JoinSettings> = settings.superRefine(
  ({ left, right, inputs, within: limits, window, offset }, context) => {
    const fault = (path: string[], message: string): void =>
      context.addIssue({ code: "custom", path, message });
    const names = Object.keys(inputs);
    if (names.length > 2)
      fault(["inputs"], `a join has two inputs, not ${names.length}: join twice, or use align`);
    for (const [side, name] of Object.entries({ left, right }))
      if (!names.includes(name))
        fault([side], `there is no input ${name}: the inputs are ${names.join(" and ")}`);
    if (left === right) fault(["right"], "both sides are the same input: name two");
    if (limits === undefined && window === undefined) fault([], "join needs one of within and window");
    if (limits !== undefined && window !== undefined)
      fault(["window"], "window stands beside within: keep one of them");
    if (offset !== undefined && window === undefined)
      fault(["offset"], "only windows have an offset: leave it out");
  },
);
