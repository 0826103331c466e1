// What the demonstration has to show: the worker's own counts beside what came back from the cloud, and
// whether they agree. Pure: figures in, figures and faults out.

import type { LedgerEntry } from "../engine/ledger.ts";
import { lawFaults } from "../testing/harness.ts";
import type { WorkerStatus } from "../worker/worker.ts";
import type { FeedFigures } from "./demo-feeds.ts";

/** Input records that did not reach a sink, by reason. */
export type LedgerFigures = Readonly<Record<string, number>>;

export interface BranchFigures {
  readonly name: string;
  /** Input records: in = out + held + the ledger's sum. */
  readonly in: number;
  readonly out: number;
  readonly held: number;
  readonly ledger: LedgerFigures;
  /** Rows that the branch made. */
  readonly rows: number;
  /** Of them, those that the cloud has confirmed, and those that were read back from it. */
  readonly confirmed: number;
  readonly read: number;
}

/**
 * `in`, `out`, `held` and `ledger` are those of the first branch, because every branch takes the same records;
 * `rows`, `read`, `bytes_out` and the latencies are those of all branches.
 */
export interface PipelineFigures {
  readonly name: string;
  readonly in: number;
  readonly out: number;
  readonly held: number;
  readonly ledger: LedgerFigures;
  readonly rows: number;
  readonly read: number;
  /** Payload bytes that the source read. */
  readonly bytes_in: number;
  /** Payload bytes of confirmed rows. */
  readonly bytes_out: number;
  /** From the arrival of the record that completed a row to its storage in the cloud. */
  readonly p50_ms: number | null;
  readonly p99_ms: number | null;
  readonly branches: readonly BranchFigures[];
}

/** What the cloud is asked for. */
export interface ReadBack {
  readonly rowsByStream: Readonly<Record<string, number>>;
  readonly foreign: number;
  arrivals(
    pipeline: string,
    branch: string,
  ): { readonly read: number; readonly repeated: number; readonly missing: number };
  percentile(pipeline: string, share: number): number | null;
}

/** How often each was killed. */
export interface KillFigures {
  readonly worker: number;
  readonly edge: number;
  readonly cloud: number;
}

/** A worker's container. */
export interface ContainerFigures {
  readonly name: string;
  readonly id: string;
  readonly memory_bytes: number | null;
}

export interface DemoReport {
  readonly pipelines: readonly PipelineFigures[];
  readonly cloud: { readonly rows_by_stream: Readonly<Record<string, number>> };
  readonly feeds: readonly FeedFigures[];
  /** How often worker and servers were killed, where that was asked for. */
  readonly kills?: KillFigures;
  /** The containers that ran, where workers were containers. */
  readonly containers?: readonly ContainerFigures[];
  /** Empty when everything is as it must be. */
  readonly faults: readonly string[];
  readonly ok: boolean;
}

/** A run this long must show a row of every pipeline, ms. */
const rowsDue_ms = 3_000;
/** The alarms are due 9 s after the beginning; a run this long must show one, ms. */
const alarmsDue_ms = 15_000;
const alarmPipeline = "provoked-events";

