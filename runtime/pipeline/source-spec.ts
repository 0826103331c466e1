// The source of a pipeline file: where records come from, in what format, with which fields and which
// time. Never opens anything.

import { z } from "zod";
import { type ColumnType, columnTypes, field } from "../../operators/sdk/index.ts";
import { type Format, formats, lineFormats, timeUnits } from "../codec/codec.ts";
import { type Framing, framings, framingsOf } from "../codec/framing.ts";
import { limits } from "../limits.ts";
import { warnOfListFields } from "./list-fields.ts";
import { choiceOf, didYouMean } from "./nearest.ts";
import type { InputSpec, JournalSpec, Path, SourceSpec, TimeSpec } from "./pipeline.ts";
import { filePath } from "./path-setting.ts";
import { messageSchema, protoSetting, readMessage } from "./proto-spec.ts";
import { onlyOne, type Reader } from "./section.ts";
import { namedTokens } from "./subject.ts";

export const connectionName: z.ZodType<string, string> = z
  .string()
  .regex(/^[a-z0-9_-]{1,64}$/, "a connection's name is lower-case letters, digits, - and _, at most 64")
  .meta({ description: "A connection named in the device's weir.yaml." });

/** JetStream's own rule for the names of streams and consumers. */
export const jetstreamName: z.ZodType<string, string> = z
  .string()
  .regex(/^[^\s.*>/\\]{1,255}$/, "a stream's or consumer's name holds no space, dot, slash or wildcard");

export const hostSensors = ["cpu", "load", "memory", "disk", "network", "temperature"] as const;

/** The records that the host source makes. */
export const hostSchema: Readonly<Record<string, ColumnType>> = {
  sensor: "string",
  name: "string",
  ts: "time",
  value: "float64",
  unit: "string",
};

const journal = z.strictObject({
  bytes: field
    .size("What it may take on the disk; then `overflow` says what goes.")
    .refine(
      (bytes) => bytes >= limits.journal_bytes_min,
      `is at least ${limits.journal_bytes_min / 1_048_576}MiB`,
    )
    .default(limits.journal_bytes_default),
  age: field
    .duration("How long it keeps records that the worker has not read.")
    .refine((age) => age >= 1_000, "is at least 1s")
    .default(limits.journal_age_ms_default),
  sequence: z.string().min(1).max(limits.field_name_length_max).nullable().default(null).meta({
    description:
      "A field of json in which publishers number their records, by subject: numbers that never come are counted as `missing`.",
  }),
});

const natsSource = z
  .strictObject({
    subject: z
      .string()
      .min(1)
      .meta({
        description:
          "Subject to read. `*` and `>` are wildcards; a named token such as `{site}` becomes a text column.",
        examples: ["sensors.{site}.{device}.temp"],
      }),
    stream: jetstreamName
      .optional()
      .meta({ description: "JetStream stream to read from; without it, core NATS." }),
    consumer: jetstreamName
      .optional()
      .meta({ description: "Durable consumer of the stream; named after the pipeline when left out." }),
    to: connectionName.default("default"),
    overflow: z.enum(["drop_oldest", "drop_newest"]).optional().meta({
      description:
        "Which record core NATS loses when weir falls behind; default drop_oldest. Each is counted.",
    }),
    journal: z
      .union([z.literal(true), journal])
      .optional()
      .meta({
        description:
          "A small process of its own writes what core NATS sends to the state folder, so that an end of the worker loses none of it. `true`, or how much it keeps.",
        examples: [true, { bytes: "256MiB", age: "6h" }],
      }),
  })
  .meta({ description: "Reads messages from NATS." });

const fileSource = z
  .strictObject({
    path: filePath
      .refine(
        (path) => !path.includes("*"),
        "a source reads one file, not those of a pattern: weir feed FILE puts each onto subjects, which nats reads",
      )
      .meta({
        description:
          "File to read, relative to the pipeline's file: one, from its beginning to its end; then the source has ended.",
      }),
    rate: field.number({ min: 0.001 }, "Records a second; as fast as possible when left out.").optional(),
    speed: field.number({ min: 0.001 }, "Replays the file's own time, this many times as fast.").optional(),
  })
  .meta({ description: "Reads records from a file." });

