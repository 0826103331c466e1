// `npm run bench -- nats`: UC2 over a real nats-server of its own, one record a message and a hundred, over core NATS
// and JetStream, beside the bare client that receives the same and does nothing with it. Publisher, server and
// receiver share the machine's processors.

import { fileURLToPath } from "node:url";
import { jetstreamManager, StorageType } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { stopwatch } from "../../runtime/clock.ts";
import { type RunningNatsServer, startNatsServer } from "../../runtime/connect/nats-server.ts";
import { spreadOf } from "../pairs.ts";
import type { Report } from "../report.ts";
import { folderOf } from "../side-by-side/workload.ts";
import { streamFile } from "../workloads/stream.ts";
import { uc2 } from "../workloads/theodolite/uc2/workload.ts";
import { Program } from "../program.ts";
import type { PublisherAnswer } from "./publisher.ts";
import type { ReceiverAnswer, ReceiverKind } from "./receiver.ts";

type Pair = readonly [ReceiverKind, ReceiverKind];
const engineNames: Readonly<Record<ReceiverKind, string>> = {
  weir: "weir",
  durable: "weir, with a state folder",
  bare: "bare client",
};

export interface Setting {
  readonly workload: string;
  /** What is measured, and against what. */
  readonly kinds: Pair;
  /** The pipeline, and the stream that its rows go to; null: core NATS. */
  readonly pipeline: URL;
  readonly rows: string | null;
  readonly stream: boolean;
  readonly perMessage: number;
  readonly records: number;
  /** Messages that may be under way: more than a receiver needs to be busy, less than a source's queue and a server hold. */
  readonly window: number;
  /** How many times the other's rate; null where nothing is wanted. */
  readonly want: number | null;
}

const received = {
  kinds: ["weir", "bare"],
  pipeline: new URL("weir.yaml", folderOf(uc2)),
  rows: null,
} as const;

const settings: readonly Setting[] = [
  {
    ...received,
    workload: "uc2, core NATS",
    stream: false,
    perMessage: 1,
    records: 1_000_000,
    window: 50_000,
    want: 0.9,
  },
  {
    ...received,
    workload: "uc2, core NATS, 100 a message",
    stream: false,
    perMessage: 100,
    records: 10_000_000,
    window: 2_000,
    want: null,
  },
  {
    ...received,
    workload: "uc2, JetStream",
    stream: true,
    perMessage: 1,
    records: 500_000,
    window: 50_000,
    want: 0.85,
  },
  {
    ...received,
    workload: "uc2, JetStream, 100 a message",
    stream: true,
    perMessage: 100,
    records: 5_000_000,
    window: 2_000,
    want: null,
  },
];

export interface WireOptions {
  readonly quick: boolean;
  readonly pairs: number;
}

interface Taken {
  readonly records_per_s: number[];
  cpu_s: number;
}

