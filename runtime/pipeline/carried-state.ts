// A pipeline that takes along what it keeps from host to host: what has to hold so that the next host can go on with it. Pure.

import type { InputSpec, Path, PipelineSpec, SinkSpec } from "./pipeline.ts";
import type { Reader } from "./section.ts";

const remedy = "remove carry_state from placement";

/** Reports what another host would not find: what is read or written on the host itself. */
export function checkCarriedState(
  reader: Reader,
  { inputs, branches, deadLetter, placement }: PipelineSpec,
): void {
  if (!placement.carriesState) return;
  for (const input of inputs) checkSource(reader, input);
  for (const { sink, path } of branches) checkSink(reader, sink, path);
  if (deadLetter !== null) checkSink(reader, deadLetter.sink, ["dead_letter"]);
}

function checkSource(reader: Reader, { source, path }: InputSpec): void {
  if (source.kind !== "nats") {
    const message = `its next host would not find what a ${source.kind} has given before`;
    return reader.fault([...path, source.kind], message, `read a stream of NATS, or ${remedy}`);
  }
  if (source.stream !== null) return;
  const message = "core NATS keeps nothing for the time in which it is on its way to its next host";
  reader.fault([...path, "nats", "subject"], message, `add the stream that has these subjects, or ${remedy}`);
}

function checkSink(reader: Reader, sink: SinkSpec, path: Path): void {
  if (sink.kind !== "file") return;
  const message = "its next host would not find what is in this file";
  reader.fault([...path, "file"], message, `send the rows to nats, or ${remedy}`);
}
