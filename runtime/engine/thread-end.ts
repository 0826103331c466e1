// The end of a thread that runs code of a user's. One that is in a call of the system's which never returns does not end, and
// no process that waits for it does: then the whole process ends at once, as by a crash, and whoever started it starts it again.

import { wallClock } from "../clock.ts";
import { limits } from "../limits.ts";

/** What of a thread is needed. */
export interface Ending {
  terminate(): Promise<unknown>;
}

function endProcess(): void {
  // An orderly exit waits for all threads.
  process.kill(process.pid, "SIGKILL");
}

/** Resolves once the thread has ended; by the machine's own time, whatever a clock of the pipeline's says. */
export async function endThread(
  thread: Ending,
  giveUp: () => void = endProcess,
  most_ms: number = limits.operator_end_ms_max,
): Promise<void> {
  const hasEnded = thread.terminate().then(() => true);
  const waiting = Promise.withResolvers<false>();
  const cancel = wallClock.after(most_ms, () => waiting.resolve(false));
  if (!(await Promise.race([hasEnded, waiting.promise]))) giveUp();
  cancel();
}
