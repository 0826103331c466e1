// The tests that a pipeline file carries: what comes in, and what each sink must get. The clock of a
// test starts at 0, the epoch; so does event time. Never runs a test.

import { z } from "zod";
import { type ColumnType, field, parseDuration } from "../../operators/sdk/index.ts";
import type { TimeUnit } from "../codec/codec.ts";
import { didYouMean } from "./nearest.ts";
import type { Path, TestSpec, TimeSpec } from "./pipeline.ts";
import type { Reader } from "./section.ts";

type Input = TestSpec["input"][number];
type Fields = Readonly<Record<string, unknown>>;

const fields = z.record(z.string().min(1), z.unknown());

/** One thing that happens in a test. */
const input = z.union([
  z.strictObject({ pause: field.duration("The clock moves on by this much.") }),
  z.strictObject({
    raw: z.string().meta({ description: "A payload as it is, broken or not." }),
    subject: z.string().min(1).optional(),
  }),
  z.strictObject({ record: fields, subject: z.string().min(1) }),
  fields,
]);

const settings = z
  .strictObject({
    name: z.string().min(1).max(200),
    input: z.array(input).min(1).meta({
      description:
        "Records as maps, `{ pause: 10s }`, `{ raw: text }`, or `{ subject: a.b, record: { … } }`. A time may be a duration since the test's start.",
    }),
    expect: z.record(z.string(), z.array(fields)).default({}).meta({
      description:
        "By branch (`main` without branches), the rows its sink must get, in order; each names the fields that must be equal.",
    }),
    dead_letter: z
      .int()
      .min(0)
      .optional()
      .meta({ description: "How many records the dead letter must get." }),
  })
  .meta({ description: "Runs the whole pipeline under a virtual clock." });

/** One of `tests`, for the editors' schema. */
export const testSetting: z.ZodType = settings;

export interface TestSurroundings {
  readonly branches: readonly string[];
  readonly time: TimeSpec | null;
  readonly schema: Readonly<Record<string, ColumnType>> | null;
}

/** Reads `tests`. */
export function readTests(reader: Reader, surroundings: TestSurroundings): readonly TestSpec[] {
  const list = reader.document.valueAt(["tests"]);
  if (list === undefined) return [];
  if (!Array.isArray(list)) {
    reader.fault(["tests"], "expected a list of tests", "each begins with - name: …");
    return [];
  }
  return list.flatMap((_, place) => {
    const path = ["tests", place];
    const raw = reader.parse(settings, path);
    if (raw === undefined) return [];
    for (const branch of Object.keys(raw.expect)) {
      if (surroundings.branches.length > 0 && !surroundings.branches.includes(branch)) {
        const hint = didYouMean(branch, surroundings.branches);
        reader.keyFault([...path, "expect", branch], `there is no branch ${branch}`, hint);
      }
    }
    return [
      {
        name: raw.name,
        input: raw.input.map((item, index) => inputOf(reader, [...path, "input", index], item, surroundings)),
        expect: raw.expect,
        deadLetter: raw.dead_letter ?? null,
      },
    ];
  });
}

function inputOf(reader: Reader, path: Path, item: Fields, surroundings: TestSurroundings): Input {
  const keys = Object.keys(item);
  const only = (...names: string[]): boolean => keys.every((key) => names.includes(key));
  // The union has checked these forms already; a record may hold a field of such a name beside others.
  if (
    only("pause") &&
    typeof item["pause"] === "number" &&
    typeof reader.document.valueAt([...path, "pause"]) === "string"
  ) {
    return { kind: "pause", ms: item["pause"] };
  }
  const subject = typeof item["subject"] === "string" ? item["subject"] : null;
  if (only("raw", "subject") && typeof item["raw"] === "string")
    return { kind: "raw", text: item["raw"], subject };
  if (
    only("record", "subject") &&
    subject !== null &&
    typeof item["record"] === "object" &&
    item["record"] !== null
  ) {
    return { kind: "record", record: withTimes(item["record"] as Fields, surroundings), subject };
  }
  return { kind: "record", record: withTimes(item as Fields, surroundings), subject: null };
}

/** Durations in time fields become what the payload would hold: in the field's own unit since the epoch. */
function withTimes(record: Fields, { time, schema }: TestSurroundings): Fields {
  return Object.fromEntries(
    Object.entries(record).map(([name, value]) => {
      const isTime = time?.field === name || schema?.[name] === "time";
      const ms = isTime && typeof value === "string" ? parseDuration(value) : undefined;
      return [name, ms === undefined ? value : inUnit(ms, time?.field === name ? time.unit : "ms")];
    }),
  );
}

const perMs: Readonly<Record<Exclude<TimeUnit, "iso">, number>> = { s: 1 / 1000, ms: 1, us: 1000, ns: 1e6 };

function inUnit(ms: number, unit: TimeUnit): number | string {
  return unit === "iso" ? new Date(ms).toISOString() : ms * perMs[unit];
}

/** Expected rows with durations in time columns as ms since the epoch, which is how a row holds them. */
export function expectedRows(
  rows: readonly Fields[],
  isTime: (column: string) => boolean,
): readonly Fields[] {
  return rows.map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => [
        name,
        typeof value === "string" && isTime(name) ? (parseDuration(value) ?? value) : value,
      ]),
    ),
  );
}
