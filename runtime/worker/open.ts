// A plan's source and sinks as connectors. The one place that knows every kind of both.

import { dirname, resolve } from "node:path";
import type { Clock } from "../clock.ts";
import { csvHeader } from "../codec/csv/encoder.ts";
import { readCsvHeader } from "../codec/csv/header.ts";
import type { FieldRead, Format } from "../codec/codec.ts";
import { createDecoder } from "../codec/formats.ts";
import { batchSink } from "../connect/batch-sink.ts";
import type { Sink, Source } from "../connect/connect.ts";
import { fileSink } from "../connect/file-sink.ts";
import { type FileSource, fileSource } from "../connect/file-source.ts";
import type { HostSensor } from "../connect/host-sampler.ts";
import { hostSource } from "../connect/host-source.ts";
import { jetstreamSink } from "../connect/jetstream-sink.ts";
import { jetstreamSource } from "../connect/jetstream-source.ts";
import type { NatsLink } from "../connect/nats-connection.ts";
import { natsSink } from "../connect/nats-sink.ts";
import { natsSource } from "../connect/nats-source.ts";
import { journalSource } from "../connect/journal/journal-source.ts";
import { stdoutSink } from "../connect/stdout-sink.ts";
import { WeirError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Log } from "../log.ts";
import type { Plain } from "../state/plain.ts";
import type { BranchPlan, InputSpec, PipelinePlan, SinkSpec, SourceSpec } from "../pipeline/pipeline.ts";
import { streamSubjectOf, subscriptionOf } from "../pipeline/subject.ts";
import { FileDisk } from "../state/log/file-disk.ts";
import { warnOfUnread } from "./beyond-partitions.ts";
import { journalFolder } from "./ingest-plan.ts";
import type { Links } from "./connections.ts";
import { joinedName } from "./state-folders.ts";

export interface Surroundings {
  readonly connections: Links;
  readonly clock: Clock;
  readonly log: Log;
  /** By connection and stream, the subjects that this worker publishes to it. */
  readonly subjects: ReadonlyMap<string, readonly string[]>;
  /** Rejects once the worker was told to stop: what waits for a stream to be made waits no longer. */
  readonly stopped?: Promise<never>;
  /** Told when nobody reads standard output any more. */
  readonly readerGone?: (() => void) | undefined;
}

/** Where journals are, for a worker whose state outlives it. */
export interface JournalHome {
  /** The folder of all state. */
  readonly state: string;
  /** The folder in it of the pipelines that share the source. */
  readonly group: string;
}

export interface OpenedSource {
  readonly source: Source;
  /** The column names of a CSV source; null for other formats. */
  readonly header: readonly string[] | null;
}

/** A committed position to go on behind; null where there is none yet; absent where nobody keeps positions. */
type Resume = Plain | null | undefined;

/** Where a source begins. */
export interface Beginning {
  readonly resume?: Resume;
  readonly journals?: JournalHome | null;
  /** Where there is no position: with the oldest record that is kept (default), or with the next one. */
  readonly start?: "all" | "new";
}

type FileSpec = Extract<SourceSpec, { kind: "file" }>;
type NatsSpec = Extract<SourceSpec, { kind: "nats" }>;

/** Paths in a pipeline file are relative to it. */
export function pathOf(plan: PipelinePlan, path: string): string {
  return resolve(dirname(plan.spec.file), path);
}

async function openFile(
  plans: readonly PipelinePlan[],
  input: InputSpec,
  spec: FileSpec,
  { clock, log }: Surroundings,
  resume: Resume,
): Promise<OpenedSource> {
  const csv = input.format === "csv";
  let timeOf: ((line: Uint8Array) => number | null) | undefined;
  const source = fileSource({
    path: pathOf(plans[0]!, spec.path),
    format: csv ? "csv" : "lines",
    log,
    clock,
    ...(spec.rate === null ? {} : { rate: spec.rate }),
    ...(spec.speed === null ? {} : { speed: spec.speed, timeOf: (line) => timeOf?.(line) ?? null }),
  });
  await source.open(resume);
  const header = csv ? await headerIn(source, spec.path, fieldsRead(plans, input)) : null;
  if (spec.speed !== null) timeOf = timeReader(input, header);
  return { source, header };
}

/** The names of what pipelines read of a source's records. */
export function fieldsRead(plans: readonly PipelinePlan[], { name }: InputSpec): readonly string[] {
  const read = plans.flatMap(({ inputs }) => inputs.filter(({ spec }) => spec.name === name));
  return [...new Set(read.flatMap(({ fields }) => fields.map((field) => field.name)))];
}

