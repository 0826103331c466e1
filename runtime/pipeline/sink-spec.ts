// A sink of a pipeline file: where rows go and in what format. Never opens anything.

import { z } from "zod";
import { field } from "../../operators/sdk/index.ts";
import { type Format, formats, lineFormats } from "../codec/codec.ts";
import type { ProtoMessage } from "../codec/protobuf/message.ts";
import { limits } from "../limits.ts";
import { filePath } from "./path-setting.ts";
import { deliveries, type Delivery, type Path, type SinkSpec } from "./pipeline.ts";
import { protoSetting, readMessage } from "./proto-spec.ts";
import { onlyOne, type Reader } from "./section.ts";
import { connectionName, jetstreamName } from "./source-spec.ts";

export interface SinkPart {
  readonly sink: SinkSpec;
  readonly format: Format;
  readonly message: ProtoMessage | null;
}

const kinds = {
  nats: z
    .strictObject({
      subject: z
        .string()
        .min(1)
        .meta({
          description: "Subject to publish to; `{column}` is replaced by the row's value.",
          examples: ["cloud.reefer.{device}"],
        }),
      stream: jetstreamName
        .optional()
        .meta({ description: "JetStream stream that must confirm each row; without it, core NATS." }),
      to: connectionName.default("default"),
      delivery: z.enum(deliveries).optional().meta({
        description:
          "How the stream comes to have each row once, where the device has a state folder. exclusive (the default): nobody else writes to the stream. subject: others may, on other subjects. lane: many rows in one message on a subject of the host's own, `up.HOST.PIPELINE.live`, or `up.fleet.PIPELINE.live` of a pipeline that goes from host to host. bucket: `stream` is the name of a key-value bucket, without the KV_ of its stream, and the subject a key. message_id: by the id of each row, within the stream's duplicate window. A work queue, or a stream by interest, takes exclusive or message_id only: rows that its readers take away tell nothing of how far it is.",
      }),
      lane: z.enum(["alarm", "live"]).default("live").meta({
        description: "Rows of `alarm` are sent before all others that wait for the same connection.",
      }),
    })
    .optional()
    .meta({ description: "Publishes each row to NATS." }),
  file: z
    .strictObject({
      path: filePath.meta({ description: "File to append to, relative to the pipeline's file." }),
    })
    .optional()
    .meta({ description: "Appends each row to a file." }),
  stdout: z
    .strictObject({})
    .optional()
    .meta({ description: "Writes each row to standard output: `stdout: {}`." }),
};

const nothing = z
  .strictObject({})
  .optional()
  .meta({ description: "For trials: counts rows as sent and drops them, unwritten: `nothing: {}`." });

const batch = z
  .strictObject({
    rows: z
      .int()
      .min(2)
      .max(limits.sink_queue_rows_max)
      .default(limits.sink_batch_rows_default)
      .meta({ description: "The most rows of one message." }),
    bytes: field
      .size("The most bytes of one message; 256KiB when left out.")
      .default(limits.sink_batch_bytes_default)
      .refine(
        (bytes) => bytes <= limits.payload_bytes_max,
        `a message holds at most ${limits.payload_bytes_max} bytes`,
      ),
    wait: field
      .duration(
        "How long a row may wait for others; 1s when left out. A commit, ten times a second, waits for none.",
      )
      .default(limits.sink_batch_wait_ms_default),
  })
  .meta({
    description:
      "Sends several rows of one subject in one message of NATS: json and csv as lines, msgpack as values one after the other.",
  });

const settings = z
  .strictObject({
    ...kinds,
    nothing,
    format: z.enum(formats).default("json").meta({
      description:
        "What a row is written in. In csv null is an empty cell and an empty text a quoted one; a row whose only column is null is an empty line, which readers of csv leave out. A text with a line end stands in quotes, over more than one line: a csv source of weir does not read that, json does.",
    }),
    proto: protoSetting,
    batch: batch.optional(),
  })
  .meta({ description: "Where rows go; ends a branch." });

const deadLetter = z
  .strictObject(kinds)
  .meta({ description: "Where records go that cannot be used, with the reason and their original bytes." });

/** The settings `sink` and `dead_letter`, for the editors' schema. */
export const sinkSetting: z.ZodType = settings;
export const deadLetterSetting: z.ZodType = deadLetter;

/** Reads the sink at `path`; undefined, and reported, when it cannot be used. */
export function readSink(reader: Reader, path: Path): SinkPart | undefined {
  const read = reader.parse(settings, path);
  if (read === undefined) return undefined;
  const sink = sinkOf(reader, path, read, "sink");
  const message = readMessage(reader, path, read);
  const isLines = read.file !== undefined || read.stdout !== undefined;
  if (
    read.nats === undefined &&
    !lineFormats.includes(read.format) &&
    (isLines || read.format === "protobuf")
  )
    reader.fault(
      [...path, "format"],
      `${read.format} has no line ends, so it is sent to nats only`,
      "write json or csv",
    );
  if (sink === undefined) return undefined;
  const batched = batchOf(reader, path, read, sink);
  return batched === undefined ? undefined : { sink: batched, format: read.format, message };
}

/** Why rows that are delivered so are not put together before. */
const rowsAlone: Readonly<Partial<Record<Delivery, string>>> = {
  bucket: "the value of a key is one row",
  lane: "a lane packs rows by itself",
};

/** The sink with its batches; undefined, and reported, where rows cannot share a message. */
function batchOf(
  reader: Reader,
  path: Path,
  { batch: read, format }: z.output<typeof settings>,
  sink: SinkSpec,
): SinkSpec | undefined {
  if (read === undefined) return sink;
  const alone = sink.kind === "nats" ? rowsAlone[sink.delivery ?? "exclusive"] : undefined;
  if (sink.kind === "nats" && format !== "protobuf" && alone === undefined) return { ...sink, batch: read };
  const fault =
    alone ??
    (sink.kind === "nats"
      ? "protobuf does not tell where a record ends, so a message holds one"
      : "batch is for messages of nats");
  reader.keyFault([...path, "batch"], fault, "remove batch");
  return undefined;
}

export function readDeadLetter(reader: Reader): SinkSpec | undefined {
  const path = ["dead_letter"];
  const read = reader.parse(deadLetter, path);
  return read === undefined ? undefined : sinkOf(reader, path, read, "fixed");
}

function sinkOf(
  reader: Reader,
  path: Path,
  settings: z.output<typeof deadLetter> & { readonly nothing?: object | undefined },
  role: "sink" | "fixed",
): SinkSpec | undefined {
  const choice = [...Object.keys(kinds), ...(role === "sink" ? ["nothing"] : [])];
  const kind = onlyOne(reader, path, settings, choice);
  if (kind === null) return undefined;
  if (kind === "nothing") return { kind };
  const { nats, file } = settings;
  if (file !== undefined) return { kind: "file", path: file.path };
  if (nats === undefined) return { kind: "stdout" };
  if (!reader.subject(nats.subject, role, [...path, "nats", "subject"])) return undefined;
  const { to, subject, stream = null, lane } = nats;
  if (stream === null && nats.delivery !== undefined) {
    const message = "delivery is for a stream: core NATS cannot tell what it has";
    reader.keyFault([...path, "nats", "delivery"], message, "name the stream, or remove delivery");
    return undefined;
  }
  const delivery = stream === null ? null : (nats.delivery ?? "exclusive");
  return { kind: "nats", to, subject, stream, delivery, batch: null, lane };
}
