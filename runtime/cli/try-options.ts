// What the options of weir try mean, and what is told where they do not fit what was read. Opens nothing.

import type { Format } from "../codec/codec.ts";
import type { Looking } from "../connect/jetstream-onlooker.ts";
import type { Shown } from "../pipeline/shown-plan.ts";
import { durationText } from "../engine/waiting.ts";
import { WeirError } from "../errors.ts";
import type { InputSpec, PipelinePlan } from "../pipeline/pipeline.ts";
import { subscriptionOf } from "../pipeline/subject.ts";
import { durationOption } from "./duration-option.ts";
import { silentSubject } from "./sample.ts";
import type { TrySource } from "./try-sources.ts";

/** When reading stops by itself; null: not for that. */
export interface TryBounds {
  readonly records: number | null;
  readonly rows: number | null;
  readonly for_ms: number | null;
}

/** `100`, `100records` or `20rows`, and a length of time. */
export function boundsOf(limit: string | undefined, lasting: string | undefined): TryBounds {
  const for_ms = lasting === undefined ? null : durationOption(lasting, "--for", 1);
  if (limit === undefined) return { records: null, rows: null, for_ms };
  const [, digits = "", what = ""] = /^(\d+) ?(records?|rows?)?$/.exec(limit) ?? [];
  const count = Number(digits);
  if (!Number.isSafeInteger(count) || count < 1)
    throw new WeirError("WEIR_USAGE", `--limit: expected how many, got ${limit}`, {
      remedy: "such as 100 for so many records, or 20rows",
    });
  const isRows = what.startsWith("row");
  return { records: isRows ? null : count, rows: isRows ? count : null, for_ms };
}

/** Which messages of streams are read. */
export function lookingOf(since: string | undefined, last: number | undefined, now: number): Looking {
  if (since === undefined) return last === undefined ? "new" : { last };
  if (last === undefined) return { since: now - durationOption(since, "--since", 1) };
  throw new WeirError("WEIR_USAGE", "--since and --last say two different beginnings", {
    remedy: "leave one of them out",
  });
}

/** Refuses a tolerance for nothing. */
export function checkTolerance(tolerance: number | undefined, against: string | undefined): void {
  if (tolerance === undefined || against !== undefined) return;
  throw new WeirError("WEIR_USAGE", "--tolerance: there is nothing that rows are compared with", {
    remedy: "name another pipeline with --against",
  });
}

/** Refuses two pipelines that cannot be given the same records. */
export function checkSameSources(
  [file, against]: readonly string[],
  [plan, other]: readonly PipelinePlan[],
): void {
  if (other === undefined) return;
  const [own, others] = [plan!, other].map(({ inputs }) => inputs.map(({ spec }) => spec.name));
  if (JSON.stringify(own) === JSON.stringify(others)) return;
  throw new WeirError(
    "WEIR_USAGE",
    `${file} reads ${own!.join(", ")} and ${against} ${others!.join(", ")}: they cannot be given the same records`,
    { remedy: "name two pipelines whose sources are called the same, in the same order" },
  );
}

/** Whether another pipeline names other sources than those that it is given records of. */
export function namesOthers(plan: PipelinePlan, other: PipelinePlan): boolean {
  const sources = (each: PipelinePlan): string =>
    JSON.stringify(each.inputs.map(({ spec: { name, source, framing } }) => [name, source, framing]));
  return sources(plan) !== sources(other);
}

/** What is shown of a plan whose records come from these sources. */
export function shownOf(plan: PipelinePlan, sources: readonly TrySource[], step: string | null): Shown {
  return { step, formats: plan.inputs.map(({ spec }, place) => formatOf(spec, sources[place]!)) };
}

function formatOf({ format, message }: InputSpec, source: TrySource): Format | null {
  return source.format === format && message === null ? null : source.format;
}

/** By source, the columns of CSV. */
export function headersOf(
  { inputs }: PipelinePlan,
  sources: readonly TrySource[],
): readonly (readonly string[] | null)[] {
  return inputs.map(({ spec: { format, schema } }, place) => {
    const { header } = sources[place]!;
    // No message names its columns: they are those of the schema, in its order.
    return header ?? (format === "csv" ? Object.keys(schema ?? {}) : null);
  });
}

/** What to do where nothing was read. */
export function silence(
  { inputs }: PipelinePlan,
  sources: readonly TrySource[],
  { for_ms }: TryBounds,
): WeirError {
  const [{ spec }] = inputs as [PipelinePlan["inputs"][number]];
  const { source } = spec;
  if (
    inputs.length === 1 &&
    source.kind === "nats" &&
    source.stream === null &&
    for_ms !== null &&
    !sources[0]!.ends
  )
    return silentSubject(subscriptionOf(source.subject, source.partition), for_ms);
  const within = for_ms === null ? "" : ` within ${durationText(for_ms)}`;
  return new WeirError(
    "WEIR_USAGE",
    `no record came${within} from ${sources.map(({ where }) => where).join(", ")}`,
    {
      remedy: "check the source; of a stream, --last 100 shows what it stores",
    },
  );
}
