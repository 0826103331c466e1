// The inputs of a pipeline file: its `source`, or its `sources` and what must hold among them so that one
// chain can take the records of all. Never opens anything.

import { z } from "zod";
import type { ColumnType } from "../../operators/sdk/index.ts";
import { limits } from "../limits.ts";
import type { Span } from "./document.ts";
import { type InputSpec, type Path, sourceColumn } from "./pipeline.ts";
import type { Reader } from "./section.ts";
import { readSource } from "./source-spec.ts";
import { namedTokens } from "./subject.ts";

export const sourceNamePattern: RegExp = /^[a-z0-9_-]{1,64}$/;

const sourceName = z
  .string()
  .regex(sourceNamePattern, "a source's name is lower-case letters, digits, - and _, at most 64");

/** Each source is read for itself, so that its mistakes are told with it. */
const names = z
  .record(sourceName, z.unknown())
  .refine(
    (sources) => Object.keys(sources).length >= 2,
    "expected two or more sources; write a single one under source",
  )
  .refine(
    (sources) => Object.keys(sources).length <= limits.sources_max,
    `expected at most ${limits.sources_max} sources`,
  );

/** Reads `source` or `sources`; undefined, and reported, when they cannot be used. */
export function readInputs(reader: Reader): readonly InputSpec[] | undefined {
  const { document } = reader;
  const several = document.valueAt(["sources"]);
  if (several === undefined) {
    if (document.valueAt(["source"]) === undefined) {
      const hint = "say where records come from, as in source: { nats: { subject: sensors.temp } }";
      reader.missing("source", hint);
      return undefined;
    }
    const input = readSource(reader, ["source"]);
    return input === undefined ? undefined : [input];
  }
  if (document.valueAt(["source"]) !== undefined) {
    reader.keyFault(["sources"], "sources stands beside source", "keep one of them");
    return undefined;
  }
  if (isOneSource(several)) {
    const hint = "write source: for one; of several, each stands under a name of its own";
    reader.keyFault(["sources"], "sources holds the settings of one source", hint);
    return undefined;
  }
  const read = reader.parse(names, ["sources"]);
  if (read === undefined) return undefined;
  const before = reader.mistakes;
  const inputs = Object.keys(read).map((name) => readSource(reader, ["sources", name]));
  const whole = inputs.filter((each) => each !== undefined);
  for (const input of whole) {
    checkSchema(reader, input);
    checkPer(reader, input);
  }
  checkTimes(reader, whole);
  checkColumns(reader, whole);
  return reader.mistakes > before ? undefined : whole;
}

/** What is written as `sources` and meant as `source`: a kind of source that has settings of such a kind. */
function isOneSource(written: unknown): boolean {
  if (typeof written !== "object" || written === null) return false;
  const { nats, file, host } = written as Readonly<Record<string, unknown>>;
  const hasSetting = (kind: unknown, setting: string): boolean =>
    typeof kind === "object" && kind !== null && Object.hasOwn(kind, setting);
  return hasSetting(nats, "subject") || hasSetting(file, "path") || hasSetting(host, "every");
}

function checkSchema(reader: Reader, { name, path, schema }: InputSpec): void {
  if (schema !== null) return;
  const hint = "with several sources, each says what fields it has: schema: { ts: time, value: float64 }";
  reader.keyFault(path, `${name} declares no schema`, hint);
}

/** Event time and processing time do not mix: a watermark is of one or the other. */
function checkTimes(reader: Reader, inputs: readonly InputSpec[]): void {
  const timed = inputs.find(({ time }) => time !== null);
  if (timed === undefined) return;
  for (const { name, path, time } of inputs) {
    if (time !== null) continue;
    const hint = "give each source time with its field, or none";
    reader.keyFault(path, `${name} has no time field, and ${timed.name} has one`, hint);
  }
}

/** Keys have times of their own within one source; how two of them would meet is not told. */
function checkPer(reader: Reader, { path, time }: InputSpec): void {
  if (time === null || time.per === null) return;
  const hint = "remove it; the source that is furthest behind decides how far time has come";
  reader.keyFault([...path, "time", "per"], "per belongs to a pipeline with one source", hint);
}

interface InputColumn {
  readonly name: string;
  readonly type: ColumnType;
  readonly where: Span;
}

/** One column, one type, in whichever source it is. */
function checkColumns(reader: Reader, inputs: readonly InputSpec[]): void {
  const first = new Map<string, InputColumn & { readonly input: string }>();
  for (const input of inputs) {
    for (const column of columnsOf(reader, input)) {
      const { name, type, where } = column;
      const known = first.get(name);
      if (name === sourceColumn) {
        const message = `${sourceColumn} is the column that holds the source's name`;
        reader.at(where, message, "give the field another name");
      } else if (known === undefined) first.set(name, { ...column, input: input.name });
      else if (known.type !== type) {
        const { line, column: at } = reader.document.lines.place(known.where.start);
        const message = `${name} is ${type} here, and ${known.type} in ${known.input} at ${line}:${at}`;
        reader.at(where, message, "a column has one type in all sources");
      }
    }
  }
}

/** The columns that a source has, each with the place that says so. */
function columnsOf({ document }: Reader, { path, source, schema, time }: InputSpec): readonly InputColumn[] {
  const at = (within: Path): Span => document.spanOf([...path, ...within]);
  const columns = Object.entries(schema ?? {}).map(
    ([name, type]): InputColumn => ({ name, type, where: at(["schema", name]) }),
  );
  if (time !== null && !columns.some(({ name }) => name === time.field))
    columns.push({ name: time.field, type: "time", where: at(["time", "field"]) });
  if (source.kind !== "nats") return columns;
  for (const { name } of namedTokens(source.subject)) {
    const start = source.subject.indexOf(`{${name}}`);
    const where = document.spanWithin([...path, "nats", "subject"], start, start + name.length + 2);
    columns.push({ name, type: "string", where });
  }
  return columns;
}
