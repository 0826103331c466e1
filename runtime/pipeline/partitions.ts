// Pipelines whose stream is cut into partitions: what has to hold so that each partition can run by itself, and the
// spec of one of them. Pure; knows no worker.

import { instanceName } from "../instance.ts";
import type { ConfigDocument } from "./document.ts";
import type {
  BranchSpec,
  Diagnostic,
  InputSpec,
  Path,
  PipelinePlan,
  PipelineSpec,
  SinkSpec,
  StepPlan,
} from "./pipeline.ts";
import type { Reader } from "./section.ts";
import { namedTokens, partitionToken, templateParts } from "./subject.ts";

const token = `{${partitionToken}}`;

/** The spec of one partition, under a name of its own; the whole one where there is no such partition. */
export function specOfPartition(spec: PipelineSpec, partition: number): PipelineSpec {
  if (partition >= (spec.placement.partitions ?? 0)) return spec;
  const inputs = spec.inputs.map((input): InputSpec => {
    const { source } = input;
    return source.kind === "nats" ? { ...input, source: { ...source, partition } } : input;
  });
  return { ...spec, name: instanceName(spec.name, partition), inputs };
}

/** Reports what keeps partitions from running each by itself, and a token that nothing fills. */
export function checkPartitions(
  reader: Reader,
  { inputs, branches, deadLetter, placement }: PipelineSpec,
): void {
  if (placement.partitions === null) {
    // One that was refused is told already.
    if (reader.document.valueAt(["placement", "partitions"]) !== undefined) return;
    for (const input of inputs) checkNoToken(reader, input);
    return;
  }
  for (const input of inputs) checkSource(reader, input);
  for (const { sink, path } of branches) checkSink(reader, sink, path);
  if (deadLetter !== null) checkSink(reader, deadLetter.sink, ["dead_letter"]);
}

function checkNoToken(reader: Reader, { source, path }: InputSpec): void {
  if (source.kind !== "nats") return;
  const start = source.subject.indexOf(token);
  if (start < 0) return;
  const hint =
    "add placement: { partitions: 12 }, as many as the nats-server's mapping makes, or give the token another name";
  const span = reader.document.spanWithin([...path, "nats", "subject"], start, start + token.length);
  reader.at(span, "nothing says how many partitions there are", hint);
}

function checkSource(reader: Reader, { source, path }: InputSpec): void {
  if (source.kind !== "nats") {
    reader.fault(
      [...path, source.kind],
      `a ${source.kind} has no partitions`,
      "remove partitions from placement",
    );
    return;
  }
  const nats = [...path, "nats"];
  if (!source.subject.includes(token)) {
    const hint = `put it where the nats-server's mapping puts the number: p.${token}.${source.subject}`;
    reader.fault([...nats, "subject"], `this subject has no token ${token}`, hint);
  }
  if (source.stream === null) {
    const message = "core NATS keeps nothing for a partition on its way from one worker to another";
    reader.fault([...nats, "subject"], message, "add the stream that has these subjects");
  }
  if (source.consumer !== null)
    reader.keyFault([...nats, "consumer"], "each partition has a consumer of its own", "remove consumer");
}

function checkSink(reader: Reader, sink: SinkSpec, path: Path): void {
  if (sink.kind === "file")
    reader.fault([...path, "file"], "every partition would write to this file", "send the rows to nats");
  if (sink.kind !== "nats" || sink.delivery === null) return;
  const { delivery, subject } = sink;
  if (delivery === "exclusive") {
    const hint =
      "write `delivery: lane`, or `delivery: subject` where rows of one subject come from one partition only";
    reader.fault([...path, "nats", "stream"], "every partition would need this stream for itself", hint);
    return;
  }
  const isForOne = delivery === "subject" || delivery === "bucket";
  if (!isForOne || columnsIn(subject).length > 0) return;
  const what = delivery === "bucket" ? "key" : "subject";
  const hint = `put ${token} or another column into it that tells partitions apart, or write \`delivery: lane\``;
  reader.fault([...path, "nats", "subject"], `every partition would need this ${what} for itself`, hint);
}

function columnsIn(subject: string): readonly string[] {
  return templateParts(subject).flatMap((part) => (typeof part === "string" ? [] : [part.column]));
}

/**
 * What may be meant otherwise: steps that keep something by nothing that a subject says, and rows whose subjects say
 * nothing of where they come from. Which token the mapping goes by is not in the file, so that any is good enough.
 */
export function partitionWarnings(
  { spec, steps, branches }: PipelinePlan,
  document: ConfigDocument,
): readonly Diagnostic[] {
  if (spec.placement.partitions === null) return [];
  const tokens = spec.inputs.flatMap(({ source }) =>
    source.kind === "nats" ? namedTokens(source.subject).map(({ name }) => name) : [],
  );
  const all = [...steps, ...branches.flatMap((branch) => branch.steps)];
  return [
    ...all.flatMap((step) => spreadKeys(step, tokens, document)),
    ...spec.branches.flatMap((branch) => spreadRows(branch, tokens, document)),
  ];
}

function spreadKeys(
  { definition, config, spec }: StepPlan,
  tokens: readonly string[],
  document: ConfigDocument,
): readonly Diagnostic[] {
  const tables = Object.values(definition.state(config)).flatMap((table) =>
    table.kind === "values" ? [] : [table.by.map(({ name }) => name)],
  );
  const isApart = (by: readonly string[]): boolean => by.some((name) => tokens.includes(name));
  const isSpread = definition.kind === "keyed" && definition.keyless !== true;
  if (!isSpread || tables.length === 0 || tables.some(isApart)) return [];
  const by = tables.find((each) => each.length > 0);
  const message =
    by === undefined
      ? `each partition has a ${definition.name} of its own`
      : `records of one ${by.join(", ")} may be in several partitions, each of which has a ${definition.name} of its own`;
  const hint = `add the token that the nats-server's mapping goes by to \`by\`, or ${partitionToken} where this is meant`;
  return [document.diagnostic(document.keySpanOf(spec.path), message, hint, "warning")];
}

function spreadRows(
  { sink, path }: BranchSpec,
  tokens: readonly string[],
  document: ConfigDocument,
): readonly Diagnostic[] {
  const isForOne = sink.kind === "nats" && (sink.delivery === "subject" || sink.delivery === "bucket");
  if (!isForOne || columnsIn(sink.subject).some((name) => tokens.includes(name))) return [];
  const message =
    "rows of several partitions may come under one subject here, which only one of them may write";
  const hint = `put the token that the nats-server's mapping goes by into it, or write \`delivery: lane\``;
  return [document.diagnostic(document.spanOf([...path, "nats", "subject"]), message, hint, "warning")];
}
