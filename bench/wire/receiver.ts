// The process that receives: weir as a worker with source and sink on the wire, with a state folder or without one, or the
// bare client whose callback counts. Does what the process that started it says, one pass at a time.
//
//     node bench/wire/receiver.ts KIND URL SUBJECT STREAM RECORDS RECORDS_PER_MESSAGE PIPELINE [STREAM_OF_ROWS]

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AckPolicy, jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { sleep, stopwatch, wallClock } from "../../runtime/clock.ts";
import { loadInput, type PipelineInput } from "../../runtime/engine/loader.ts";
import { messageOf, WeirError } from "../../runtime/errors.ts";
import { lawFaults } from "../../runtime/testing/harness.ts";
import { defaultSettings, withConnections } from "../../runtime/worker/settings.ts";
import { Worker } from "../../runtime/worker/worker.ts";

export type ReceiverKind = "weir" | "durable" | "bare";

/** A new pass is asked for by any message. */
export type ReceiverAnswer =
  | { readonly kind: "ready" }
  | { readonly kind: "received"; readonly messages: number }
  | { readonly kind: "done" }
  | { readonly kind: "closed" }
  | { readonly kind: "failed"; readonly message: string };

/** How often the publisher is told how far this has come. */
const progress_ms = 10;
/** The bare client acknowledges all up to every so many messages. */
const acknowledgeEvery = 512;

const [
  kind = "",
  url = "",
  subject = "",
  stream = "",
  recordText = "",
  perMessage = "",
  file = "",
  rows = "",
] = process.argv.slice(2);
const records = Number(recordText);
const messages = Math.ceil(records / Number(perMessage));

/** What receives: how many records so far, and its end. */
interface Receiver {
  received(): number;
  close(): Promise<void>;
}

let pass = 0;

function nameOfPass(): string {
  return `bench-${kind}-${process.pid}-${pass}`;
}

async function openBare(): Promise<Receiver> {
  const client = await connect({ servers: url });
  let received = 0;
  const subscription = client.subscribe(subject, { callback: () => void received++ });
  await client.flush();
  return {
    received: () => received * Number(perMessage),
    async close() {
      subscription.unsubscribe();
      await client.close();
    },
  };
}

async function openBareStream(): Promise<Receiver> {
  const client = await connect({ servers: url });
  const manager = await jetstreamManager(client);
  await manager.consumers.add(stream, { durable_name: nameOfPass(), ack_policy: AckPolicy.All });
  const consumer = await jetstream(client).consumers.get(stream, nameOfPass());
  let received = 0;
  const consuming = await consumer.consume({
    max_messages: 4_096,
    callback: (message) => {
      if (++received % acknowledgeEvery === 0 || received === messages) message.ack();
    },
  });
  return {
    received: () => received * Number(perMessage),
    async close() {
      consuming.stop();
      await client.flush();
      await client.close();
    },
  };
}

/** The workload's pipeline with its source and sink on the wire. */
function onTheWire(text: string): string {
  const source =
    stream === ""
      ? `nats: { subject: "${subject}" }`
      : `nats: { subject: "${subject}", stream: ${stream}, consumer: ${nameOfPass()} }`;
  const framing = perMessage === "1" ? "" : "\n  framing: lines";
  return text
    .replace(/^ {2}file: .*$/m, `  ${source}${framing}`)
    .replace(
      "sink: { stdout: {}",
      `sink: { nats: { subject: "bench.rows"${rows === "" ? "" : `, stream: ${rows}`} }`,
    );
}

async function openWeir(): Promise<Receiver> {
  const input: PipelineInput = { file, text: onTheWire(readFileSync(file, "utf8")), environment: {} };
  const loaded = await loadInput(input);
  if (loaded.plan === null) throw new WeirError("WEIR_CONFIG", loaded.diagnostics[0]?.message ?? "no plan");
  const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const state = kind === "durable" ? mkdtempSync(join(tmpdir(), "weir-bench-state-")) : null;
  const settings = { ...withConnections(defaultSettings({}), [url]), state };
  const worker = new Worker({ settings, clock: wallClock, log: silent, identity: nameOfPass() });
  await worker.open([loaded]);
  const running = worker.run();
  return {
    received: () => worker.status()[0]!.pipeline.branches[0]!.in,
    async close() {
      worker.stop().catch(() => undefined);
      await running;
      check(worker);
      await worker.close();
      if (state !== null) rmSync(state, { recursive: true, force: true });
    },
  };
}

function check(worker: Worker): void {
  const [status] = worker.status();
  const { pipeline, sources } = status!;
  const faults = lawFaults(pipeline.branches);
  const dropped = Object.values(sources[0]!.dropped).reduce((total, each) => total + each, 0);
  if (dropped > 0) faults.push(`${dropped} messages were dropped`);
  if (pipeline.branches[0]!.in !== records)
    faults.push(`${pipeline.branches[0]!.in} of ${records} records came in`);
  if (faults.length > 0) throw new WeirError("WEIR_INTERNAL", faults.join("; "));
}

function answer(message: ReceiverAnswer): void {
  process.send?.(message);
}

const open: () => Promise<Receiver> = kind !== "bare" ? openWeir : stream === "" ? openBare : openBareStream;

async function receive(): Promise<void> {
  pass++;
  const receiver = await open();
  answer({ kind: "ready" });
  const started = stopwatch();
  let before = -1;
  let moved = started;
  while (receiver.received() < records) {
    const received = receiver.received();
    if (received !== before) moved = stopwatch();
    else if (stopwatch() - moved > 10_000) throw new Error(`nothing came after ${received} records`);
    before = received;
    answer({ kind: "received", messages: Math.floor(received / Number(perMessage)) });
    await sleep(wallClock, progress_ms);
  }
  answer({ kind: "done" });
  await receiver.close();
  answer({ kind: "closed" });
}

process.on("message", () => {
  receive().catch((error: unknown) => answer({ kind: "failed", message: messageOf(error) }));
});
