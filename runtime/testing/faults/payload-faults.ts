// A server that takes smaller messages than it did, while rows come that are larger than that and rows that are not. What cannot
// be stored is dropped and counted, to the row; everything else goes on, and the larger ones as well once they may.

import { jetstream } from "@nats-io/jetstream";
import { connectNats } from "../../connect/nats-connection.ts";
import { silentLog } from "../../connect/connector-log.ts";
import { sourceStream, sourceSubject } from "./publisher.ts";
import { type NumberedRecord, recordAt, sampledBelow } from "./records.ts";
import { insist, type Scenario } from "./scenario.ts";
import type { World } from "./world.ts";

const payloadMax = 16_384;
const largeBytes = 30_000;
/** One record in so many has a note; each fourth of them is one that is too large while the server takes less. */
const notedEvery = 100;
const largeEvery = 4 * notedEvery;
const notesStream = "NOTES";

const isNoted = (seq: number): boolean => seq % notedEvery === 1;
const isLarge = (seq: number): boolean => seq % largeEvery === 1;

function noteOf(seq: number): string {
  if (!isNoted(seq)) return "";
  return "x".repeat(isLarge(seq) ? largeBytes : 20);
}

function notedLines(first: number, end: number): string {
  let text = "";
  for (let seq = first; seq < end; seq++)
    text += `${JSON.stringify({ ...recordAt(seq), note: noteOf(seq) })}\n`;
  return text;
}

const pipeline = `name: faults
source:
  nats: { subject: "${sourceSubject}", stream: ${sourceStream} }
  framing: lines
  format: json
  schema: { device: string, seq: float64, ts: time, value: float64, note: string }
  time: { field: ts, unit: ms, lateness: 2s }
steps:
  - branch:
      raw:
        - select: [device, seq, ts, value]
        - sink: { nats: { subject: "raw.rows", stream: RAW, to: cloud }, format: json, batch: { rows: 100 } }
      notes:
        - filter: note != ""
        - select: [seq, note]
        - sink: { nats: { subject: "notes.rows", stream: ${notesStream}, to: cloud }, format: json }
      windows:
        - window: { tumbling: 1s, by: device, select: { n: count(), total: sum(value) } }
        - sink: { nats: { subject: "win.{device}", stream: WIN, to: cloud }, format: json }
      samples:
        - filter: value < ${sampledBelow}
        - select: [device, seq, ts, value]
        - sink: { nats: { subject: "sub.{device}", stream: SUB, to: cloud, delivery: subject }, format: json }
`;

export const payloadFaults: readonly Scenario[] = [
  {
    name: "F51",
    about: "the cloud takes smaller messages for a while, by a reload and by a restart; some rows are larger",
    world: { pipeline, text: notedLines, ahead: 5_000 },
    async run(world, isShort) {
      const refused = new Set<number>();
      world.begin();
      for (const restarts of isShort ? [false] : [false, true, false, true]) {
        await world.flows();
        await rest(world, refused);
        await lowered(world, refused, restarts);
      }
      await world.flows();
      await rest(world, refused);
      const code = await world.endWorker();
      insist(code === 0, `SIGTERM ended the worker with ${code}:\n${world.worker.said()}`);
      const sinks = world.worker.statusAtEnd()?.[0]?.sinks ?? [];
      const counted = sinks.reduce((sum, { dropped }) => sum + (dropped["oversize"] ?? 0), 0);
      insist(counted === refused.size, `${counted} rows are counted as oversize; there were ${refused.size}`);
      await checkNotes(world, refused);
      world.startWorker();
      world.publisher.start();
      await world.flows();
    },
  },
];

/** What is published while the server takes less, and is too large, is said and not stored. */
async function lowered(world: World, refused: Set<number>, restarts: boolean): Promise<void> {
  const { cloudServer, publisher, worker } = world;
  const { heard } = worker;
  const settings = `max_payload: ${payloadMax}`;
  if (restarts) await cloudServer.restart(settings);
  else await cloudServer.reload(settings);
  const first = publisher.published;
  publisher.start();
  await world.alive("a row that is too large", () => worker.hasSaid("oversize", heard));
  await world.flows();
  await publisher.stop();
  for (let seq = first; seq < publisher.published; seq++) if (isLarge(seq)) refused.add(seq);
  await rest(world, refused);
  // A connection is told of it when it is made.
  await cloudServer.restart("");
  world.crashes += restarts ? 2 : 1;
  publisher.start();
}

/** Resolves once nothing is on its way any more. */
async function rest(world: World, refused: ReadonlySet<number>): Promise<void> {
  const { publisher, cloud } = world;
  await publisher.stop();
  const last = publisher.published - 1;
  const notes = expectedNotes(publisher.published, refused).length;
  await world.alive("all that was published", () => cloud.arrived === last);
  await world.alive(`${notes} notes`, async () => (await notesStored(world)) === notes);
}

function expectedNotes(published: number, refused: ReadonlySet<number>): readonly number[] {
  const all = Array.from({ length: published }, (_, seq) => seq);
  return all.filter((seq) => isNoted(seq) && !refused.has(seq));
}

/** -1 where nobody answers. */
async function notesStored({ cloud }: World): Promise<number> {
  return cloud.manager.streams.info(notesStream).then(
    ({ state }) => state.messages,
    () => -1,
  );
}

async function checkNotes(world: World, refused: ReadonlySet<number>): Promise<void> {
  const expected = expectedNotes(world.publisher.published, refused);
  const link = await connectNats({ name: "faults-notes", servers: world.cloudServer.url }, silentLog);
  try {
    const consumer = await jetstream(link.nats).consumers.get(notesStream);
    const found: number[] = [];
    for await (const message of await consumer.consume({ max_messages: 100 })) {
      const { seq, note } = message.json<NumberedRecord & { note: string }>();
      insist(note === noteOf(seq), `the note of record ${seq} is another one`);
      found.push(seq);
      if (found.length >= expected.length) break;
    }
    insist(found.join() === expected.join(), `notes ${found.join()}; expected ${expected.join()}`);
  } finally {
    await link.close();
  }
}
