// One declaration for each setting of an operator. It gives the TypeScript type, the parser, the
// default, the error, the JSON Schema and the reference page. Built on zod; nothing here compiles
// an expression: a setting that refers to columns parses to an `Unbound`, which the planner replaces.

import { z } from "zod";
import type { ColumnType } from "./batch.ts";
import type {
  AggregateCall,
  AggregateDefinition,
  ColumnReference,
  Expression,
  MemberReference,
} from "./expression.ts";
import type { ReferenceSource } from "./reference.ts";

/** What a setting wants to be bound to once the input's schema is known. */
export type Want =
  | { readonly kind: "expression"; readonly types: readonly ColumnType[] }
  | { readonly kind: "column"; readonly types: readonly ColumnType[] }
  | { readonly kind: "member"; readonly types: readonly ColumnType[] }
  | { readonly kind: "aggregate"; readonly aggregates: readonly AggregateDefinition[] };

/** A setting that names columns, not bound yet. Only the planner sees one. */
export class Unbound {
  readonly text: string;
  readonly want: Want;
  constructor(text: string, want: Want) {
    this.text = text;
    this.want = want;
  }
}

/** Longest expression that is read, in characters. */
export const expressionLengthMax = 4096;

const durationUnits: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const sizeUnits: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1000,
  MB: 1e6,
  GB: 1e9,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
};

function withUnits(text: string, units: Readonly<Record<string, number>>): number | undefined {
  let total = 0;
  let rest = text;
  while (rest !== "") {
    const match = /^(\d+(?:\.\d+)?)([a-zA-Z]+)/.exec(rest);
    if (!match || !Object.hasOwn(units, match[2]!)) return undefined;
    const unit = units[match[2]!]!;
    total += Number(match[1]) * unit;
    rest = rest.slice(match[0].length);
  }
  return text === "" || !Number.isFinite(total) ? undefined : total;
}

/** `1m30s` to milliseconds; undefined when it is not a duration. */
export function parseDuration(text: string): number | undefined {
  return withUnits(text, durationUnits);
}

/** What units of time are called elsewhere, by their first letters. */
const otherUnits: readonly (readonly [RegExp, string])[] = [
  [/^(ms|milli.*)$/i, "ms"],
  [/^s(ec.*)?$/i, "s"],
  [/^(m|min.*)$/, "m"],
  [/^h(r|rs|our.*)?$/i, "h"],
  [/^d(ay.*)?$/i, "d"],
];
/** The unit that a number without one has behind another: `1m30` is `1m30s`. */
const smallerUnits: Readonly<Record<string, string>> = { d: "h", h: "m", m: "s", s: "ms" };

/** What to do about a text that is no duration: `5 min` is probably `5m`; nothing where it cannot be told. */
function durationHint(text: string): string {
  // What was meant by less than nothing nobody knows.
  if (/^\s*-\s*\d/.test(text)) return "; a length of time is never negative: leave the minus out";
  const weeks = /^\s*(\d+)\s*w(?:eeks?)?\s*$/i.exec(text)?.[1];
  const near = weeks === undefined ? nearDuration(text) : `${7 * Number(weeks)}d`;
  return near === undefined ? "" : `; write ${near}`;
}

/** `PT1H30M` as ISO 8601 has it, or `01:30:00`. */
const otherForms = /^\s*(?:PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?|(\d+):(\d\d):(\d\d))\s*$/i;

/** The duration that was probably meant. */
function nearDuration(text: string): string | undefined {
  const [, ...parts] = otherForms.exec(text) ?? [];
  const units = parts.map((part, place) =>
    Number(part ?? 0) > 0 ? `${Number(part)}${"hms"[place % 3]}` : "",
  );
  if (units.some((part) => part !== "")) return units.join("");
  let near = "";
  let unit = "";
  for (const [, number = "", written = ""] of text.matchAll(/(\d+(?:[.,]\d+)?)\s*([a-zA-Z]*)/g)) {
    const known = written === "" ? smallerUnits[unit] : otherUnits.find(([name]) => name.test(written))?.[1];
    if (known === undefined) return undefined;
    unit = known;
    near += `${number.replace(",", ".")}${unit}`;
  }
  return parseDuration(near) === undefined ? undefined : near;
}

/** `64KiB` to bytes; undefined when it is not a size. */
export function parseSize(text: string): number | undefined {
  return withUnits(text, sizeUnits);
}

/** What to do about a text that is no size: `10 MB` is probably `10MB`, and `64k` is `64KB`; nothing where it cannot be told. */
function sizeHint(text: string): string {
  if (/^\s*-\s*\d/.test(text)) return "; a size is never negative: leave the minus out";
  const [, number = "", written = ""] = /^\s*(\d+(?:[.,]\d+)?)\s*([a-zA-Z]+)\s*$/.exec(text) ?? [];
  if (written === "") return "";
  const wanted = written.toLowerCase().replace(/^bytes?$/, "b");
  const unit = Object.keys(sizeUnits).find((each) => [wanted, `${wanted}b`].includes(each.toLowerCase()));
  return unit === undefined ? "" : `; write ${number.replace(",", ".")}${unit}`;
}

