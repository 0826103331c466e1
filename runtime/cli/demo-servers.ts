// The two machines of the demonstration: a nats-server that stands for the device, one that stands for the
// cloud, both real and both on this machine. Holds no data that outlives it.

import { connectNats, type NatsLink } from "../connect/nats-connection.ts";
import {
  findNatsServer,
  missingServerError,
  type RunningNatsServer,
  startNatsServer,
} from "../connect/nats-server.ts";
import { asker, managerOf } from "../connect/jetstream-requests.ts";
import { ensureStream } from "../connect/jetstream-stream.ts";
import type { Log } from "../log.ts";

export interface DemoServers {
  readonly edge: RunningNatsServer;
  readonly cloud: RunningNatsServer;
  /** Ends both and removes what they stored. */
  stop(): Promise<void>;
}

/** Where the sensors' records are kept on the edge until they are condensed. */
export const sensorStream = "SENSORS";

/** Starts both, or neither. Throws a WeirError when there is no nats-server on this machine. */
export async function startServers(
  environment: Readonly<Record<string, string | undefined>>,
): Promise<DemoServers> {
  const command = await findNatsServer(environment);
  if (command === null) throw missingServerError(process.platform);
  const started = await Promise.allSettled([
    startNatsServer({ name: "edge", domain: "edge", mqtt: true, command }, environment),
    startNatsServer({ name: "cloud", command }, environment),
  ]);
  const [edge, cloud] = started;
  if (edge.status === "fulfilled" && cloud.status === "fulfilled") {
    return {
      edge: edge.value,
      cloud: cloud.value,
      async stop() {
        await Promise.all([edge.value.stop(), cloud.value.stop()]);
      },
    };
  }
  for (const each of started) if (each.status === "fulfilled") await each.value.stop();
  throw edge.status === "rejected" ? edge.reason : (cloud as PromiseRejectedResult).reason;
}

/** Makes the stream that the feeds publish to and the pipelines read. */
export function makeSensorStream(edge: { readonly url: string }, log: Log): Promise<void> {
  return makeStream(edge, sensorStream, "sensors.>", log);
}

/** Makes the stream that two pipelines share. Each in a worker by itself, the first would make it for itself alone. */
export function makeAlarmStream(cloud: { readonly url: string }, log: Log): Promise<void> {
  return makeStream(cloud, "ALARMS", "alarm.>", log);
}

async function makeStream(
  server: { readonly url: string },
  name: string,
  subjects: string,
  log: Log,
): Promise<void> {
  const link: NatsLink = await connectNats({ name: "demo-streams", servers: server.url }, log);
  try {
    const manager = await managerOf(link, null);
    await ensureStream(
      asker("demo", { link, log }, () => false),
      manager,
      { name, subjects: [subjects] },
    );
  } finally {
    await link.close();
  }
}
