// What must be in the cloud: recomputed from the records that the runner was given, in their order, by the plainest code that
// there is. Shares nothing with the engine.

import {
  type BranchKind,
  type InputRecord,
  lateness_ms,
  least,
  type SinkPlan,
  window_ms,
} from "./workload.ts";

/** A record with the source that it came by. */
export interface Given {
  readonly source: number;
  readonly record: InputRecord;
}

/** A row, and what tells it from all others of its sink. */
export interface ExpectedRow {
  readonly key: string;
  readonly device: string;
  readonly row: Readonly<Record<string, unknown>>;
}

interface Pane {
  records: number;
  total: number;
  newest: number;
  oldest: number;
}

const windowOf = (ts: number): number => Math.floor(ts / window_ms) * window_ms;

/** By the names of their streams, the rows of all sinks, each in the order in which rows of one device come. */
export function expectedRows(
  given: readonly Given[],
  sources: number,
  sinks: readonly SinkPlan[],
): ReadonlyMap<string, readonly ExpectedRow[]> {
  const { forwarded, condensed, late } = computed(given, sources);
  const rows: Readonly<Record<BranchKind, readonly ExpectedRow[]>> = { forwarded, condensed, late };
  return new Map(sinks.map(({ stream, kind }) => [stream, rows[kind]]));
}

function computed(given: readonly Given[], sources: number): Record<BranchKind, ExpectedRow[]> {
  const rows: Record<BranchKind, ExpectedRow[]> = { forwarded: [], condensed: [], late: [] };
  const newest = Array.from({ length: sources }, () => Number.NEGATIVE_INFINITY);
  const panes = new Map<string, Pane>();
  for (const { source, record } of given) {
    const watermark = Math.min(...newest) - lateness_ms;
    close(panes, watermark, rows.condensed);
    if (record.v >= least) rows.forwarded.push(asRow(record));
    const start = windowOf(record.ts);
    if (start + window_ms <= watermark) rows.late.push(asRow(record));
    else add(panes, `${start} ${record.device}`, record);
    newest[source] = Math.max(newest[source] ?? 0, record.ts);
  }
  close(panes, Math.min(...newest) - lateness_ms, rows.condensed);
  return rows;
}

function asRow(record: InputRecord): ExpectedRow {
  return { key: String(record.n), device: record.device, row: { ...record } };
}

function add(panes: Map<string, Pane>, key: string, { n, v }: InputRecord): void {
  const pane = panes.get(key);
  if (pane === undefined) panes.set(key, { records: 1, total: v, newest: n, oldest: n });
  else {
    pane.records++;
    pane.total += v;
    pane.newest = Math.max(pane.newest, n);
    pane.oldest = Math.min(pane.oldest, n);
  }
}

/** Windows that end by the watermark, the earliest first. */
function close(panes: Map<string, Pane>, watermark: number, rows: ExpectedRow[]): void {
  const due = [...panes].filter(([key]) => Number(key.split(" ")[0]) + window_ms <= watermark);
  due.sort(([one], [other]) => Number(one.split(" ")[0]) - Number(other.split(" ")[0]));
  for (const [key, pane] of due) {
    panes.delete(key);
    const [start, device] = key.split(" ") as [string, string];
    const window_start = Number(start);
    const row = { device, window_start, window_end: window_start + window_ms, ...pane };
    rows.push({ key: `${device} ${start}`, device, row });
  }
}

/** The key of a row as it is in the cloud. */
export function keyOf(kind: BranchKind, row: Readonly<Record<string, unknown>>): string {
  return kind === "condensed" ? `${String(row["device"])} ${String(row["window_start"])}` : String(row["n"]);
}
