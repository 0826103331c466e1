// How much may be sent over a connection whose bytes are counted: alarms always, live rows within the budget, backlog what is
// left of the part of the period that has passed, so that it never takes what live rows may still need. Pure.

import { limits } from "../../limits.ts";
import type { KeptRow } from "./entry.ts";
import type { Lane } from "./lanes.ts";

export interface UplinkBudget {
  readonly bytes: number;
  /** ms; periods begin at multiples of it since the epoch. */
  readonly every: number;
}

/** What was sent since the period began. */
export interface UplinkUse {
  readonly from: number;
  readonly used: number;
}

/**
 * The use of the period that `now` is in. A clock that was set back opens no new one; where it was set back so far that
 * nothing would be sent for more than a period, what was used counts for the one that it shows now.
 */
export function useAt({ every }: UplinkBudget, use: UplinkUse | null, now: number): UplinkUse {
  const from = Math.floor(now / every) * every;
  if (use === null || use.from < from) return { from, used: 0 };
  return use.from - from > every ? { from, used: use.used } : use;
}

/** Bytes that may be sent now; 0 or less: none. */
export function uplinkRoom(lane: Lane, budget: UplinkBudget, use: UplinkUse, now: number): number {
  if (lane === "alarm") return Number.POSITIVE_INFINITY;
  if (lane === "live") return budget.bytes - use.used;
  const passed = Math.min(Math.max(now - use.from, 0), budget.every) / budget.every;
  return Math.floor(budget.bytes * passed) - use.used;
}

/** When to ask again where there is no room. */
export function uplinkRetry(lane: Lane, budget: UplinkBudget, use: UplinkUse, now: number): number {
  const end = use.from + budget.every;
  if (lane !== "backlog") return end;
  const wanted = use.used + backlogMessage(budget);
  return Math.max(Math.min(use.from + Math.ceil((wanted / budget.bytes) * budget.every), end), now + 1);
}

/** Whether backlog waits for its part of the budget. */
export function holdsBacklog(budget: UplinkBudget, use: UplinkUse, now: number): boolean {
  return uplinkRoom("backlog", budget, use, now) < backlogMessage(budget);
}

/** Backlog goes once there is room for a message of some size. */
function backlogMessage({ bytes }: UplinkBudget): number {
  return Math.min(limits.uplink_message_bytes, bytes / 100);
}

/** About what a row takes on the wire, `rowBytes` of it beside its own. */
export function wireBytes(
  { subject, payload, headers }: KeptRow,
  rowBytes: number = limits.uplink_row_bytes,
): number {
  let bytes = rowBytes + subject.length + payload.length;
  for (const name in headers) bytes += name.length + headers[name]!.length + 4;
  return bytes;
}
