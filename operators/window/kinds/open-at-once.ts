// How many panes or windows of a key may be open at once, by trying every moment that matters. Arithmetic
// only.

/** Windows that begin one after the other. */
export interface Windows {
  /** Where the first window begins that ends after `time`. */
  openAt(time: number): number;
  /** Where the window begins that follows the one at `start`. */
  next(start: number): number;
  /** Where the window ends that begins at `start`. */
  windowEnd(start: number): number;
}

/** Windows in a row that show every length: the shifts of a day, the months of two years. */
const windowsShown = 24;
/** More are not open in any table. */
const openMax = 100_000;

/**
 * Those that `next` leads through, from the first that is kept when the watermark is just before the end of
 * a window, up to that which holds the latest time that may have come. `kept`: how long after its end a
 * window takes records, ms.
 */
export function openAtOnce(
  { openAt, next, windowEnd }: Windows,
  nextOf: (start: number) => number,
  lateness: number,
  kept: number,
): number {
  let most = 0;
  let start = openAt(0);
  for (let i = 0; i < windowsShown; i++) {
    const ended = windowEnd(start);
    start = next(start);
    const newest = windowEnd(start) - 1 + lateness;
    let count = 0;
    for (let at = openAt(ended - kept); at <= newest && count < openMax; at = nextOf(at)) count++;
    most = Math.max(most, count);
  }
  return most;
}
