// What becomes of a pipeline's state when another revision of it takes over: its windows and keys go on, or do not fit. Pure.

import { fingerprintOf, stepMarks } from "../engine/fingerprint.ts";
import type { PipelinePlan } from "../pipeline/pipeline.ts";

export interface StatePlan {
  /** False where the new revision is refused, unless it is told to forget. */
  readonly fits: boolean;
  /** Steps with state that goes on; empty where it does not fit. */
  readonly kept: readonly string[];
  /** Steps with state that would be lost. */
  readonly lost: readonly string[];
  /** Steps with state that are other than they were, new or gone. */
  readonly changed: readonly string[];
  /** How many threads it had and has, where its file says so and they are others; null: as its worker gives. */
  readonly threads: { readonly from: number | null; readonly to: number | null } | null;
}

export function statePlan(before: PipelinePlan, after: PipelinePlan): StatePlan {
  const [old, now] = [stepMarks(before), stepMarks(after)];
  const statefulOf = (marks: typeof old): readonly string[] =>
    [...marks].filter(([, { keepsState }]) => keepsState).map(([label]) => label);
  const [stateful, statefulNow] = [statefulOf(old), statefulOf(now)];
  const changed = [...new Set([...stateful, ...statefulNow])].filter(
    (label) => old.get(label)?.mark !== now.get(label)?.mark,
  );
  const { threads: from } = before.spec.placement;
  const { threads: to } = after.spec.placement;
  const threads = from === to ? null : { from, to };
  const same = Buffer.from(fingerprintOf(before)).equals(fingerprintOf(after));
  // A pipeline is kept as a whole. Where nothing keeps anything, counts are all that is at stake.
  return same
    ? { fits: true, kept: statefulNow, lost: [], changed: [], threads }
    : { fits: false, kept: [], lost: stateful, changed, threads };
}

export function statePlanText(
  name: string,
  { fits, kept, lost, changed }: StatePlan,
  forgets: boolean,
): string {
  if (fits)
    return kept.length === 0
      ? "it keeps no windows or keys"
      : `goes on with what it keeps: ${kept.join(", ")}`;
  const what = lost.length === 0 ? "its counts" : `what it keeps: ${lost.join(", ")}`;
  const why = changed.length === 0 ? "its sources or branches are others" : `changed: ${changed.join(", ")}`;
  return forgets
    ? `begins anew without ${what} (${why})`
    : `does not fit ${what} (${why}); the host goes back to the last good revision, or puts it aside where there is none, unless --forget ${name}`;
}

/** What becomes of its threads; null where they stay. */
export function threadsText({ threads }: StatePlan): string | null {
  if (threads === null) return null;
  const say = (count: number | null): string => (count === null ? "as many as its worker gives" : `${count}`);
  return `threads ${say(threads.from)} → ${say(threads.to)}: its worker goes over to them between two commits, and goes on`;
}