const hostSource = z
  .strictObject({
    every: field
      .duration("How often to measure.")
      .refine(
        (every) => every >= limits.host_every_ms_min,
        `measures at most every ${limits.host_every_ms_min}ms`,
      ),
    sensors: z
      .array(z.enum(hostSensors))
      .min(1)
      .default([...hostSensors])
      .meta({ description: "What to measure; everything when left out." }),
  })
  .meta({ description: "Measures the machine itself." });

const time = z
  .strictObject({
    field: z.string().min(1).optional().meta({ description: "The field that holds the event's time." }),
    unit: z.enum(timeUnits).default("ms").meta({
      description:
        "What the field is written in: `iso` is text such as 2026-01-31T12:00:00Z, with its zone; the others count from 1970.",
    }),
    lateness: field
      .duration("How late a record may come, by its own time, and still be in its window; 0s when left out.")
      .default(0),
    idle: field
      .duration("A source silent for so long no longer holds windows open; when left out, it does for ever.")
      .refine(
        (idle) => idle > 0,
        "a source is idle after some silence: write a longer time, or leave idle out",
      )
      .optional(),
    ahead: field
      .duration(
        `A record further ahead of the clock goes to the dead letter; ${limits.ahead_ms_default / 60_000}m when left out.`,
      )
      .default(limits.ahead_ms_default),
    per: z.string().min(1).optional().meta({
      description:
        "Column whose every value has a time of its own, such as `device`: one that comes back with what it stored is late for nobody.",
    }),
  })
  .meta({ description: "Event time; processing time is used when left out." });

const fieldName = z
  .string()
  .min(1)
  .max(limits.field_name_length_max)
  .regex(/^[^{}]+$/, "a field's name holds no braces");

const settings = z
  .strictObject({
    nats: natsSource.optional(),
    file: fileSource.optional(),
    host: hostSource.optional(),
    format: z.enum(formats).optional().meta({
      description:
        "What a record is written in; json when left out, or by the file's ending. A file of csv begins with the names of its columns; a message of csv does not name them: they are those of `schema`, in its order. A record of csv is one line in a file and with `framing: lines`: line ends inside quotes are not read there, and what stands between them may be taken for a record of its own.",
    }),
    proto: protoSetting,
    framing: z.enum(framings).optional().meta({
      description:
        "How many records a message of NATS holds: one (`message`, the default), `lines` of json or csv, the elements of a json `array`, msgpack `values` one after the other, the rows that a sink with `delivery: lane` packs (`lane`), a pack of SenML in JSON (`senml`, RFC 8428), or lines of InfluxDB (`influx`), as Telegraf publishes them. Of such a line there are the fields `measurement` and `time` (`time: { field: time, unit: ns }`), and its tags and fields by their names. Each record of a pack of SenML says all: `n` is its whole name, `t` its time (`time: { field: t, unit: s }`), `u` its unit, and `v`, `vs`, `vb` or `vd` its value; times that are relative count from when the message came.",
    }),
    schema: z.record(fieldName, z.enum(columnTypes)).optional().meta({
      description:
        "Types of the fields; inferred from use when left out. `state.temperature` is a field within a field; elements of a list have no such names (`framing: array` is for a message that is a list as a whole). A name that is read and stands twice in a record has no value that anybody knows: the record goes to the dead letter. Records may hold further fields. A value of another type sends its record to the dead letter, unless nothing uses the field (`weir explain` lists what is decoded): then it passes as it came. A number that is written as text is read as string, and `double(x)` makes one of it. float64 holds whole numbers of 15 digits exactly, and is what sums, means and fractions are of: int64 is for longer ones.",
    }),
    time: time.optional(),
  })
  .meta({ description: "Where records come from." });

type Settings = z.output<typeof settings>;

/** The setting `source` and each of `sources`, for the editors' schema. */
export const sourceSetting: z.ZodType = settings;

