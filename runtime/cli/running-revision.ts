// What runs on a host in the place of what is wanted of it: a revision that was gone back to because the newer one failed. Asks the
// device, which need not answer; decides nothing.

import { z } from "zod";
import type { NatsLink } from "../connect/nats-connection.ts";
import { askService } from "../connect/service.ts";
import { deviceStatusSubject, fleet } from "../supervisor/control-subjects.ts";
import type { DesiredBucket, DesiredEntry, HostDesired } from "../supervisor/desired-bucket.ts";

const answerOfDevice = z.object({
  pipelines: z.array(z.object({ name: z.string(), runs: z.string().nullable() })),
});

/** By pipeline, the revision that runs; none of a device that does not answer. */
async function revisionsOn(link: NatsLink, host: string): Promise<ReadonlyMap<string, string>> {
  try {
    const { pipelines } = answerOfDevice.parse(await askService(link, deviceStatusSubject(host), null));
    return new Map(pipelines.flatMap(({ name, runs }) => (runs === null ? [] : [[name, runs] as const])));
  } catch {
    return new Map();
  }
}

/** `present` with what runs in the place of what is wanted, as far as the device says so and the bucket remembers it. */
export async function asItRuns(
  link: NatsLink,
  bucket: DesiredBucket,
  host: string,
  present: HostDesired,
): Promise<HostDesired> {
  // What is wanted of no host by name may run on many.
  if (host === fleet) return present;
  const running = await revisionsOn(link, host);
  const pipelines = new Map<string, DesiredEntry>();
  for (const [name, entry] of present.pipelines) {
    const runs = running.get(name) ?? entry.pipeline.revision;
    const history = runs === entry.pipeline.revision ? [] : await bucket.history(host, name);
    pipelines.set(name, history.findLast(({ pipeline }) => pipeline.revision === runs) ?? entry);
  }
  return { ...present, pipelines };
}
