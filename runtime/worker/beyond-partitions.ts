// Whether a stream has messages of partitions that a pipeline does not count, which nobody reads. Asks when the first partition
// is opened, and of a stream that is empty again and again until it holds something; what cannot be told is no fault.

import { type Clock, sleep } from "../clock.ts";
import { managerOf } from "../connect/jetstream-requests.ts";
import type { NatsLink } from "../connect/nats-connection.ts";
import type { Log } from "../log.ts";
import { subscriptionOf } from "../pipeline/subject.ts";

/** How long an empty stream is left alone before it is looked at again: longer each time, ms. */
const again_ms = { first: 10_000, most: 600_000 };

/** `count`: how many partitions the pipeline has. The first one beyond them is looked at: mappings leave none out. */
export async function warnOfUnread(
  link: NatsLink,
  { stream, subject, count }: { readonly stream: string; readonly subject: string; readonly count: number },
  log: Pick<Log, "warn">,
  clock: Clock,
): Promise<void> {
  const beyond = subscriptionOf(subject, count);
  for (let wait = again_ms.first; ; wait = Math.min(2 * wait, again_ms.most)) {
    try {
      const { streams } = await managerOf(link, null);
      const { state } = await streams.info(stream, { subjects_filter: beyond });
      if (Object.keys(state.subjects ?? {}).length > 0) break;
      if (state.messages > 0) return;
    } catch {
      return;
    }
    await sleep(clock, wait);
  }
  log.warn(
    `stream ${stream} has messages under ${beyond}, and nobody reads them: placement says ${count} partitions (0 to ${count - 1}); write as many as the nats-server's mapping makes`,
  );
}
