// The state folder of a task: opened, read, and made ready to go on from. Composition only; what is in it, and what follows
// from that, others decide.

import { join } from "node:path";
import type { Clock } from "../clock.ts";
import type { Source } from "../connect/connect.ts";
import { condenserOf, formsOf } from "../engine/condenser.ts";
import type { Runner } from "../engine/runner.ts";
import { WeirError } from "../errors.ts";
import type { PipelinePlan } from "../pipeline/pipeline.ts";
import type { Log } from "../log.ts";
import { type CommitLog, type LogRecovery, openCommitLog } from "../state/log/commit-log.ts";
import { FileDisk } from "../state/log/file-disk.ts";
import { Outbox, type OutboxOptions } from "../state/outbox/outbox.ts";
import { uplinkShares } from "../state/outbox/uplink-shares.ts";
import type { Plain } from "../state/plain.ts";
import { type Away, recoveredFrom, type Recovered } from "./commit-body.ts";
import { chainLanes, leftRows } from "./chain-names.ts";
import { outboxSettings, uplinkBudgets, withinDisk } from "./outbox-settings.ts";
import { DurableTask, type Sender } from "./durable-task.ts";
import type { DeviceSettings } from "./settings.ts";
import type { SinkSet } from "./sink-set.ts";
import { bytesIn, makeStateFolder, type StateFolder, stateFolders } from "./state-folders.ts";
import type { Task } from "./task.ts";

export interface State {
  readonly folder: string;
  readonly log: CommitLog;
  readonly epoch: number;
  /** Bytes of the log's snapshot; 0 where it has none. */
  readonly snapshotBytes: number;
  readonly outbox: Outbox;
  /** Rows that wait long are condensed. */
  readonly condenses: boolean;
  readonly recovered: Recovered;
  /** By source, up to where it was settled; null before its first. */
  readonly positions: readonly Plain[];
  /** Pipelines of the folder that do not run now. */
  readonly away: ReadonlyMap<string, Away>;
}

export interface OpenStateOptions {
  /** The folder of all state. */
  readonly state: string;
  readonly home: StateFolder;
  readonly isNew: boolean;
  /** Those that run. */
  readonly plans: readonly PipelinePlan[];
  readonly settings: Pick<DeviceSettings, "connections" | "outbox" | "forget" | "acceptLoss">;
  readonly clock: Clock;
  readonly log: Log;
}

/** Takes the folder for this process. Rejects with WEIR_STATE where it cannot be gone on from. */
export async function openState(options: OpenStateOptions): Promise<State> {
  const { state, home, isNew, plans, log: tell } = options;
  const pipelines = plans.map(({ name }) => name);
  const remembered = pipelines.filter((name) => !options.settings.forget.includes(name));
  // One that begins anew does so where the others are; alone it goes on where it was.
  const kept = remembered.length === 0 ? pipelines : remembered;
  if (isNew) makeStateFolder(state, home);
  const folder = join(state, home.name);
  const disk = await FileDisk.open(folder);
  const acceptLoss = pipelines.some((name) => options.settings.acceptLoss.includes(name));
  const { log, recovery } = await openCommitLog(disk, { owner: home.name, acceptLoss });
  try {
    const recovered = recoveredFrom(recovery.snapshot, recovery.commits);
    const positions = positionsOf(folder, recovered, kept, plans[0]?.inputs.length ?? 0);
    const outboxed = outboxOptions(options, folder, await disk.free());
    const outbox = await Outbox.open(disk, recovered.outbox, outboxed);
    for (const frame of recovered.outputs) outbox.replay(frame);
    for (const line of leftRows(outbox.stats().chains, chainLanes(plans))) tell.warn(`${folder}: ${line}`);
    tellOfRecovery(folder, recovery, tell);
    return {
      folder,
      log,
      epoch: recovery.epoch,
      snapshotBytes: recovery.snapshot?.length ?? 0,
      outbox,
      condenses: outboxed.condenser !== undefined,
      recovered,
      positions,
      away: awayOf(recovered, pipelines),
    };
  } catch (error) {
    await log.close();
    throw error;
  }
}

function tellOfRecovery(folder: string, { badCopies, tornBytes, loss }: LogRecovery, tell: Log): void {
  if (badCopies.length > 0)
    tell.warn(
      `${folder}: ${badCopies.join(" and ")} cannot be used; another copy is whole, so nothing is lost. The next snapshot replaces both: look after the disk`,
    );
  if (tornBytes > 0)
    tell.info(`${folder}: the last commit was never finished; ${tornBytes} bytes of it are dropped`);
  if (loss === null) return;
  const { reason, from, through } = loss;
  tell.warn(
    `${folder}: commits from ${from} ${through === null ? "on" : `to ${through}, or further,`} are lost, which was accepted: ${reason}. What damaged files hold stays there as damaged-…`,
  );
}