/** Reads the source at `path`; undefined, and reported, when it cannot be used. */
export function readSource(reader: Reader, path: Path): InputSpec | undefined {
  const read = reader.parse(settings, path);
  if (read === undefined) return undefined;
  const before = reader.mistakes;
  const kind = onlyOne(reader, path, read, ["nats", "file", "host"]);
  const source = kind === null ? null : sourceOf(reader, path, read);
  const format = formatOf(reader, path, read);
  const framing = framingOf(reader, path, read, format);
  const { schema, host } = read;
  if (source?.kind === "nats" && source.journal?.sequence != null && format !== "json")
    reader.fault(
      [...path, "nats", "journal", "sequence"],
      `no numbers are read from ${format}`,
      "remove sequence",
    );
  const message = readMessage(reader, path, { format, proto: read.proto });
  // Of a host, formatOf refuses all but json.
  if (read.file !== undefined && !lineFormats.includes(format))
    reader.fault(
      [...path, "format"],
      `${format} has no line ends, so it is read from nats only`,
      "write them as json",
    );
  if (host !== undefined && schema !== undefined) {
    reader.keyFault(
      [...path, "schema"],
      "the fields of host are known",
      `remove it; they are ${Object.keys(hostSchema).join(", ")}`,
    );
  }
  if (format === "csv" && source?.kind === "nats" && schema === undefined) {
    const hint = "declare them in their order: schema: { device: string, temp: float64 }";
    reader.keyFault([...path, "format"], "no message of csv names its columns", hint);
  }
  warnOfListFields(reader, path, Object.keys(schema ?? {}));
  const timeSpec = timeOf(reader, path, read);
  if (reader.mistakes > before || source === null) return undefined;
  return {
    name: String(path.at(-1)),
    path,
    source,
    format,
    framing,
    message,
    schema:
      message !== null
        ? messageSchema(reader, path, message, schema, read.time?.field)
        : host === undefined
          ? (schema ?? null)
          : hostSchema,
    time: timeSpec,
  };
}

function sourceOf(
  reader: Reader,
  path: Path,
  { nats, file, host, schema, time }: Settings,
): SourceSpec | null {
  if (nats !== undefined) {
    if (reader.subject(nats.subject, "source", [...path, "nats", "subject"]))
      checkTokens(reader, [...path, "nats", "subject"], nats.subject, schema, time?.field);
    if (nats.consumer !== undefined && nats.stream === undefined) {
      reader.keyFault([...path, "nats", "consumer"], "a consumer belongs to a stream", "add stream");
    }
    if (nats.overflow !== undefined && nats.stream !== undefined) {
      reader.keyFault(
        [...path, "nats", "overflow"],
        "a stream waits and never overflows",
        "remove overflow, or stream",
      );
    }
    if (nats.journal !== undefined && nats.stream !== undefined) {
      reader.keyFault(
        [...path, "nats", "journal"],
        "a stream keeps its messages itself",
        "remove journal, or stream",
      );
    }
    return {
      kind: "nats",
      to: nats.to,
      subject: nats.subject,
      stream: nats.stream ?? null,
      consumer: nats.consumer ?? null,
      overflow: nats.overflow ?? "drop_oldest",
      journal: journalOf(nats.journal),
      partition: null,
    };
  }
  if (file !== undefined) {
    if (file.speed !== undefined && file.rate !== undefined) {
      reader.keyFault([...path, "file", "speed"], "speed stands beside rate", "keep one of them");
    }
    if (file.speed !== undefined && time?.field === undefined) {
      reader.keyFault([...path, "file", "speed"], "speed needs the file's own time", "add time with field");
    }
    return { kind: "file", path: file.path, rate: file.rate ?? null, speed: file.speed ?? null };
  }
  return host === undefined ? null : { kind: "host", every: host.every, sensors: host.sensors };
}

function journalOf(setting: true | z.output<typeof journal> | undefined): JournalSpec | null {
  if (setting === undefined) return null;
  return setting === true ? journal.parse({}) : setting;
}

/** A column has one origin: a token of the subject cannot share its name with a field. */
function checkTokens(
  reader: Reader,
  path: Path,
  subject: string,
  schema: Settings["schema"],
  timeField: string | undefined,
): void {
  for (const { name } of namedTokens(subject)) {
    const start = subject.indexOf(`{${name}}`);
    const span = reader.document.spanWithin(path, start, start + name.length + 2);
    if (schema !== undefined && Object.hasOwn(schema, name)) {
      reader.at(span, `${name} is a field of the schema as well`, "give the token another name");
    } else if (name === timeField) {
      reader.at(span, `${name} is the time field; a token is text`, "give the token another name");
    }
  }
}