function bound<T>(want: Want, description: string, examples: readonly string[] = []): z.ZodType<T, string> {
  return (
    z
      .string()
      .min(1)
      .max(expressionLengthMax)
      .meta(examples.length === 0 ? { description } : { description, examples: [...examples] })
      // The planner swaps each Unbound for what it asks for before the operator is created.
      .transform((text) => new Unbound(text, want) as unknown as T)
  );
}

/** Where a reference table is kept, as it is written: one of the two. */
interface WrittenReference {
  readonly file?: string | undefined;
  readonly kv?: { readonly bucket: string; readonly to?: string | undefined } | undefined;
}

export const field = {
  /** An expression over the input's columns whose result is one of `types` (any, when empty). */
  expression(
    types: readonly ColumnType[],
    doc: string,
    examples: readonly string[] = [],
  ): z.ZodType<Expression, string> {
    return bound({ kind: "expression", types }, doc, examples);
  },
  /** The name of a column of the input whose type is one of `types` (any, when empty). */
  column(types: readonly ColumnType[], doc: string): z.ZodType<ColumnReference, string> {
    return bound({ kind: "column", types }, doc);
  },
  /** A column of one of several inputs, `input.column`, whose type is one of `types` (any, when empty). */
  member(types: readonly ColumnType[], doc: string): z.ZodType<MemberReference, string> {
    return bound({ kind: "member", types }, doc);
  },
  /** A call of one of `aggregates`: `mean(temp)`. */
  aggregate(aggregates: readonly AggregateDefinition[], doc: string): z.ZodType<AggregateCall, string> {
    return bound({ kind: "aggregate", aggregates }, doc);
  },
  /** A length of time with its unit, `10s` or `1m30s`; milliseconds in the operator. */
  duration(doc: string): z.ZodType<number, string> {
    return z
      .string()
      .meta({ description: doc, pattern: "^(\\d+(\\.\\d+)?(ms|s|m|h|d))+$", examples: ["10s", "1m30s"] })
      .transform((text, context) => {
        const duration = parseDuration(text);
        if (duration !== undefined) return duration;
        context.addIssue({
          code: "custom",
          message: `expected a duration such as 500ms, 10s, 1m30s or 2h, got ${JSON.stringify(text)}${durationHint(text)}`,
        });
        return z.NEVER;
      });
  },
  /** A number of bytes with its unit, `64KiB`; bytes in the operator. */
  size(doc: string): z.ZodType<number, string> {
    return z
      .string()
      .meta({
        description: doc,
        pattern: "^(\\d+(\\.\\d+)?(B|KB|MB|GB|KiB|MiB|GiB))+$",
        examples: ["64KiB", "1MB"],
      })
      .transform((text, context) => {
        const size = parseSize(text);
        if (size !== undefined) return size;
        context.addIssue({
          code: "custom",
          message: `expected a size such as 512B, 64KiB or 1MB, got ${JSON.stringify(text)}${sizeHint(text)}`,
        });
        return z.NEVER;
      });
  },
  /** A number, no smaller than `min` and no larger than `max` where they are given. */
  number(options: { readonly min?: number; readonly max?: number }, doc: string): z.ZodType<number, number> {
    let number = z.number();
    if (options.min !== undefined) number = number.min(options.min);
    if (options.max !== undefined) number = number.max(options.max);
    return number.meta({ description: doc });
  },
  /** A table that records are looked up in. What is wanted of it the operator says under `references`, by this setting's name. */
  reference(doc: string): z.ZodType<ReferenceSource, WrittenReference> {
    const file = z
      .string()
      .max(4096)
      .regex(/.\.(csv|json|ndjson)$/, "a table's file ends in .csv, .json or .ndjson")
      .meta({ description: "A file, relative to the pipeline's." });
    const kv = z
      .strictObject({
        bucket: z
          .string()
          .regex(/^[A-Za-z0-9_-]{1,255}$/, "a bucket's name is letters, digits, - and _")
          .meta({ description: "The bucket's name." }),
        to: z.string().min(1).default("default").meta({ description: "The connection." }),
      })
      .meta({ description: "A NATS key-value bucket: JSON objects by key." });
    return z
      .strictObject({ file: file.optional(), kv: kv.optional() })
      .meta({ description: doc })
      .transform((written, context): ReferenceSource => {
        if (written.file !== undefined && written.kv === undefined)
          return { kind: "file", path: written.file };
        if (written.kv !== undefined && written.file === undefined) return { kind: "kv", ...written.kv };
        context.addIssue({ code: "custom", message: "expected either file or kv" });
        return z.NEVER;
      });
  },
  /** One or more columns that together are the key: `device` or `[site, device]`. */
  keys(doc: string): z.ZodType<readonly ColumnReference[], string | readonly string[]> {
    const one = field.column(["string", "float64", "int64", "bool", "time"], doc);
    return z
      .union([one.transform((column) => [column]), z.array(one).min(1).max(8)])
      .superRefine((columns, context) => {
        // They are not bound yet: all that is known of each is how it is written.
        const names = columns.map((column) => (column as unknown as Unbound).text);
        const place = names.findIndex((name, at) => names.indexOf(name) < at);
        if (place >= 0)
          context.addIssue({
            code: "custom",
            path: [place],
            message: `the key names ${names[place]} twice: name each column once`,
          });
      })
      .meta({ description: doc });
  },
} as const;