function byReason(ledger: readonly LedgerEntry[]): LedgerFigures {
  const totals: Record<string, number> = {};
  for (const { reason, records } of ledger) totals[reason] = (totals[reason] ?? 0) + records;
  return totals;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** The figures of one pipeline. */
export function figuresOf(
  { name, pipeline, sources, sinks }: WorkerStatus,
  cloud: ReadBack,
): PipelineFigures {
  const branches = pipeline.branches.map(
    (branch, place): BranchFigures => ({
      name: branch.name,
      in: branch.in,
      out: branch.out,
      held: branch.held,
      ledger: byReason(branch.ledger),
      rows: branch.rows,
      confirmed: sinks[place]!.rows,
      read: cloud.arrivals(name, branch.name).read,
    }),
  );
  const first = branches[0]!;
  return {
    name,
    in: first.in,
    out: first.out,
    held: first.held,
    ledger: first.ledger,
    rows: sum(branches.map(({ rows }) => rows)),
    read: sum(branches.map(({ read }) => read)),
    bytes_in: sum(sources.map(({ bytes }) => bytes)),
    bytes_out: sum(sinks.map(({ bytes }) => bytes)),
    p50_ms: roundedTenth(cloud.percentile(name, 0.5)),
    p99_ms: roundedTenth(cloud.percentile(name, 0.99)),
    branches,
  };
}

function roundedTenth(value: number | null): number | null {
  return value === null ? null : Math.round(value * 10) / 10;
}

/** What is not as it must be at the end of a run that lasted `elapsed_ms`. */
export function faultsOf(statuses: readonly WorkerStatus[], cloud: ReadBack, elapsed_ms: number): string[] {
  const faults = statuses.flatMap((status) => [
    ...lawFaults(status.pipeline.branches).map((fault) => `${status.name}: ${fault}`),
    ...deliveryFaults(status, cloud),
  ]);
  if (cloud.foreign > 0) faults.push(`${cloud.foreign} messages in the cloud are no rows of this run`);
  for (const { name, pipeline } of statuses) {
    const rows = sum(pipeline.branches.map((branch) => cloud.arrivals(name, branch.name).read));
    const due = name === alarmPipeline ? alarmsDue_ms : rowsDue_ms;
    if (rows === 0 && elapsed_ms >= due) faults.push(`${name}: no row reached the cloud in ${elapsed_ms} ms`);
  }
  return faults;
}

/** What is not as it must be at the end of a run in which worker and servers were killed. */
export function chaosFaultsOf(
  statuses: readonly WorkerStatus[],
  cloud: ReadBack,
  kills: KillFigures,
): string[] {
  const faults = durableFaultsOf(statuses, cloud);
  if (kills.worker + kills.edge + kills.cloud === 0) faults.push("nothing was killed");
  return faults;
}

/** What is not as it must be at the end of a run whose workers keep state. */
export function durableFaultsOf(statuses: readonly WorkerStatus[], cloud: ReadBack): string[] {
  const faults = statuses.flatMap(({ name, pipeline }) => [
    ...lawFaults(pipeline.branches).map((fault) => `${name}: ${fault}`),
    ...pipeline.branches.flatMap((branch) => arrivalFaults(name, branch, cloud)),
  ]);
  if (statuses.length === 0) faults.push("the worker never said what it did");
  if (cloud.foreign > 0) faults.push(`${cloud.foreign} messages in the cloud are no rows of this run`);
  return faults;
}

/** Pipelines that have not read all of the `stored` records that the edge keeps for them. */
export function unreadFaults(
  statuses: readonly WorkerStatus[],
  readers: readonly string[],
  stored: number,
): string[] {
  return statuses.flatMap(({ name, sources }) => {
    const read = sum(sources.map(({ records }) => records));
    if (!readers.includes(name) || read >= stored) return [];
    return [`${name}: ${stored} records are stored at the edge, ${read} were read`];
  });
}

/** Every row that was made is confirmed as well. */
function deliveryFaults({ name, pipeline, sinks }: WorkerStatus, cloud: ReadBack): string[] {
  return pipeline.branches.flatMap((branch, place) => {
    const { rows: confirmed } = sinks[place]!;
    const faults = arrivalFaults(name, branch, cloud);
    return confirmed === branch.rows
      ? faults
      : [
          `${name}, branch ${branch.name}: ${branch.rows} rows made, ${confirmed} confirmed by the cloud`,
          ...faults,
        ];
  });
}

/** Every row that was made is in the cloud exactly once. */
function arrivalFaults(
  pipeline: string,
  branch: { readonly name: string; readonly rows: number },
  cloud: ReadBack,
): string[] {
  const { read, repeated, missing } = cloud.arrivals(pipeline, branch.name);
  const where = `${pipeline}, branch ${branch.name}`;
  const faults: string[] = [];
  if (read !== branch.rows)
    faults.push(`${where}: ${branch.rows} rows made, ${read} read back from the cloud`);
  if (repeated > 0) faults.push(`${where}: ${repeated} rows are in the cloud twice`);
  if (missing > 0) faults.push(`${where}: ${missing} rows are missing before later ones`);
  return faults;
}