function outboxOptions(
  { state, plans, settings, clock, log }: OpenStateOptions,
  folder: string,
  free: number | null,
): OutboxOptions {
  const lanes = chainLanes(plans);
  const files = plans.map(({ spec }) => spec.outbox);
  const { limits, backlogAfter, tiers } = outboxSettings(files, settings.outbox);
  const folders = stateFolders(state).map(({ name }) => join(state, name));
  const part = (held: number): number => withinDisk(limits.bytes, { free, held, folders: folders.length });
  // What all of them hold is looked at only where what is free does not do by itself.
  const bytes =
    part(0) === limits.bytes ? limits.bytes : part(folders.reduce((sum, each) => sum + bytesIn(each), 0));
  if (bytes < limits.bytes)
    log.info(
      `${folder}: at most ${bytes} bytes wait there, not ${limits.bytes}: its disk has room for no more`,
    );
  return {
    clock,
    limits: { ...limits, bytes },
    backlogAfter,
    ...(tiers.length === 0 ? {} : { tiers, condenser: condenserOf(formsOf(plans)) }),
    // What a chain of before was that none writes to now nobody knows; it waits for its pipeline.
    laneOf: (chain) => lanes.get(chain) ?? { connection: "", lane: "live", ordered: true },
    uplinks: uplinkBudgets(settings.connections),
    shares: uplinkShares(folder),
  };
}

/** Up to where all of `pipelines` have come. Those that ran without each other are not where the others are. */
function positionsOf(
  folder: string,
  { positions }: Recovered,
  pipelines: readonly string[],
  sources: number,
): readonly Plain[] {
  const found = new Map<string, readonly Plain[]>();
  for (const name of pipelines) {
    const each = positions.get(name);
    if (each !== undefined) found.set(JSON.stringify(each), each);
  }
  if (found.size > 1 || (found.size === 1 && pipelines.some((name) => !positions.has(name)))) {
    throw new WeirError(
      "WEIR_STATE",
      `${folder}: its pipelines ran without each other, and have come to different places: ${pipelines.join(", ")}`,
      {
        remedy: "run those together that ran together last; a pipeline that may begin anew gets another name",
      },
    );
  }
  const [common] = found.values();
  return Array.from({ length: sources }, (_, input) => common?.[input] ?? null);
}

function awayOf({ positions, states }: Recovered, pipelines: readonly string[]): ReadonlyMap<string, Away> {
  const away = new Map<string, Away>();
  for (const [name, each] of positions) {
    if (pipelines.includes(name)) continue;
    const changes = (states.get(name) ?? []).map((change) => new Uint8Array(change));
    away.set(name, { positions: each, changes });
  }
  return away;
}

/**
 * Puts the runner where the log left it, but for pipelines that are to begin anew, and says whether there are any. What
 * was read of states is let go.
 */
async function restoreState(
  runner: Runner,
  { recovered, away }: State,
  { forget, forgetsChanged = false, clock, tell }: RestoreOptions,
): Promise<boolean> {
  let beginsAnew = false;
  for (const [name, changes] of recovered.states) {
    if (away.has(name)) continue;
    if (forget.includes(name)) {
      beginsAnew = true;
      continue;
    }
    try {
      await runner.restore(name, changes, clock.elapsed(), true);
    } catch (error) {
      if (!forgetsChanged || !(error instanceof WeirError) || error.code !== "WEIR_STATE_CHANGED")
        throw error;
      tell.warn(`${name}: it begins anew, as it was told to: ${error.message}`);
      beginsAnew = true;
    }
  }
  recovered.states.clear();
  return beginsAnew;
}

interface RestoreOptions {
  readonly forget: readonly string[];
  /** One whose steps were changed begins anew as well. */
  readonly forgetsChanged?: boolean;
  readonly clock: Clock;
  readonly tell: Log;
}

/** What a task is made of, beside its state. */
export interface DurableParts {
  readonly plans: readonly PipelinePlan[];
  readonly sources: readonly Source[];
  /** By source, where it begins a turn, which is written down at once: what comes before its first record is its own as well. */
  readonly beginnings: readonly Plain[] | null;
  readonly runner: Runner;
  readonly sinks: SinkSet;
  readonly senders: readonly Sender[];
  /** Rejects where something of it can never go on. */
  readonly failure: Promise<never>;
}

export interface TaskOptions {
  readonly settings: Pick<DeviceSettings, "forget" | "commit_ms">;
  readonly forgetsChanged?: boolean;
  readonly clock: Clock;
  readonly log: Log;
}

/** A task that goes on where its state was left. */
export async function durableTask(
  state: State,
  { plans, failure, beginnings, ...parts }: DurableParts,
  { settings, log: tell, clock, forgetsChanged }: TaskOptions,
): Promise<Task> {
  const { forget, commit_ms } = settings;
  const told = forgetsChanged === undefined ? {} : { forgetsChanged };
  const beginsAnew = await restoreState(parts.runner, state, { forget, clock, tell, ...told });
  const { log, snapshotBytes, outbox, away } = state;
  const task = new DurableTask({
    ...parts,
    positions: beginnings ?? state.positions,
    log,
    lastSnapshotBytes: snapshotBytes,
    outbox,
    away,
    clock,
    tell,
    pipelines: plans.map(({ name }) => name),
    commit_ms,
    beginsAnew: beginsAnew || beginnings !== null,
  });
  failure.catch((error: unknown) => task.fail(error));
  return task;
}
