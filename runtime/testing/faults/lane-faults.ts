// Faults of two workers of which one packs rows into lanes and the other, in the cloud, makes rows of them again. What the second
// one writes is judged, so that nothing may be lost or come twice on the way through both.

import { dirname, join } from "node:path";
import { nanos } from "@nats-io/transport-node";
import { limits } from "../../limits.ts";
import { pipelineText } from "./pipeline.ts";
import { insist, type Scenario } from "./scenario.ts";
import type { WorkerProcess } from "./worker-process.ts";
import type { World } from "./world.ts";

const laneStream = "UP";
const unpackFile = "unpack.yaml";

const rawSink = `{ nats: { subject: "raw.rows", stream: RAW, to: cloud }, format: json, batch: { rows: 500 } }`;
const laneSink = `{ nats: { subject: "raw.rows", stream: ${laneStream}, to: cloud, delivery: lane }, format: json }`;

/** The usual pipeline, but that records leave it by a lane. Whatever waited, their order is judged. */
const packing = `${pipelineText.replace(rawSink, laneSink)}outbox: { backlog_after: never }\n`;

const unpacking = `name: unpack
source:
  nats: { subject: "up.{host}.{pipeline}.{lane}", stream: ${laneStream} }
  framing: lane
  format: json
  schema: { device: string, seq: float64, ts: time, value: float64 }
steps:
  - sink: { nats: { subject: "raw.rows", stream: RAW }, format: json, batch: { rows: 500 } }
`;

export const laneFaults: readonly Scenario[] = [
  {
    name: "F1+lanes",
    about:
      "SIGKILL at random moments of a worker that sends lanes, and of the one in the cloud that unpacks them",
    world: { pipeline: packing, files: { [unpackFile]: unpacking } },
    async run(world, isShort) {
      await world.cloud.manager.streams.add({
        name: laneStream,
        subjects: ["up.>"],
        duplicate_window: nanos(limits.faults_duplicate_window_ms),
      });
      world.begin();
      let unpacker = startUnpacker(world);
      for (let kill = 0; kill < (isShort ? 4 : 24); kill++) {
        await world.flows(world.random.between(500, 6_000));
        const who = world.random.pick(["packs", "unpacks", "both"] as const);
        if (who !== "unpacks") await world.killWorker();
        if (who !== "packs") {
          await killed(world, unpacker);
          unpacker = startUnpacker(world);
        }
        if (who !== "unpacks") world.startWorker();
      }
      await world.flows();
      const { state } = await world.cloud.manager.streams.info(laneStream);
      insist(state.messages > 0, "no row went by a lane");
    },
  },
];

/** It is in the cloud: no bad link is between it and the server. */
function startUnpacker(world: World): WorkerProcess {
  return world.startAnother({
    pipelines: [join(dirname(world.file), unpackFile)],
    state: join(world.folder, "unpacker"),
    connections: [world.cloudServer.url],
  });
}

async function killed(world: World, unpacker: WorkerProcess): Promise<void> {
  insist(!unpacker.hasEnded, `the worker that unpacks ended by itself:\n${unpacker.said()}`);
  await unpacker.kill();
  world.crashes++;
}
