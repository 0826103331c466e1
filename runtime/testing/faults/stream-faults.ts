// Faults of the streams themselves: full, overtaken, emptied, deleted, made anew.

import { cloudStreams } from "./cloud.ts";
import { insist, type Scenario } from "./scenario.ts";
import { limits } from "../../limits.ts";
import { lasting, until } from "./waiting.ts";
import { onSource } from "./source-stream.ts";
import { sourceStream } from "./publisher.ts";

const sourceMessages = 40;

export const streamFaults: readonly Scenario[] = [
  {
    name: "F47",
    about: "the cloud's stream is full and refuses what is new, until it has room again",
    async run(world) {
      world.begin();
      await world.flows();
      const { manager } = world.cloud;
      const { state } = await manager.streams.info(cloudStreams.raw);
      // More than what may come until it is so: a stream that holds more then drops the oldest.
      const full = { max_msgs: state.messages + 25, discard: "new" as const };
      await manager.streams.update(cloudStreams.raw, full as Parameters<typeof manager.streams.update>[1]);
      await world.alive("a full stream", async () => (await world.cloud.count("raw")) >= full.max_msgs);
      await lasting(2_000);
      await manager.streams.update(cloudStreams.raw, { max_msgs: -1 });
      await world.flows();
    },
  },
  {
    name: "F48",
    about: "the source's stream drops what was not read: the gap is counted to the message",
    // While the worker runs, no more waits than the stream holds.
    world: { sourceMessages, ahead: (sourceMessages / 2) * limits.faults_message_lines },
    async run(world) {
      world.begin();
      await world.flows();
      await world.publisher.stop();
      await world.alive(
        "all that was published",
        () => world.cloud.arrived === world.publisher.published - 1,
      );
      await world.killWorker();
      const { published, ahead } = world.publisher;
      world.publisher.ahead = Number.MAX_SAFE_INTEGER;
      world.publisher.start();
      const wanted = published + sourceMessages * 3 * limits.faults_message_lines;
      await until("more than the stream holds", () => world.publisher.published >= wanted);
      await world.publisher.stop();
      world.publisher.ahead = ahead;
      const { first_seq } = await onSource(
        world,
        async (manager) => (await manager.streams.info(sourceStream)).state,
      );
      const gone = world.publisher.unread(first_seq - 1, published - 1);
      for (const seq of gone) world.mayLack.add(seq);
      world.startWorker();
      await world.alive("what was kept", () => world.cloud.arrived === world.publisher.published - 1);
      const code = await world.endWorker();
      insist(code === 0, `SIGTERM ended the worker with ${code}:\n${world.worker.said()}`);
      const counted = world.worker.statusAtEnd()?.[0]?.sources[0]?.dropped["gap"] ?? 0;
      const expected = world.publisher.messagesOf(gone);
      insist(counted === expected, `the source counted a gap of ${counted} messages; it was ${expected}`);
      world.startWorker();
      world.publisher.start();
      await world.flows();
    },
  },
  {
    name: "F49",
    about: "the source's stream is emptied, then deleted and made anew",
    async run(world) {
      world.begin();
      await world.flows();
      await world.publisher.stop();
      await world.alive(
        "all that was published",
        () => world.cloud.arrived === world.publisher.published - 1,
      );
      await onSource(world, (manager) => manager.streams.purge(sourceStream));
      world.publisher.start();
      await world.flows();
      await world.publisher.stop();
      await world.alive(
        "all that was published",
        () => world.cloud.arrived === world.publisher.published - 1,
      );
      await onSource(world, async (manager) => {
        const { config } = await manager.streams.info(sourceStream);
        await manager.streams.delete(sourceStream);
        await manager.streams.add({ name: sourceStream, subjects: config.subjects });
      });
      world.publisher.start();
      await world.flows();
    },
  },
];
