// What the demonstrations have in common whose workers keep state and run apart from them. Asks and waits; starts nothing.

import { sleep, stopwatch, wallClock } from "../clock.ts";
import { managerOf } from "../connect/jetstream-requests.ts";
import { connectNats } from "../connect/nats-connection.ts";
import type { LoadedPipeline } from "../engine/loader.ts";
import type { Log } from "../log.ts";
import type { WorkerStatus } from "../worker/worker.ts";
import type { Display } from "./demo-display.ts";
import { sensorStream } from "./demo-servers.ts";

export interface DurableOptions {
  readonly files: readonly string[];
  readonly pipelines: readonly LoadedPipeline[];
  /** The pipelines that read what the edge keeps. */
  readonly readers: readonly string[];
  readonly display: Display;
  readonly for_ms: number | null;
  readonly interrupted: AbortSignal;
}

/** Sources count what they read since the last start; the state knows all. */
export function countedByState(statuses: readonly WorkerStatus[]): readonly WorkerStatus[] {
  return statuses.map((status) => ({
    ...status,
    sources: status.sources.map((source) => ({ ...source, records: status.pipeline.branches[0]?.in ?? 0 })),
  }));
}

/** Records that the edge's stream holds: what the feeds were told of may have been stored twice. */
export async function storedAt(edge: { readonly url: string }, log: Log): Promise<number> {
  const link = await connectNats({ name: "demo-edge", servers: edge.url }, log);
  try {
    const manager = await managerOf(link, null);
    return (await manager.streams.info(sensorStream)).state.messages;
  } finally {
    await link.close();
  }
}

/** Waits for a condition, but not for ever: what did not come about is a fault that the figures show. */
export async function untilSo(ms: number, condition: () => boolean | Promise<boolean>): Promise<boolean> {
  const start = stopwatch();
  while (stopwatch() - start < ms) {
    if (await condition()) return true;
    await sleep(wallClock, 20);
  }
  return condition();
}
