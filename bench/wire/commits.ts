// `npm run bench -- commits`: what it costs that nothing is lost and nothing comes twice. A worker with a state folder
// against the same without one, from a stream to a stream: how many records a second, and how much later a row arrives.

import { type RunningNatsServer, startNatsServer } from "../../runtime/connect/nats-server.ts";
import { atMost, type Report } from "../report.ts";
import { folderOf } from "../side-by-side/workload.ts";
import { uc2 } from "../workloads/theodolite/uc2/workload.ts";
import { measureLatency, type Measuring } from "./latency.ts";
import { benchSettings, type Setting, type WireOptions } from "./wire.ts";

const compared = {
  kinds: ["durable", "weir"],
  stream: true,
  perMessage: 1,
  window: 50_000,
  want: 0.8,
} as const;

const settings: readonly Setting[] = [
  {
    ...compared,
    workload: "uc2, stream to stream",
    pipeline: new URL("weir.yaml", folderOf(uc2)),
    rows: "COMMITS",
    records: 1_000_000,
  },
  {
    ...compared,
    workload: "every record forwarded, stream to stream",
    pipeline: new URL("./forward.yaml", import.meta.url),
    rows: "COMMITS",
    records: 200_000,
  },
];

/** Records a second while latency is taken: a gateway's. */
const rate = 2_000;
const added_p99_ms_max = 150;

async function benchAddedLatency(
  server: RunningNatsServer,
  { quick }: WireOptions,
  report: Report,
): Promise<void> {
  const seconds = quick ? 4 : 15;
  const both: readonly (Measuring & { readonly engine: string })[] = [
    { kind: "weir", rows: "COMMITS", engine: "weir" },
    { kind: "durable", rows: "COMMITS", engine: "weir, with a state folder" },
  ];
  const p99: number[] = [];
  for (const { engine, ...measuring } of both) {
    const { p50_ms, p99_ms } = await measureLatency(server, rate, seconds, measuring);
    p99.push(p99_ms);
    const result = { suite: "commits", workload: `latency at ${rate} records/s`, engine, threads: 1 };
    report.result({ ...result, records: rate * seconds, records_per_s: rate, p50_ms, p99_ms });
  }
  const [without, durable] = p99 as [number, number];
  report.verdict(
    atMost(
      `p99 added by commits every 100 ms, against ${added_p99_ms_max} ms`,
      (durable - without) / added_p99_ms_max,
      1,
    ),
  );
}

export async function benchCommits(options: WireOptions, report: Report): Promise<boolean> {
  const right = await benchSettings("commits", settings, options, report);
  const server = await startNatsServer({ name: `weir-bench-${process.pid}` }, process.env);
  try {
    await benchAddedLatency(server, options, report);
  } finally {
    await server.stop();
  }
  return right;
}
