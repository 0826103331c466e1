// The source's stream as whoever causes faults sees it: asked by a connection of its own, which is gone afterwards.

import { jetstreamManager, type JetStreamManager } from "@nats-io/jetstream";
import { silentLog } from "../../connect/connector-log.ts";
import { connectNats } from "../../connect/nats-connection.ts";
import type { World } from "./world.ts";

export async function onSource<T>(
  { edge }: Pick<World, "edge">,
  task: (manager: JetStreamManager) => Promise<T>,
): Promise<T> {
  const link = await connectNats({ name: "faults", servers: edge.url }, silentLog);
  try {
    return await task(await jetstreamManager(link.nats));
  } finally {
    await link.close();
  }
}
