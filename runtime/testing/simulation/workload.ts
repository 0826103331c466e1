// What the simulation runs: pipelines as a user writes them, and numbered records for their sources, out of order within
// the lateness and now and then beyond it. Data only.

import { type LoadedPipeline, loadInput } from "../../engine/loader.ts";
import type { Random } from "./random.ts";

/** What a branch is expected to do with the records. */
export type BranchKind = "forwarded" | "condensed" | "late";

export interface SinkPlan {
  readonly pipeline: string;
  readonly branch: string;
  /** The stream of the cloud that it writes to, and the name of the chain. */
  readonly stream: string;
  readonly kind: BranchKind;
}

export interface Workload {
  readonly name: string;
  readonly pipelines: readonly LoadedPipeline[];
  /** By source, the stream that it reads. */
  readonly sources: readonly string[];
  readonly sinks: readonly SinkPlan[];
  /** What a worker in the cloud runs where rows come by lanes; null for what that runs. */
  readonly unpack: Workload | null;
}

export interface InputRecord {
  readonly device: string;
  readonly ts: number;
  /** Its number; no two have the same. */
  readonly n: number;
  readonly v: number;
}

/** A record, by which source and when it is published. */
export interface Arrival {
  readonly at_ms: number;
  readonly source: number;
  readonly record: InputRecord;
}

export const lateness_ms = 2_000;
export const window_ms = 10_000;
/** Longer than any silence of a schedule, and shorter than a clock may be set by: nothing is ever idle. */
const idle = "1h";
/** Records with a smaller value are filtered out. */
export const least = 30;

const sourceText = (subject: string, stream: string): string =>
  `nats: { subject: "${subject}", stream: ${stream} }
  format: json
  schema: { device: string, ts: time, n: float64, v: float64 }
  time: { field: ts, unit: ms, lateness: ${lateness_ms / 1000}s, idle: ${idle}, ahead: 24h }`;

const sink = (stream: string): string =>
  `- sink: { nats: { subject: "${stream.toLowerCase()}.{device}", stream: ${stream} }, format: json }`;
const forward = (stream: string, indent: string): string => `${indent}- filter: v >= ${least}
${indent}${sink(stream)}`;
const condense = (stream: string, late: string, indent: string): string => `${indent}- window:
${indent}    tumbling: ${window_ms / 1000}s
${indent}    by: device
${indent}    select: { records: count(), total: sum(v), newest: max(n), oldest: min(n) }
${indent}  late:
${indent}    ${sink(late)}
${indent}${sink(stream)}`;

const oneSource = `source:\n  ${sourceText("in.>", "IN")}\n`;
const twoSources = `sources:
  one: { ${inline("in.>", "IN")} }
  other: { ${inline("too.>", "TOO")} }
`;

function inline(subject: string, stream: string): string {
  return sourceText(subject, stream).replaceAll(/\n\s*/g, ", ");
}

const keys = "limits: { keys: { max: 100 } }\n";

const texts: Readonly<Record<string, readonly string[]>> = {
  filter: [`name: filter\n${oneSource}${keys}steps:\n${forward("FORWARD", "  ")}\n`],
  window: [`name: window\n${oneSource}${keys}steps:\n${condense("WINDOWS", "LATE", "  ")}\n`],
  branches: [
    `name: branches\n${oneSource}${keys}steps:\n  - branch:\n      all:\n${forward("FORWARD", "        ")}\n      some:\n${condense("WINDOWS", "LATE", "        ")}\n`,
  ],
  sources: [`name: sources\n${twoSources}${keys}steps:\n${condense("WINDOWS", "LATE", "  ")}\n`],
  group: [
    `name: first\n${oneSource}${keys}steps:\n${forward("FORWARD", "  ")}\n`,
    `name: second\n${oneSource}${keys}steps:\n${condense("WINDOWS", "LATE", "  ")}\n`,
  ],
};

export const workloadNames: readonly string[] = Object.keys(texts);

/** The stream of all lanes, and what their rows are written to as they were. */
export const laneStream = "UP";
export const unpackedStream = "OUT";

const unpackText = `name: unpack
source:
  nats: { subject: "up.{host}.{chain}.{lane}", stream: ${laneStream} }
  format: json
  framing: lane
  schema: { device: string }
limits: { keys: { max: 100 } }
steps:
  - sink: { nats: { subject: "out.{host}.{chain}.{lane}.{device}", stream: ${unpackedStream} }, format: json }
`;

const kinds: Readonly<Record<string, BranchKind>> = {
  FORWARD: "forwarded",
  WINDOWS: "condensed",
  LATE: "late",
  OUT: "forwarded",
};

export async function loadWorkload(name: string): Promise<Workload> {
  const unpack = await plannedWorkload("unpack", [unpackText], [laneStream], null);
  return plannedWorkload(name, texts[name] ?? [], name === "sources" ? ["IN", "TOO"] : ["IN"], unpack);
}

/** Plans the pipelines; costs enough to be done once. */
async function plannedWorkload(
  name: string,
  files: readonly string[],
  sources: readonly string[],
  unpack: Workload | null,
): Promise<Workload> {
  const pipelines: LoadedPipeline[] = [];
  for (const text of files)
    pipelines.push(await loadInput({ file: `/simulation/${name}.yaml`, text, environment: {} }));
  const sinks: SinkPlan[] = [];
  for (const { plan, diagnostics } of pipelines) {
    if (plan === null) throw new Error(diagnostics.map(({ message }) => message).join("; "));
    for (const branch of plan.branches) {
      if (branch.sink.kind !== "nats" || branch.sink.stream === null) continue;
      const { stream } = branch.sink;
      const kind = kinds[stream];
      if (kind !== undefined) sinks.push({ pipeline: plan.name, branch: branch.name, stream, kind });
    }
  }
  return { name, pipelines, sources, sinks, unpack };
}

/** How records come. */
export interface Traffic {
  readonly records: number;
  readonly devices: number;
  /** Mean time between two. */
  readonly every_ms: number;
  /** How much older than the newest a record may be; more than the lateness makes late ones. */
  readonly disorder_ms: number;
}

/** Records of one host, each with a number behind `before`. */
export function arrivals(
  random: Random,
  host: string,
  sources: number,
  traffic: Traffic,
  start_ms: number,
  before: number,
): Arrival[] {
  const all: Arrival[] = [];
  let at_ms = 0;
  for (let n = before + 1; n <= before + traffic.records; n++) {
    at_ms += random.next() * 2 * traffic.every_ms;
    const ts = Math.floor(start_ms + at_ms - random.next() * random.next() * traffic.disorder_ms);
    const device = `${host}${random.between(1, traffic.devices)}`;
    const record = { device, ts, n, v: random.between(0, 99) };
    all.push({ at_ms, source: random.between(0, sources - 1), record });
  }
  return all;
}

/** A record that closes every window before it. */
export function closingRecord(host: string, number: number, ts: number): InputRecord {
  return { device: `${host}0`, ts: Math.floor(ts), n: 1_000_000 + number, v: 0 };
}
