// Whether a stream has messages of partitions that a pipeline does not count, which nobody reads. Asks once, when the first
// partition is opened; what cannot be told is no fault.

import { managerOf } from "../connect/jetstream-requests.ts";
import type { NatsLink } from "../connect/nats-connection.ts";
import type { Log } from "../log.ts";
import { subscriptionOf } from "../pipeline/subject.ts";

/** `count`: how many partitions the pipeline has. The first one beyond them is looked at: mappings leave none out. */
export async function warnOfUnread(
  link: NatsLink,
  { stream, subject, count }: { readonly stream: string; readonly subject: string; readonly count: number },
  log: Pick<Log, "warn">,
): Promise<void> {
  const beyond = subscriptionOf(subject, count);
  try {
    const { streams } = await managerOf(link, null);
    const { state } = await streams.info(stream, { subjects_filter: beyond });
    if (Object.keys(state.subjects ?? {}).length === 0) return;
  } catch {
    return;
  }
  log.warn(
    `stream ${stream} has messages under ${beyond}, and nobody reads them: placement says ${count} partitions (0 to ${count - 1}); write as many as the nats-server's mapping makes`,
  );
}
