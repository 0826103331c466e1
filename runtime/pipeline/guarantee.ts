// What holds between a pipeline and the world on each side of it, in words that a reader can rely on.
// The one place where these promises are written down.

import type { SinkSpec, SourceSpec } from "./pipeline.ts";

/** What a source promises, and when it does not. */
export function sourceGuarantee(source: SourceSpec): string {
  switch (source.kind) {
    case "nats":
      return natsSource(source);
    case "file":
      return "complete: every line is read once each run; nothing is remembered between runs";
    case "host":
      return "at most once: a reading that nobody took is gone";
  }
}

function natsSource({ stream }: Extract<SourceSpec, { kind: "nats" }>): string {
  if (stream === null) {
    return "at most once: core NATS keeps nothing, so what is published while weir is away is lost; what its queue cannot hold is counted";
  }
  return "at least once: a record is acknowledged when the rows that it caused are confirmed, and a restart goes on there; records held in open windows are lost with the process";
}

/** What a sink promises, and when it does not. */
export function sinkGuarantee(sink: SinkSpec): string {
  switch (sink.kind) {
    case "nats":
      return sink.stream === null
        ? "at most once: the server confirms that it has a row, not that anybody received it; rows in flight when the link is cut are counted as unconfirmed"
        : "at least once: every row is sent until the stream confirms it, with an id by which the stream drops repeats of this run";
    case "file":
      return "written and synchronised before the source is told";
    case "stdout":
      return "handed to the terminal or pipe";
    case "nothing":
      return "counted and dropped";
  }
}
