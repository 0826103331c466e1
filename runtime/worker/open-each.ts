// Opens what a worker runs, one after the other, but behind one that waits for its server or its stream. Knows nothing of what
// is opened.

import type { Clock } from "../clock.ts";
import { limits } from "../limits.ts";

/**
 * Calls `open` for each in their order, each of them a while after the one before at the latest. Resolves once all are open;
 * rejects with the first fault, after which none is begun any more.
 */
export async function openEach<Group>(
  groups: readonly Group[],
  open: (group: Group) => Promise<void>,
  clock: Clock,
): Promise<void> {
  const openings: Promise<void>[] = [];
  for (const group of groups) {
    const opening = open(group);
    openings.push(opening);
    const { promise: patience, resolve } = Promise.withResolvers<void>();
    const cancel = clock.after(limits.worker_open_wait_ms, resolve);
    // Any of them may fail while the next ones are begun.
    await Promise.race([opening, patience, failureOf(openings)]).finally(cancel);
  }
  await Promise.all(openings);
}

/** Never resolves. */
function failureOf(openings: readonly Promise<void>[]): Promise<never> {
  return Promise.all(openings).then(() => new Promise<never>(() => undefined));
}
