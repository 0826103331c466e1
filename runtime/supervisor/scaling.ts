// How many workers share the partitions of each pipeline that has some: what heartbeats say of all of them together, as
// one sample now and then, and the bounds that the host and the file set. Pure; the rule itself is in scale.ts.

import type { Heartbeat, PipelineBeat } from "../heartbeat.ts";
import { limits } from "../limits.ts";
import { effectiveRevision } from "./accounting.ts";
import { isHeard, lives } from "./life-signs.ts";
import { beginScaleMemory, type Memory, type ScaleMemory } from "./memory.ts";
import type { Desired, DesiredPipeline, Happening, Observed } from "./situation.ts";
import { scale, type ScaleDecision, type ScaleSample, scaleTiming } from "./scale.ts";

/** The partitions of one pipeline that are wanted here. */
interface Group {
  readonly pipeline: string;
  readonly members: readonly DesiredPipeline[];
  /** The most workers that its file allows. */
  readonly most: number;
}

export interface Rescaled {
  readonly scales: Memory["scales"];
  readonly happenings: readonly Happening[];
}

export function rescale(desired: Desired, observed: Observed, memory: Memory, now: number): Rescaled {
  const groups = groupsOf(desired.pipelines);
  const scales: Record<string, ScaleMemory> = {};
  for (const { pipeline, members } of groups)
    scales[pipeline] = memory.scales[pipeline] ?? beginFromWhatRuns(members, memory);
  const happenings: Happening[] = [];
  for (const group of groups) {
    const before = scales[group.pipeline]!;
    const bounds = boundsOf(group, desired, observed, memory, scales);
    const after = next(group, { before, bounds, desired, observed, memory, now });
    scales[group.pipeline] = after;
    if (after.decision !== null && after.decision !== before.decision) {
      const { workers, reason } = after.decision;
      const change = `from ${before.state.workers} to ${workers} workers`;
      happenings.push({ what: "scaled", name: group.pipeline, reason: `${change}: ${reason}` });
    }
  }
  return { scales, happenings };
}

function groupsOf(pipelines: readonly DesiredPipeline[]): readonly Group[] {
  const groups = new Map<string, { pipeline: string; members: DesiredPipeline[]; most: number }>();
  for (const each of pipelines) {
    if (each.partitionOf === undefined) continue;
    const { pipeline, most } = each.partitionOf;
    const known = groups.get(pipeline);
    if (known === undefined) groups.set(pipeline, { pipeline, members: [each], most });
    else known.members.push(each);
  }
  return [...groups.values()];
}

function beginFromWhatRuns(members: readonly DesiredPipeline[], memory: Memory): ScaleMemory {
  const workers = new Set(members.flatMap(({ name }) => memory.pipelines[name]?.worker ?? []));
  return beginScaleMemory(Math.max(1, workers.size));
}

/** The most workers that it may have now, and what keeps it from more. */
interface Bounds {
  readonly most: number;
  readonly limit: string;
  readonly memoryShort: boolean;
}

function boundsOf(
  { pipeline, members, most }: Group,
  { host, pipelines }: Desired,
  { heard, memoryFree }: Observed,
  memory: Memory,
  scales: Memory["scales"],
): Bounds {
  const now = scales[pipeline]!.state.workers;
  const all = Object.values(scales).reduce((sum, { state }) => sum + state.workers, 0);
  const base = limits.worker_base_bytes;
  const workers = new Set(Object.values(memory.pipelines).flatMap(({ worker }) => worker ?? []));
  const taken = pipelines.reduce((sum, { demand }) => sum + demand.memory_bytes, workers.size * base);
  const resident = [...heard.values()].reduce((sum, { beat }) => sum + beat.memory_bytes, 0);
  const [least] = [
    { most: members.length, limit: "each partition has a worker of its own" },
    { most, limit: "its file allows no more" },
    { most: now + spare(sharable(host.processors) - all), limit: "the host has no processor to spare" },
    { most: now + spare((host.memory_bytes - taken) / base), limit: "the host has no memory to spare" },
  ].sort((a, b) => a.most - b.most) as [Pick<Bounds, "most" | "limit">];
  const memoryShort = resident > limits.scale_memory_share * host.memory_bytes || memoryFree < base;
  return { ...least, memoryShort };
}

/**
 * How many workers may share a host's processors: one is left to its nats-server and whatever else runs there. On a host of
 * two, which would never scale then, both are shared: two workers that wait for each other do more than one.
 */