/** Puts all messages into the stream, once. */
async function fill(
  server: RunningNatsServer,
  stream: string,
  subject: string,
  publisher: Publisher,
): Promise<void> {
  const client = await connect({ servers: server.url });
  const manager = await jetstreamManager(client);
  await manager.streams.add({ name: stream, subjects: [subject], storage: StorageType.Memory });
  publisher.send({ kind: "all", window: Number.MAX_SAFE_INTEGER });
  await publisher.next("sent");
  for (let before = -1; ; ) {
    const { state } = await manager.streams.info(stream);
    if (state.messages === before) break;
    before = state.messages;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  await client.close();
}

type Publisher = Program<PublisherAnswer>;
type Receiver = Program<ReceiverAnswer>;

/** One pass: from when the receiver listens until it has all. */
async function pass(publisher: Publisher, receiver: Receiver, { stream, window }: Setting): Promise<number> {
  const began = stopwatch();
  receiver.send({});
  await receiver.next("ready");
  const started = stream ? began : stopwatch();
  if (!stream) publisher.send({ kind: "all", window });
  await receiver.next("done");
  const wall_ms = stopwatch() - started;
  if (!stream) await publisher.next("sent");
  await receiver.next("closed");
  return wall_ms;
}

/** `name`: unique among those that use the server. */
async function benchSetting(
  server: RunningNatsServer,
  name: string,
  setting: Setting,
  { pairs, suite }: WireOptions & { readonly suite: string },
  report: Report,
): Promise<void> {
  const { workload, perMessage, records, want, kinds } = setting;
  const subject = `bench.${name}`;
  const stream = setting.stream ? name : "";
  const publisher: Publisher = new Program(
    new URL("./publisher.ts", import.meta.url),
    [server.port, subject, streamFile(uc2, records), perMessage],
    { name: "publisher" },
  );
  const pipeline = fileURLToPath(setting.pipeline);
  const receivers = kinds.map(
    (kind): Receiver =>
      new Program(
        new URL("./receiver.ts", import.meta.url),
        [kind, server.url, subject, stream, records, perMessage, pipeline, setting.rows ?? ""],
        {
          name: engineNames[kind],
          hear: (answer) => {
            if (answer.kind === "received") publisher.send(answer);
          },
        },
      ),
  );
  try {
    await publisher.next("ready");
    if (setting.stream) await fill(server, stream, subject, publisher);
    const taken = kinds.map((): Taken => ({ records_per_s: [], cpu_s: 0 }));
    for (let round = -1; round < pairs; round++) {
      for (const each of round % 2 === 0 ? [0, 1] : [1, 0]) {
        const receiver = receivers[each]!;
        const before = receiver.processorSeconds() ?? 0;
        const wall_ms = await pass(publisher, receiver, setting);
        if (round < 0) continue;
        taken[each]!.records_per_s.push((records / wall_ms) * 1000);
        taken[each]!.cpu_s += (receiver.processorSeconds() ?? 0) - before;
      }
    }
    kinds.forEach((kind, each) => {
      const { records_per_s, cpu_s } = taken[each]!;
      const peak = receivers[each]!.peakResident_mb();
      report.result({
        suite,
        workload,
        engine: engineNames[kind],
        threads: 1,
        records,
        records_per_s: spreadOf(records_per_s).median,
        cpu_s_per_m_records: (cpu_s / (records * pairs)) * 1e6,
        ...(peak === null ? {} : { peak_rss_mb: peak }),
      });
    });
    if (want !== null) {
      const target = `${workload}: ${kinds.map((kind) => engineNames[kind]).join(" against ")}`;
      reportRatio(target, want, taken as [Taken, Taken], report);
    }
  } finally {
    for (const program of [publisher, ...receivers]) program.end();
  }
}

function reportRatio(
  target: string,
  want: number,
  [weir, other]: readonly [Taken, Taken],
  report: Report,
): void {
  const { median, min, max } = spreadOf(
    weir.records_per_s.map((rate, round) => rate / other.records_per_s[round]!),
  );
  report.verdict({
    target,
    ratio: median,
    ratio_min: min,
    ratio_max: max,
    pairs: weir.records_per_s.length,
    want,
    bound: "least",
    met: median >= want,
  });
}

export function benchWire(options: WireOptions, report: Report): Promise<boolean> {
  return benchSettings("nats", settings, options, report);
}

/** Settings one after the other, on a server of their own. */
export async function benchSettings(
  suite: string,
  all: readonly Setting[],
  options: WireOptions,
  report: Report,
): Promise<boolean> {
  const server = await startNatsServer(
    { name: `weir-bench-${process.pid}`, extra: "max_payload: 8MB" },
    process.env,
  );
  try {
    for (const [place, setting] of all.entries()) {
      const records = options.quick ? setting.records / 10 : setting.records;
      report.note(`${setting.workload}: ${records} records, ${setting.perMessage} a message`);
      await benchSetting(server, `${suite}${place}`, { ...setting, records }, { ...options, suite }, report);
    }
    return true;
  } finally {
    await server.stop();
  }
}
