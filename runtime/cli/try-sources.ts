// What weir try reads: a pipeline's own sources as they stand, beside whoever else reads them, or files in their place.
// Opens no consumer that outlives it, joins no queue group, and acknowledges nothing.

import { wallClock } from "../clock.ts";
import type { Source } from "../connect/connect.ts";
import { type Looking, openOnlooker } from "../connect/jetstream-onlooker.ts";
import { natsSource } from "../connect/nats-source.ts";
import { durationText } from "../engine/waiting.ts";
import { WeirError } from "../errors.ts";
import { limits } from "../limits.ts";
import { explainPlan } from "../pipeline/explain.ts";
import { choiceOf, didYouMean } from "../pipeline/nearest.ts";
import type { InputSpec, PipelinePlan } from "../pipeline/pipeline.ts";
import { subscriptionOf } from "../pipeline/subject.ts";
import { fieldsRead, openSource, type Surroundings } from "../worker/open.ts";
import { openFileRecords, type FileRecords } from "./try-file.ts";

/** Where records come from that are tried. */
export interface Origins {
  /** By source, a file in its place. */
  readonly files: ReadonlyMap<string, string>;
  /** Which messages of streams. */
  readonly looking: Looking;
}

export interface TrySource extends FileRecords {
  readonly name: string;
  /** In words. */
  readonly where: string;
  /** Its end is that of the records: windows fire then. What a stream stores now is no end. */
  readonly ends: boolean;
  /** Only somebody, or a bound, ends it. */
  readonly isEndless: boolean;
}

type NatsSpec = Extract<InputSpec["source"], { kind: "nats" }>;

/** Reads `NAME=FILE`, or `FILE` where there is one source. */
export function filesInPlace(plan: PipelinePlan, given: readonly string[]): ReadonlyMap<string, string> {
  const names = plan.inputs.map(({ spec }) => spec.name);
  const pairs = given.map((text): readonly [string, string] => {
    if (names.length === 1) return [names[0]!, text];
    const [name = "", ...path] = text.split("=");
    if (path.length > 0 && names.includes(name)) return [name, path.join("=")];
    throw new WeirError("WEIR_USAGE", `--from ${text}: ${plan.name} has no source ${name}`, {
      remedy: `${didYouMean(name, names) ?? `expected ${choiceOf(names)}`}: it has several, write --from NAME=FILE`,
    });
  });
  const twice = pairs.find(([name], place) => pairs.findIndex((each) => each[0] === name) < place);
  if (twice === undefined) return new Map(pairs);
  throw new WeirError("WEIR_USAGE", `--from names two files for ${twice[0]}`, { remedy: "name one of them" });
}

/** Refuses --since and --last where nothing is stored. */
export function checkStored({ inputs }: PipelinePlan, { files, looking }: Origins): void {
  if (looking === "new") return;
  const isStored = ({ spec: { name, source } }: PipelinePlan["inputs"][number]): boolean =>
    source.kind === "nats" && source.stream !== null && !files.has(name);
  if (inputs.some(isStored)) return;
  throw new WeirError("WEIR_USAGE", `--${"last" in looking ? "last" : "since"}: no source here is a stream`, {
    remedy: "core NATS keeps nothing: leave it out to see what comes, or name a file with --from",
  });
}

/** Opens the sources of a plan; those that were opened are closed again where one cannot be. */
export async function openSources(
  plan: PipelinePlan,
  origins: Origins,
  surroundings: Surroundings,
): Promise<readonly TrySource[]> {
  const opened: TrySource[] = [];
  const explained = explainPlan(plan).sources;
  try {
    for (const [place, { spec }] of plan.inputs.entries()) {
      const { kind, target } = explained[place]!;
      opened.push(await openOne(plan, spec, `${kind} ${target}`, origins, surroundings));
    }
  } catch (error) {
    for (const { source } of opened) await source.close();
    throw error;
  }
  return opened;
}

async function openOne(
  plan: PipelinePlan,
  input: InputSpec,
  where: string,
  { files, looking }: Origins,
  surroundings: Surroundings,
): Promise<TrySource> {
  const { name, source: spec } = input;
  const file = files.get(name);
  if (file !== undefined) {
    const records = await openFileRecords(file, input, fieldsRead([plan], input));
    return { name, where: file, ends: true, isEndless: false, ...records };
  }
  if (spec.kind === "nats") {
    const source = await openNats(input, spec, looking, surroundings);
    const seen = `${where}${lookingText(spec, looking)}`;
    const isEndless = spec.stream === null || looking === "new";
    return { name, where: seen, ends: false, isEndless, source, header: null, format: null };
  }
  const opened = await openSource([plan], input, surroundings);
  return { name, where, ends: true, isEndless: spec.kind === "host", format: null, ...opened };
}

function lookingText({ stream }: NatsSpec, looking: Looking): string {
  if (stream === null || looking === "new") return "";
  return "last" in looking
    ? `, the last ${looking.last} messages`
    : `, from ${new Date(looking.since).toISOString()} on`;
}

async function openNats(
  { framing }: InputSpec,
  spec: NatsSpec,
  looking: Looking,
  { connections, clock, log }: Surroundings,
): Promise<Source> {
  const link = await connections.link(spec.to);
  const subject = subscriptionOf(spec.subject, spec.partition);
  const { stream, overflow } = spec;
  if (stream !== null) {
    const opening = openOnlooker({ link, stream, subject, framing, looking, clock, log });
    return answered(opening, `stream ${stream} on ${spec.to}`);
  }
  const source = natsSource({ link, subject, overflow, framing, clock, log });
  await answered(source.open(), `${subject} on ${spec.to}`);
  return source;
}

/** What a server that is asked says; an error where it says nothing for as long as somebody at a terminal waits. */
export async function answered<T>(asked: Promise<T>, what: string): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const cancel = wallClock.after(limits.nats_command_wait_ms_max, () =>
    reject(
      new WeirError(
        "WEIR_NATS_UNAVAILABLE",
        `${what} could not be opened within ${durationText(limits.nats_command_wait_ms_max)}`,
        { remedy: "what the server said stands above; try again when it answers" },
      ),
    ),
  );
  try {
    return await Promise.race([asked, late]);
  } finally {
    cancel();
  }
}
