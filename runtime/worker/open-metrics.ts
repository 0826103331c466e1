// What a worker counts, in the text of OpenMetrics 1.0. Pure: the same counts give the same text. Names keep their
// unit; a pipeline, a branch, a step and a reason are labels, never parts of a name.

import type { Heartbeat, PipelineBeat } from "../heartbeat.ts";
import type { WorkerStatus } from "./worker.ts";

export const openMetricsType = "application/openmetrics-text; version=1.0.0; charset=utf-8";

type Labels = Readonly<Record<string, string>>;

interface Sample {
  readonly labels: Labels;
  readonly value: number;
}

interface Family {
  readonly name: string;
  readonly kind: "counter" | "gauge";
  readonly help: string;
  readonly samples: readonly Sample[];
}

function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

function familyText({ name, kind, help, samples }: Family): string {
  if (samples.length === 0) return "";
  const ending = kind === "counter" ? "_total" : "";
  const lines = samples.map(({ labels, value }) => {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escaped(text)}"`);
    return `${name}${ending}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${numberText(value)}`;
  });
  return [`# TYPE ${name} ${kind}`, `# HELP ${name} ${escaped(help)}`, ...lines, ""].join("\n");
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (Number.isFinite(value)) return String(value);
  return value > 0 ? "+Inf" : "-Inf";
}

const counter = (name: string, help: string, samples: readonly Sample[]): Family => ({
  name,
  kind: "counter",
  help,
  samples,
});

const gauge = (name: string, help: string, samples: readonly Sample[]): Family => ({
  name,
  kind: "gauge",
  help,
  samples,
});

/** One sample for each reason. */
function byReason(labels: Labels, counts: Readonly<Record<string, number>>): Sample[] {
  return Object.entries(counts).map(([reason, value]) => ({ labels: { ...labels, reason }, value }));
}

function sourceFamilies(statuses: readonly WorkerStatus[]): Family[] {
  const sources = statuses.flatMap(({ name, sources: own }) =>
    own.map((source) => ({ source, labels: { pipeline: name, source: source.name } })),
  );
  return [
    counter(
      "weir_source_records",
      "Records read.",
      sources.map(({ source, labels }) => ({ labels, value: source.records })),
    ),
    counter(
      "weir_source_bytes",
      "Bytes read.",
      sources.map(({ source, labels }) => ({ labels, value: source.bytes })),
    ),
    counter(
      "weir_source_dropped_records",
      "Records that were never delivered.",
      sources.flatMap(({ source, labels }) => byReason(labels, source.dropped)),
    ),
    gauge(
      "weir_source_lag_records",
      "Records that wait at the source.",
      sources.flatMap(({ source, labels }) => (source.lag === null ? [] : [{ labels, value: source.lag }])),
    ),
    counter(
      "weir_source_deaf_seconds",
      "Time without a connection to a server that keeps nothing: what it published meanwhile is lost, uncounted.",
      sources.flatMap(({ source, labels }) =>
        source.deaf_ms === undefined ? [] : [{ labels, value: source.deaf_ms / 1_000 }],
      ),
    ),
  ];
}

function branchFamilies(statuses: readonly WorkerStatus[]): Family[] {
  const branches = statuses.flatMap(({ name, pipeline }) =>
    pipeline.branches.map((branch) => ({ branch, labels: { pipeline: name, branch: branch.name } })),
  );
  const of = (count: "in" | "out" | "held"): Sample[] =>
    branches.map(({ branch, labels }) => ({ labels, value: branch[count] }));
  return [
    counter("weir_branch_in_records", "Records that entered the branch.", of("in")),
    counter("weir_branch_out_records", "Records that stand in a row that was sent.", of("out")),
    gauge("weir_branch_held_records", "Records in open windows and queues.", of("held")),
    counter(
      "weir_branch_ledger_records",
      "Records that are in no row, by step and reason.",
      branches.flatMap(({ branch, labels }) =>
        branch.ledger.map(({ step, reason, records }) => ({
          labels: { ...labels, step, reason },
          value: records,
        })),
      ),
    ),
  ];
}

function sinkFamilies(statuses: readonly WorkerStatus[]): Family[] {
  const sinks = statuses.flatMap(({ name, sinks: own }) =>
    own.map((sink) => ({ sink, labels: { pipeline: name, branch: sink.branch } })),
  );
  const of = (count: "rows" | "bytes" | "pending"): Sample[] =>
    sinks.map(({ sink, labels }) => ({ labels, value: sink[count] }));
  return [
    counter("weir_sink_rows", "Rows confirmed.", of("rows")),
    counter("weir_sink_bytes", "Bytes confirmed.", of("bytes")),
    gauge("weir_sink_pending_rows", "Rows that wait to be confirmed.", of("pending")),
    counter(
      "weir_sink_dropped_rows",
      "Rows that will never arrive.",
      sinks.flatMap(({ sink, labels }) => byReason(labels, sink.dropped)),
    ),
  ];
}

/** What is known of pipelines in time. */
function pipelineFamilies({ at, pipelines }: Heartbeat): Family[] {
  const each = (value: (pipeline: PipelineBeat) => number | null): Sample[] =>
    pipelines.flatMap((pipeline) => {
      const known = value(pipeline);
      const { name, revision } = pipeline;
      return known === null ? [] : [{ labels: { pipeline: name, revision }, value: known }];
    });
  return [
    gauge(
      "weir_pipeline_running",
      "1 while it runs.",
      each(({ phase }) => Number(phase === "running")),
    ),
    gauge(
      "weir_pipeline_watermark_age_seconds",
      "How far event time is behind the clock.",
      each(({ watermark }) => (watermark === null ? null : (at - watermark) / 1000)),
    ),
    gauge(
      "weir_pipeline_state_bytes",
      "How large its state is where it is written down.",
      each(({ state_bytes }) => state_bytes ?? null),
    ),
    gauge(
      "weir_pipeline_busy_ratio",
      "Share of the time in which it works.",
      each(({ busy }) => busy),
    ),
    gauge(
      "weir_pipeline_true_rate",
      "Records a second that it handles while it works.",
      each(({ true_rate }) => true_rate),
    ),
  ];
}

function workerFamilies({ at, started, memory_bytes, processor_s, phase }: Heartbeat): Family[] {
  const whole = (value: number): readonly Sample[] => [{ labels: {}, value }];
  return [
    gauge("weir_worker_running", "1 while it runs.", whole(Number(phase === "running"))),
    gauge("weir_worker_uptime_seconds", "Since it was started.", whole((at - started) / 1000)),
    gauge("weir_worker_resident_memory_bytes", "Memory of its process.", whole(memory_bytes)),
    counter("weir_worker_processor_seconds", "Processor time of its process.", whole(processor_s)),
  ];
}

export function openMetricsText(statuses: readonly WorkerStatus[], beat: Heartbeat): string {
  const families = [
    ...sourceFamilies(statuses),
    ...branchFamilies(statuses),
    ...sinkFamilies(statuses),
    ...pipelineFamilies(beat),
    ...workerFamilies(beat),
  ];
  return `${families.map(familyText).join("")}# EOF\n`;
}