/** The columns that a CSV file names; a file without any that is read is closed again. */
export async function headerIn(
  source: FileSource,
  path: string,
  fields: readonly string[],
): Promise<readonly string[]> {
  try {
    return readCsvHeader(source.header, path, fields);
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** Reads the time field alone, for a replay in the file's own time. */
function timeReader(
  { time, format }: InputSpec,
  header: readonly string[] | null,
): (line: Uint8Array) => number | null {
  if (time === null) return () => null;
  const field: FieldRead = { name: time.field, type: "time", unit: time.unit };
  const decoder = createDecoder(format, [field], { header: header ?? [] });
  return (line) => {
    const { columns } = decoder.decode({ bytes: line, offsets: Uint32Array.of(0, line.length), count: 1 });
    const column = columns[0]!;
    return column.valid !== null && column.valid[0] === 0 ? null : Number(column.values[0]);
  };
}

/**
 * The durable consumer of pipelines that share a stream, or of the source named `source` where a pipeline
 * has several, where the file names none: it belongs to these pipelines, so that a restart of them goes
 * on where they were.
 */
export function consumerName(plans: readonly PipelinePlan[], source: string | null = null): string {
  const pipelines = plans.map(({ name }) => name);
  const longest = limits.consumer_name_length_max - (source === null ? 0 : source.length + 1);
  const joined = joinedName(pipelines, longest);
  return source === null ? joined : `${source}@${joined}`;
}

async function openNats(
  plans: readonly PipelinePlan[],
  input: InputSpec,
  spec: NatsSpec,
  surroundings: Surroundings,
  { resume, journals = null, start = "all" }: Beginning,
): Promise<OpenedSource> {
  const source = await natsOrStream(plans, input, spec, surroundings, { journals, start });
  await openedUnless(surroundings.stopped, source, resume);
  const count = plans[0]!.spec.placement.partitions;
  if (spec.partition === 0 && spec.stream !== null && count !== null) {
    const { stream, subject, to } = spec;
    const link = await surroundings.connections.link(to);
    void warnOfUnread(link, { stream, subject, count }, surroundings.log, surroundings.clock);
  }
  // No message names its columns: they are those of the schema, in its order.
  return { source, header: input.format === "csv" ? Object.keys(input.schema ?? {}) : null };
}

/** Opens a source that may have to wait; it is closed where the wait is given up. */
async function openedUnless(
  stopped: Promise<never> | undefined,
  source: Source,
  resume: Beginning["resume"],
): Promise<void> {
  if (stopped === undefined) return source.open(resume);
  let waits = true;
  stopped.catch(() => (waits ? source.close() : undefined));
  try {
    await Promise.race([source.open(resume), stopped]);
  } finally {
    waits = false;
  }
}

async function natsOrStream(
  plans: readonly PipelinePlan[],
  input: InputSpec,
  spec: NatsSpec,
  { connections, clock, log }: Surroundings,
  { journals, start }: Required<Pick<Beginning, "journals" | "start">>,
): Promise<Source> {
  const subject = subscriptionOf(spec.subject, spec.partition);
  const { stream, overflow } = spec;
  const { framing } = input;
  if (spec.journal !== null) return openJournal(input, subject, { clock, log }, journals);
  const link = await connections.link(spec.to);
  if (stream === null) return natsSource({ link, subject, overflow, framing, log, clock });
  const consumer = spec.consumer ?? consumerName(plans, plans[0]!.inputs.length === 1 ? null : input.name);
  return jetstreamSource({ link, subject, stream, consumer, start, framing, log, clock });
}

/** Another process has the subscription, and writes what this one reads. */
async function openJournal(
  input: InputSpec,
  subject: string,
  { clock, log }: Pick<Surroundings, "clock" | "log">,
  journals: JournalHome | null,
): Promise<Source> {
  if (journals === null) {
    throw new WeirError("WEIR_CONFIG", `source ${subject}: a journal needs a state folder to be in`, {
      remedy: "give the device one in weir.yaml (state: …) or by WEIR_STATE, or remove journal",
    });
  }
  const disk = await FileDisk.open(journalFolder(journals.state, journals.group, input.name));
  return journalSource({ disk, name: `source ${subject}`, log, clock });
}

/** Opens a source that the plans share, behind its position where one is kept. */
export async function openSource(
  plans: readonly PipelinePlan[],
  input: InputSpec,
  surroundings: Surroundings,
  beginning: Beginning = {},
): Promise<OpenedSource> {
  const { resume } = beginning;
  const { source: spec } = input;
  if (spec.kind === "file") return openFile(plans, input, spec, surroundings, resume);
  if (spec.kind === "nats") return openNats(plans, input, spec, surroundings, beginning);
  const source = hostSource({
    every: spec.every,
    sensors: spec.sensors as readonly HostSensor[],
    clock: surroundings.clock,
  });
  await source.open(resume);
  return { source, header: null };
}

/** Names a stream of a connection. */
export function streamKey(to: string, stream: string): string {
  return `${to} ${stream}`;
}

/** What the plans of a worker publish to each stream: one stream may take rows of several pipelines. */
export function publishedSubjects(plans: readonly PipelinePlan[]): ReadonlyMap<string, readonly string[]> {
  const subjects = new Map<string, string[]>();
  for (const { branches, spec } of plans) {
    const sinks = [
      ...branches.map(({ sink }) => sink),
      ...(spec.deadLetter === null ? [] : [spec.deadLetter.sink]),
    ];
    for (const sink of sinks) {
      if (sink.kind !== "nats" || sink.stream === null) continue;
      const key = streamKey(sink.to, sink.stream);
      const subject = streamSubjectOf(sink.subject);
      const known = subjects.get(key) ?? [];
      if (!known.includes(subject)) subjects.set(key, [...known, subject]);
    }
  }
  return subjects;
}

/** A sink whose rows go somewhere. */
export type RowSink = Exclude<SinkSpec, { kind: "nothing" }>;

/** Opens a sink; `branch` is null for the dead letter. */
export async function openSink(
  spec: RowSink,
  plan: PipelinePlan,
  branch: BranchPlan | null,
  surroundings: Surroundings,
): Promise<Sink> {
  const sink = await makeSink(spec, plan, branch, surroundings);
  await sink.open();
  return sink;
}

async function makeSink(
  spec: RowSink,
  plan: PipelinePlan,
  branch: BranchPlan | null,
  surroundings: Surroundings,
): Promise<Sink> {
  const { connections, clock, log } = surroundings;
  const header = branch?.format === "csv" ? { header: csvHeader(branch.rows) } : {};
  if (spec.kind === "stdout") return stdoutSink({ ...header, onEnd: surroundings.readerGone });
  if (spec.kind === "file") return fileSink({ path: pathOf(plan, spec.path), log, clock, ...header });
  if (spec.delivery === "lane" || spec.delivery === "bucket") {
    throw new WeirError(
      "WEIR_CONFIG",
      `${plan.name}: a sink with delivery ${spec.delivery} needs a state folder`,
      {
        remedy: "name one with --state, or with state: in weir.yaml",
      },
    );
  }
  const link = await connections.link(spec.to);
  const sink = messageSink(link, spec, surroundings);
  return branch === null ? sink : batched(sink, spec, branch.format, Promise.resolve(link), clock);
}

/** The sink with the batches that its spec asks for, as large as the server takes them, as it said at the last connect. */
export function batched(
  sink: Sink,
  { batch }: Extract<SinkSpec, { kind: "nats" }>,
  format: Format,
  connection: Promise<NatsLink>,
  clock: Clock,
): Sink {
  if (batch === null) return sink;
  const { rows, bytes, wait } = batch;
  let most = Math.min(bytes, limits.sink_batch_unknown_bytes_max);
  let link: NatsLink | null = null;
  // Whoever needs the connection says why there is none.
  connection.then(
    (opened) => (link = opened),
    () => undefined,
  );
  return batchSink(sink, {
    format,
    rows,
    get bytes() {
      // Said at each connect, and not known while there is none.
      const told = link?.nats.info?.max_payload;
      if (told !== undefined) most = Math.min(bytes, told - limits.sink_batch_header_bytes);
      return most;
    },
    wait,
    clock,
  });
}

function messageSink(
  link: NatsLink,
  { to, stream: name, delivery }: Extract<SinkSpec, { kind: "nats" }>,
  { log, clock, subjects }: Surroundings,
): Sink {
  if (name === null) return natsSink({ link, log });
  const shared = delivery !== "exclusive";
  const stream = { name, subjects: subjects.get(streamKey(to, name)) ?? [], shared };
  return jetstreamSink({ link, stream, log, clock });
}