const formatByEnding: Readonly<Record<string, Format>> = {
  ndjson: "json",
  jsonl: "json",
  json: "json",
  csv: "csv",
};

function formatOf(reader: Reader, path: Path, { file, host, format }: Settings): Format {
  if (host !== undefined && format !== undefined && format !== "json") {
    reader.fault([...path, "format"], `the format of host is json, not ${format}`, "remove format");
  }
  if (format !== undefined || file === undefined) return format ?? "json";
  const ending = /\.([^./\\]+)$/.exec(file.path)?.[1]?.toLowerCase() ?? "";
  const known = formatByEnding[ending];
  if (known === undefined) {
    reader.fault(
      [...path, "file", "path"],
      `the format of ${file.path} does not show in its name`,
      `add format: ${lineFormats.join(", ")}`,
    );
  }
  return known ?? "json";
}

function framingOf(reader: Reader, path: Path, { nats, framing }: Settings, format: Format): Framing {
  if (framing === undefined) return "message";
  const allowed = framingsOf[format];
  if (nats === undefined) {
    reader.fault([...path, "framing"], "framing is for messages of nats", "remove framing");
  } else if (!allowed.includes(framing)) {
    const hint = `${format} has ${allowed.join(", ")}`;
    reader.fault([...path, "framing"], `a message cannot hold ${framing} of ${format}`, hint);
  }
  return framing;
}

/** The schema may leave the time out. Where it names another, or all columns there are, it is a mistake. */
function checkUnnamedTime(
  reader: Reader,
  path: Path,
  name: string,
  schema: Readonly<Record<string, ColumnType>>,
): void {
  const times = Object.keys(schema).filter((each) => schema[each] === "time");
  const near = didYouMean(name, times);
  const message = `the schema has no field ${name}`;
  const at = [...path, "time", "field"];
  const isCsv = reader.document.valueAt([...path, "format"]) === "csv";
  if (near?.startsWith("did you mean") === true) reader.fault(at, message, near);
  else if (isCsv && reader.document.valueAt([...path, "nats"]) !== undefined)
    reader.fault(at, message, "it names the columns of a message of csv: add the time where it stands");
  else if (times.length > 0) {
    const hint = `write ${choiceOf(times)}; or, where records hold ${name} as well, add it: ${name}: time`;
    const { document, diagnostics } = reader;
    diagnostics.push(document.diagnostic(document.spanOf(at), message, hint, "warning"));
  }
}

function timeOf(reader: Reader, path: Path, { host, time, schema }: Settings): TimeSpec | null {
  if (time === undefined) {
    return host === undefined
      ? null
      : { field: "ts", unit: "ms", lateness: 0, idle: null, ahead: limits.ahead_ms_default, per: null };
  }
  const { unit, lateness, idle, ahead, per } = time;
  if (host !== undefined && (time.field ?? "ts") !== "ts")
    reader.fault([...path, "time", "field"], "the time of host is in ts", "remove field");
  if (host !== undefined && unit !== "ms")
    reader.fault([...path, "time", "unit"], "the time of host is in ms", "remove unit");
  if (host === undefined && time.field === undefined)
    reader.keyFault([...path, "time"], "field is missing", "name the field that holds the time");
  const name = time.field ?? "ts";
  const declared = schema !== undefined && Object.hasOwn(schema, name) ? schema[name] : undefined;
  if (declared !== undefined && declared !== "time") {
    const hint = `declare ${name}: time, and say what it is written in with unit`;
    reader.fault(
      [...path, "schema", name],
      `${name} is the time field and must be of type time, not ${declared}`,
      hint,
    );
  } else if (declared === undefined && schema !== undefined) {
    checkUnnamedTime(reader, path, name, schema);
  }
  return { field: name, unit, lateness, idle: idle ?? null, ahead, per: per ?? null };
}
