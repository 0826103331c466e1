// What holds between a pipeline and the world on each side of it, fault by fault, in words that a reader can rely on. The one
// place where these promises are written down. Pure.

import { mergedOutbox } from "./outbox-spec.ts";
import type { OutboxSpec, PipelinePlan, SinkSpec, SourceSpec } from "./pipeline.ts";

/** From the weakest to the strongest: rows may be lost, rows may come twice, neither. */
export const levels = ["at most once", "at least once", "exactly once"] as const;
export type Level = (typeof levels)[number];

/** What may happen: the process or a server is killed, the power is cut, the link is down for any length of time. */
export const failures = ["killed", "power cut", "link down"] as const;
export type Failure = (typeof failures)[number];

/** A side's promise for each failure, and what else has to be known. */
export interface Guarantee {
  readonly levels: Readonly<Record<Failure, Level>>;
  /** Sentences without their full stop. */
  readonly notes: readonly string[];
}

function always(level: Level, ...notes: readonly string[]): Guarantee {
  return { levels: { killed: level, "power cut": level, "link down": level }, notes };
}

function but(guarantee: Guarantee, failure: Failure, level: Level, ...notes: readonly string[]): Guarantee {
  return {
    levels: { ...guarantee.levels, [failure]: level },
    notes: [...guarantee.notes, ...notes],
  };
}

/** What a source promises; `durable`: the device has a state folder. */
export function sourceGuarantee(source: SourceSpec, durable: boolean): Guarantee {
  switch (source.kind) {
    case "nats":
      return natsSource(source, durable);
    case "file":
      return durable
        ? always("exactly once", "a file that was cut or replaced is noticed, and read from its start")
        : always("at least once", "every run reads the file from its start");
    case "host":
      return always("at most once", "a reading that nobody took is gone");
  }
}

function natsSource({ stream, journal }: Extract<SourceSpec, { kind: "nats" }>, durable: boolean): Guarantee {
  if (stream !== null) {
    return durable
      ? always(
          "exactly once",
          "after a power cut, of what the stream still has: what it lost is noticed and counted",
        )
      : always("at least once", "records held in open windows are lost with the process");
  }
  if (journal !== null && durable) {
    const kept = always(
      "exactly once",
      "from the journal on; what is published while its ingest process is away, and up to 20 ms before that ended, is lost",
    );
    return but(kept, "link down", "at most once");
  }
  const advice = durable ? "a stream, or journal: true, would keep them" : "a stream would keep them";
  return always("at most once", `core NATS keeps nothing: records that nobody took are lost; ${advice}`);
}

/** Rows wait as long as it takes, and for as long as there is room nothing new is read. */
const waitsForEver: OutboxSpec = { tiers: [] };

/** What a sink promises; `durable`: the device has a state folder, where rows wait in an outbox as `outbox` says. */
export function sinkGuarantee(
  sink: SinkSpec,
  durable: boolean,
  outbox: OutboxSpec = waitsForEver,
): Guarantee {
  switch (sink.kind) {
    case "nats":
      return durable ? lettingGo(natsSink(sink, durable), outbox) : natsSink(sink, durable);
    case "file":
      return durable
        ? always("exactly once")
        : always("at least once", "rows are synchronised before the source is told");
    case "stdout":
      return durable
        ? always("at most once", "a row that may have been written before a crash is not written again")
        : always("at least once", "rows are handed to the terminal or pipe before the source is told");
    case "nothing":
      return always("exactly once", "rows are counted and dropped");
  }
}

function natsSink({ stream, delivery }: Extract<SinkSpec, { kind: "nats" }>, durable: boolean): Guarantee {
  if (stream === null)
    return always("at most once", "core NATS says that a server has a row, not that anybody received it");
  if (!durable)
    return always("at least once", "the stream drops repeats of one run, within its duplicate window");
  if (delivery !== "message_id") return always("exactly once");
  return but(
    always("exactly once"),
    "link down",
    "at least once",
    "by ids alone: repeats are dropped within the stream's duplicate window, and not by a stream that removes what is read once its server was away",
  );
}

/** What becomes of rows that wait too long, or that are too many. */
function lettingGo(sink: Guarantee, { age, when_full, tiers }: OutboxSpec): Guarantee {
  const notes = [
    ...(tiers.length > 0
      ? ["what waits long is condensed by the tiers of the outbox, and dropped in the end"]
      : []),
    ...(age === undefined ? [] : ["what waits longer than the outbox's age is dropped and counted"]),
    ...(when_full === "drop_oldest"
      ? ["what the outbox has no room for is dropped, oldest first, and counted"]
      : []),
  ];
  return notes.length === 0 ? sink : but(sink, "link down", "at most once", ...notes);
}

/** What holds from one end to the other: the weaker of the two sides. */
export function weaker(source: Guarantee, sink: Guarantee): Guarantee {
  const least = (failure: Failure): Level => {
    const places = [source, sink].map((side) => levels.indexOf(side.levels[failure]));
    return levels[Math.min(...places)]!;
  };
  return {
    levels: { killed: least("killed"), "power cut": least("power cut"), "link down": least("link down") },
    notes: [...new Set([...source.notes, ...sink.notes])],
  };
}

/** What holds from the sources of a plan to each place where its rows go. */
export interface PlaceGuarantee {
  /** The branch; `dead letter` for the place of what was refused. */
  readonly of: string;
  readonly guarantee: Guarantee;
}

/** `device`: what an outbox is told of which the pipeline's file says nothing. */
export function endToEnd(
  { spec, branches }: PipelinePlan,
  durable: boolean,
  device: OutboxSpec = waitsForEver,
): PlaceGuarantee[] {
  const outbox = mergedOutbox(spec.outbox, device);
  const sources = spec.inputs.map(({ source }) => sourceGuarantee(source, durable));
  const ends = branches.map(({ name, sink }) => ({ of: name, sink }));
  if (spec.deadLetter !== null) ends.push({ of: "dead letter", sink: spec.deadLetter.sink });
  return ends.map(({ of, sink }) => {
    const own = sinkGuarantee(sink, durable, outbox);
    return { of, guarantee: sources.reduce((least, source) => weaker(source, least), own) };
  });
}

/** In one line, each failure by its level: `exactly once: killed, power cut; at most once: link down (…)`. */
export function guaranteeText({ levels: by, notes }: Guarantee): string {
  const text = levels
    .toReversed()
    .map((level) => [level, failures.filter((failure) => by[failure] === level)] as const)
    .filter(([, found]) => found.length > 0)
    .map(([level, found]) => `${level}: ${found.join(", ")}`)
    .join("; ");
  return notes.length === 0 ? text : `${text} (${notes.join("; ")})`;
}

/** A line for each place where rows of a plan go. */
export function promisesOf(plan: PipelinePlan, durable: boolean, device?: OutboxSpec): string[] {
  return endToEnd(plan, durable, device).map(({ of, guarantee }) => `${of}: ${guaranteeText(guarantee)}`);
}
