// Which revision a pipeline goes back to, by what was wanted of it before. Pure.

/** A revision that was wanted; `back`: it was gone back to. */
export interface WantedOnce {
  readonly revision: string;
  readonly back: boolean;
}

/**
 * The one before the present, `present` being null where none is wanted just now; undefined where none is known. `history` is the
 * oldest first. What was gone back to takes away all that came after it, so that going back again leads one further, and an
 * older revision that somebody applies is as new as any.
 */
export function earlierRevision<T extends WantedOnce>(
  history: readonly T[],
  present: string | null,
): T | undefined {
  let way: readonly T[] = [];
  for (const each of history) {
    const at = way.findLastIndex(({ revision }) => revision === each.revision);
    // Of what was gone back to the bucket may remember nothing earlier any more.
    const before = each.back ? way.slice(0, Math.max(0, at)) : at === way.length - 1 ? way.slice(0, -1) : way;
    way = [...before, each];
  }
  return way.findLast(({ revision }) => revision !== present);
}
