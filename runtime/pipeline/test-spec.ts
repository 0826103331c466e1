// The tests that a pipeline file carries: what comes in, and what each sink must get. The clock of a
// test starts at 0, the epoch; so does event time. Never runs a test.

import { z } from "zod";
import { field, parseDuration } from "../../operators/sdk/index.ts";
import type { TimeUnit } from "../codec/codec.ts";
import { didYouMean } from "./nearest.ts";
import type { InputSpec, Path, TestLookups, TestSpec } from "./pipeline.ts";
import type { Reader } from "./section.ts";

type Input = TestSpec["input"][number];
type Fields = Readonly<Record<string, unknown>>;

const fields = z.record(z.string().min(1), z.unknown());

const lookups = z.record(z.string(), z.record(z.string(), fields)).meta({
  description:
    "What reference tables hold: by file or bucket (`connection/bucket` where it is not on the default connection), the rows by key.",
});

const cameBy = {
  source: z.string().min(1).optional().meta({ description: "Which of the sources it comes in by." }),
  subject: z.string().min(1).optional().meta({ description: "The subject that it comes by." }),
};

/** One thing that happens in a test. */
const input = z.union([
  z.strictObject({ pause: field.duration("The clock moves on by this much.") }),
  z.strictObject({ lookups }),
  z.strictObject({
    restart: z
      .literal(true)
      .meta({ description: "The pipeline is stopped, and another goes on from what it remembered." }),
  }),
  z.strictObject({
    raw: z.string().meta({ description: "A payload as it is, broken or not." }),
    ...cameBy,
  }),
  z.strictObject({ record: fields.meta({ description: "The record, as its payload holds it." }), ...cameBy }),
  fields,
]);

const settings = z
  .strictObject({
    name: z.string().min(1).max(200).meta({ description: "What the test shows, in a few words." }),
    lookups: lookups.default({}),
    input: z.array(input).min(1).meta({
      description:
        "Records as maps, `{ pause: 10s }`, `{ restart: true }`, `{ raw: text }`, `{ lookups: { devices.csv: … } }`, or `{ subject: a.b, record: { … } }`, with several sources `{ source: name, record: { … } }`. A time may be a duration since the test's start, which is the beginning of 1970, UTC: for real dates, as those of a change of clocks, a pause goes first, `{ pause: 20540d }` for 2026-03-28, and times are written as in records.",
    }),
    expect: z.record(z.string(), z.array(fields)).default({}).meta({
      description:
        "By branch (`main` without branches), the rows its sink must get, in order; each names the fields that must be equal, numbers to nine digits (0.6666666667 for two thirds). A whole number of more digits than a float64 holds stands in quotes.",
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
  /** Empty when they could not be read. */
  readonly inputs: readonly InputSpec[];
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
        lookups: raw.lookups,
        input: raw.input.map((item, index) =>
          inputOf(reader, [...path, "input", index], item, surroundings.inputs),
        ),
        expect: raw.expect,
        deadLetter: raw.dead_letter ?? null,
      },
    ];
  });
}

function inputOf(reader: Reader, path: Path, item: Fields, inputs: readonly InputSpec[]): Input {
  const several = inputs.length > 1;
  const has = (name: string, ...others: string[]): boolean =>
    Object.hasOwn(item, name) && Object.keys(item).every((key) => key === name || others.includes(key));
  // The union has checked these forms already; a record may hold a field of such a name beside others.
  if (
    has("pause") &&
    typeof item["pause"] === "number" &&
    typeof reader.document.valueAt([...path, "pause"]) === "string"
  ) {
    return { kind: "pause", ms: item["pause"] };
  }
  if (has("lookups") && lookups.safeParse(item["lookups"]).success)
    return { kind: "lookups", lookups: item["lookups"] as TestLookups };
  if (has("restart") && item["restart"] === true) return { kind: "restart" };
  const subject = typeof item["subject"] === "string" ? item["subject"] : null;
  const places = several ? ["source", "subject"] : ["subject"];
  const { record, raw } = item;
  if (has("raw", ...places) && typeof raw === "string")
    return { kind: "raw", text: raw, subject, source: sourceOf(reader, path, item, inputs) };
  const placed = several
    ? has("record", ...places)
    : has("record", "subject") && (subject !== null || !mayHave("record", inputs[0]));
  const fields = placed && typeof record === "object" && record !== null ? (record as Fields) : item;
  const source = sourceOf(reader, path, item, inputs);
  const input = inputs.find(({ name }) => source === null || name === source);
  return {
    kind: "record",
    record: withTimes(fields, input),
    subject: fields === item ? null : subject,
    source,
  };
}

/** False where a source's records have no such field, nor one within it. */
function mayHave(name: string, input: InputSpec | undefined): boolean {
  const schema = input?.schema ?? null;
  return schema === null || Object.keys(schema).some((each) => each === name || each.startsWith(`${name}.`));
}

/** The source that an item names; null, and reported where there are several, when it names none. */
function sourceOf(reader: Reader, path: Path, item: Fields, inputs: readonly InputSpec[]): string | null {
  if (inputs.length < 2) return null;
  const { source } = item;
  const names = inputs.map(({ name }) => name);
  if (typeof source === "string" && (Object.hasOwn(item, "record") || Object.hasOwn(item, "raw"))) {
    if (names.includes(source)) return source;
    reader.fault([...path, "source"], `there is no source ${source}`, didYouMean(source, names));
  } else {
    const hint = `write { source: ${names[0]}, record: { … } }`;
    reader.fault(path, "this does not say which source it comes in by", hint);
  }
  return null;
}

/** Durations in time fields become what the payload would hold: in the field's own unit since the epoch. */
function withTimes(record: Fields, input: InputSpec | undefined): Fields {
  const { time, schema } = input ?? { time: null, schema: null };
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
