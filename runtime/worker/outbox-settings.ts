// The outbox of pipelines that share one, from what each of their files and the device say. Pure.

import { limits } from "../limits.ts";
import { mergedOutbox } from "../pipeline/outbox-spec.ts";
import type { OutboxSpec, Tier } from "../pipeline/pipeline.ts";
import type { OutboxLimits } from "../state/outbox/keep-within.ts";
import type { UplinkBudget } from "../state/outbox/uplink.ts";
import type { ConnectionSettings } from "./settings-spec.ts";

/** What an outbox is opened with. */
export interface OutboxSettings {
  readonly limits: OutboxLimits;
  readonly backlogAfter: number | null;
  readonly tiers: readonly Tier[];
}

/**
 * `device`: what holds where a file says nothing. Where files of one outbox differ, nobody gets less than they asked for:
 * the largest size and age, the longest order of rows, and no row is dropped or condensed unless all of them agree.
 */
export function outboxSettings(
  files: readonly OutboxSpec[],
  device: OutboxSpec = { tiers: [] },
): OutboxSettings {
  const specs = files.map((file) => mergedOutbox(file, device));
  const whenFull = specs.map(({ when_full = "wait" }) => when_full);
  const tiers = specs.map((spec) => spec.tiers);
  const areAlike = tiers.every((each) => JSON.stringify(each) === JSON.stringify(tiers[0]));
  const [first = "wait"] = whenFull;
  const ages = specs.map(({ age }) => age ?? Number.POSITIVE_INFINITY);
  const age = Math.max(...ages);
  const backlogs = specs.map(({ backlog_after: after = limits.outbox_backlog_ms_default }) =>
    after === "never" ? Number.POSITIVE_INFINITY : after,
  );
  const backlogAfter = Math.max(...backlogs);
  const isAgreed = whenFull.every((each) => each === first) && (first !== "condense" || areAlike);
  return {
    limits: {
      bytes: Math.max(...specs.map(({ bytes = limits.outbox_bytes_default }) => bytes)),
      age: Number.isFinite(age) ? age : null,
      whenFull: isAgreed ? first : "wait",
    },
    backlogAfter: Number.isFinite(backlogAfter) ? backlogAfter : null,
    tiers: areAlike ? (tiers[0] ?? []) : [],
  };
}

/** What there is for the state folders of a device. */
export interface DiskShare {
  /** Bytes that are free; null where nobody can tell. */
  readonly free: number | null;
  /** Bytes that all folders have already. */
  readonly held: number;
  readonly folders: number;
}

/**
 * The bytes of one folder's outbox: no more than its part of the disk has room for beside its log. On a disk that what waits had
 * filled no commit would be written any more, and so nothing sent.
 */
export function withinDisk(bytes: number, { free, held, folders }: DiskShare): number {
  if (free === null) return bytes;
  const part = (free + held) / Math.max(1, folders);
  const room = (part - limits.outbox_beside_bytes) * limits.outbox_disk_share;
  const most = Math.floor(Math.max(part * limits.outbox_small_disk_share, room));
  return Math.min(bytes, Math.max(limits.outbox_bytes_min, most));
}

/** The budgets of connections, by name. */
export function uplinkBudgets(
  connections: Readonly<Record<string, ConnectionSettings>>,
): ReadonlyMap<string, UplinkBudget> {
  return new Map(
    Object.entries(connections).flatMap(([name, { uplink }]) =>
      uplink === undefined ? [] : [[name, uplink]],
    ),
  );
}