function sharable(processors: number): number {
  return Math.max(processors - 1, Math.min(2, processors));
}

function spare(count: number): number {
  return Math.max(0, Math.floor(count));
}

interface Look {
  readonly before: ScaleMemory;
  readonly bounds: Bounds;
  readonly desired: Desired;
  readonly observed: Observed;
  readonly memory: Memory;
  readonly now: number;
}

function next(group: Group, look: Look): ScaleMemory {
  const { before, bounds, desired, now } = look;
  const { scaling: timing = scaleTiming } = desired;
  const allowed = Math.min(group.most, group.members.length);
  if (before.state.workers > allowed) {
    const decision = { workers: allowed, reason: "no more may share them", saturated: false };
    return { ...beginScaleMemory(allowed), most: bounds.most, decision: { ...decision, at: now } };
  }
  const { last } = before.state;
  // A clock that was put back is no reason to wait.
  if (last !== null && now >= last.at && now - last.at < timing.every_ms)
    return { ...before, most: bounds.most };
  const sampled = sampleOf(group, look);
  if (sampled === null) return { ...before, most: bounds.most };
  const { state, decision } = scale(before.state, sampled.sample, bounds, timing);
  const wantsMore = state.trial === null && state.wanting >= timing.upSamples;
  const why =
    now < state.blockedUntil
      ? "more of them gained nothing"
      : bounds.memoryShort
        ? "memory is short"
        : bounds.limit;
  return {
    state,
    counted: sampled.counted,
    settled: sampled.sample.settled,
    most: bounds.most,
    limit: wantsMore ? why : null,
    decision: decision === null ? before.decision : { ...decision, at: now },
  };
}

interface Sampled {
  readonly sample: ScaleSample;
  readonly counted: ScaleMemory["counted"];
}

/** All partitions together; null while some are on their way from one worker to another. */
function sampleOf({ members }: Group, { before, observed, memory, now }: Look): Sampled | null {
  const counted: Record<string, { since: number; records: number }> = {};
  const busy = new Map<string, { own: number; readonly whole: number }>();
  let { settled } = before;
  let lag = 0;
  for (const { name } of members) {
    const known = memory.pipelines[name];
    // One that is put aside, or waits for its next start, says nothing of how many workers the others need.
    if (known === undefined || effectiveRevision(known) === null) continue;
    const worker = known.worker ?? "";
    const heard = heardOf(worker, observed, now);
    const beat = heard?.pipelines.find((each) => each.name === name);
    if (heard === null || beat === undefined || beat.attempt !== known.attempt) return null;
    if (beat.phase === "failed") continue;
    if (beat.phase !== "running") return null;
    settled += settledSince(before.counted[name], beat);
    lag += beat.lag ?? 0;
    counted[name] = { since: beat.since, records: beat.records };
    const share = busy.get(worker) ?? { own: 0, whole: heard.busy ?? 0 };
    share.own += beat.busy;
    busy.set(worker, share);
  }
  if (busy.size === 0) return null;
  // What sockets and commits take is not the partitions' own work, and takes the same thread.
  const shares = [...busy.values()].map(({ own, whole }) => Math.min(1, Math.max(own, whole)));
  const mean = shares.reduce((sum, each) => sum + each, 0) / shares.length;
  return { sample: { at: now, lag, settled, busy: mean }, counted };
}

function heardOf(worker: string, { heard, workers }: Observed, now: number): Heartbeat | null {
  const last = heard.get(worker);
  const there = workers?.some((each) => each.name === worker && lives(each)) === true;
  return last !== undefined && there && isHeard({ heard: last }, now) ? last.beat : null;
}

/** What one has read since the last sample; all of it where it was started since. */
function settledSince(
  before: ScaleMemory["counted"][string] | undefined,
  { since, records }: PipelineBeat,
): number {
  return before?.since === since && records >= before.records ? records - before.records : records;
}

/** How a pipeline's workers stand, for whoever asks. */
export interface ScaleStatus {
  readonly workers: number;
  /** How many it may have now. */
  readonly most: number;
  /** What keeps it from more where it would need more; null where it needs no more. */
  readonly saturated: string | null;
  /** The last change, and why. */
  readonly decision: (ScaleDecision & { readonly at: number }) | null;
}

export function scaleStatus({ state, most, limit, decision }: ScaleMemory): ScaleStatus {
  return { workers: state.workers, most: Math.max(most, state.workers), saturated: limit, decision };
}
