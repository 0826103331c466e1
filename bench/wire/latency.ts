// `npm run bench -- latency`: from when a record was meant to be sent until its row is at a subscriber of the sink,
// over a real nats-server, at a half and at four fifths of the rate that the worker sustains. Open loop: the publisher
// waits for nobody, and a record that it sends late counts from its own time (coordinated omission).

import { fileURLToPath } from "node:url";
import { sleep, wallClock } from "../../runtime/clock.ts";
import { type RunningNatsServer, startNatsServer } from "../../runtime/connect/nats-server.ts";
import { judge, type Report } from "../report.ts";
import { Program } from "../program.ts";
import type { PublisherAnswer } from "./publisher.ts";
import type { ReceiverAnswer, ReceiverKind } from "./receiver.ts";
import type { SubscriberAnswer, SubscriberOrder } from "./subscriber.ts";

const subject = "bench.latency";
const rowSubject = "bench.rows";
const pipeline: string = fileURLToPath(new URL("./latency.yaml", import.meta.url));
/** Every other record passes. */
const passing = 2;
const loads = [0.5, 0.8] as const;
const wanted_p99_ms = 10;
/** Of which the one in the middle counts: a pause of another program is a percent of one. */
const runsOfLoad = 5;
/** Tried one after the other until the worker falls behind. */
const rates = [50_000, 100_000, 150_000, 200_000, 300_000, 400_000, 600_000] as const;
/** A worker that is so far behind when the last record was sent does not sustain the rate. */
const behind_ms_max = 200;

interface Measured {
  readonly rate: number;
  readonly p50_ms: number;
  readonly p99_ms: number;
  readonly last_ms: number;
}

/** Who is measured, and the stream that its rows go to; empty: core NATS. */
export interface Measuring {
  readonly kind: ReceiverKind;
  readonly rows: string;
}

/** Publishes at a rate, and takes the latency of every row after the first second. */
export async function measureLatency(
  server: RunningNatsServer,
  rate: number,
  seconds: number,
  { kind, rows }: Measuring = { kind: "weir", rows: "" },
): Promise<Measured> {
  const records = Math.floor(rate * seconds);
  const subscriber = new Program<SubscriberAnswer>(
    new URL("./subscriber.ts", import.meta.url),
    [server.url, rowSubject, Math.ceil(records / passing)],
    { name: "subscriber" },
  );
  const receiver = new Program<ReceiverAnswer>(
    new URL("./receiver.ts", import.meta.url),
    [kind, server.url, subject, "", records, 1, pipeline, rows],
    { name: "receiver" },
  );
  const publisher = new Program<PublisherAnswer>(
    new URL("./publisher.ts", import.meta.url),
    [server.port, subject, "", 1],
    { name: "publisher" },
  );
  try {
    await subscriber.next("ready");
    await publisher.next("ready");
    receiver.send({});
    await receiver.next("ready");
    publisher.send({ kind: "paced", rate, seconds });
    await publisher.next("sent");
    await receiver.next("done");
    await sleep(wallClock, behind_ms_max);
    const order: SubscriberOrder = { skip: Math.floor(rate / passing) };
    subscriber.send(order);
    const { p50_ms, p99_ms, last_ms } = await subscriber.next("figures");
    return { rate, p50_ms, p99_ms, last_ms };
  } finally {
    publisher.end();
    receiver.end();
    subscriber.end();
  }
}

/** The highest of the rates that the worker keeps up with. */
async function sustainable(server: RunningNatsServer, seconds: number, report: Report): Promise<number> {
  let sustained = rates[0] as number;
  for (const rate of rates) {
    // A core subscription cannot make its publisher wait: what it could not take is lost, and never comes.
    const measured = await measureLatency(server, rate, seconds).catch(() => null);
    if (measured === null) {
      report.note(`  ${rate} records/s: some were lost`);
      break;
    }
    const { p50_ms, last_ms } = measured;
    report.note(`  ${rate} records/s: median ${p50_ms.toFixed(1)} ms, the last ${last_ms.toFixed(0)} ms`);
    if (last_ms > behind_ms_max) break;
    sustained = rate;
  }
  return sustained;
}

export interface LatencyOptions {
  readonly quick: boolean;
}

export async function benchLatency({ quick }: LatencyOptions, report: Report): Promise<boolean> {
  const server = await startNatsServer({ name: `weir-bench-${process.pid}` }, process.env);
  try {
    report.note(
      "latency from the intended time of sending to a subscriber of the sink; half of the records pass",
    );
    const rate = await sustainable(server, quick ? 2 : 4, report);
    for (const load of loads) {
      const seconds = quick ? 3 : 10;
      const runs: Measured[] = [];
      for (let run = 0; run < (quick ? 1 : runsOfLoad); run++)
        runs.push(await measureLatency(server, rate * load, seconds));
      const { p50_ms, p99_ms } = runs.toSorted((a, b) => a.p99_ms - b.p99_ms)[runs.length >>> 1]!;
      const percent = `${load * 100} % of the sustainable rate`;
      const result = { suite: "latency", workload: percent, engine: "weir", threads: 1 };
      const records = Math.floor(rate * load * seconds);
      report.result({ ...result, records, records_per_s: rate * load, p50_ms, p99_ms });
      const all = runs.map((each) => each.p99_ms);
      if (load === loads[0]) judge(report, `p99 at ${percent}`, "ms", all, wanted_p99_ms);
    }
    return true;
  } finally {
    await server.stop();
  }
}
