// Streams to which pipelines write that each want for themselves: a chain on a stream of its own and another writer there would
// keep each other from going on. Looks at pipelines that are right by themselves, and only together.

import { readDocument } from "./document.ts";
import type { Delivery, Diagnostic, Path, PipelineSpec } from "./pipeline.ts";

/** A pipeline that was read, with its file's name as messages show it, and its text. */
export interface WrittenPipeline {
  readonly file: string;
  readonly text: string;
  readonly spec: PipelineSpec;
}

/** A sink that writes to a stream. */
interface Writer {
  readonly pipeline: WrittenPipeline;
  readonly path: Path;
  /** Connection and stream. */
  readonly stream: string;
  readonly delivery: Delivery;
}

/** By pipeline, in the order given, its sinks that want a stream to which somebody else of them writes. */
export function sharedStreamFaults(
  pipelines: readonly WrittenPipeline[],
): readonly (readonly Diagnostic[])[] {
  const writers = pipelines.map(writersOf);
  const byStream = Map.groupBy(writers.flat(), ({ stream }) => stream);
  return writers.map((own) =>
    own.flatMap((writer) => {
      const other = byStream.get(writer.stream)?.find((each) => isInTheWay(writer, each));
      return other === undefined ? [] : [fault(writer, other)];
    }),
  );
}

function writersOf(pipeline: WrittenPipeline): Writer[] {
  const { branches, deadLetter } = pipeline.spec;
  const sinks = branches.map(({ sink, path }) => ({ sink, path }));
  if (deadLetter !== null) sinks.push({ sink: deadLetter.sink, path: ["dead_letter"] });
  return sinks.flatMap(({ sink, path }) => {
    if (sink.kind !== "nats" || sink.stream === null || sink.delivery === null) return [];
    const stream = JSON.stringify([sink.to, sink.stream]);
    return [{ pipeline, path, stream, delivery: sink.delivery }];
  });
}

/** The rows of one pipeline that are delivered in one way are one chain, and do not disturb each other. */
function isInTheWay(writer: Writer, other: Writer): boolean {
  if (writer.delivery !== "exclusive") return false;
  return other.pipeline !== writer.pipeline || other.delivery !== "exclusive";
}

function fault({ pipeline, path }: Writer, other: Writer): Diagnostic {
  const who = other.pipeline === pipeline ? "another sink of it" : `pipeline ${other.pipeline.spec.name}`;
  const message = `${who} writes to this stream as well, and this sink needs it for itself`;
  const hint =
    "write `delivery: subject` at each sink of the stream, or give these rows a stream of their own";
  const { document } = readDocument(pipeline.file, pipeline.text);
  // A pipeline that was read has a document.
  if (document === null)
    return { file: pipeline.file, line: 1, column: 1, length: 1, message, hint, severity: "error" };
  return document.diagnostic(document.spanOf([...path, "nats", "stream"]), message, hint);
}
