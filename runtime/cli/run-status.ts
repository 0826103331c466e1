// What weir status shows of pipelines that weir run or weir worker runs, and weir run at its end: records, rows, and how
// many bytes they took and gave. Pure: statuses in, lines out.

import { isIntakeStep } from "../engine/intake.ts";
import type { PipelineStatus } from "../engine/status.ts";
import { sumOf } from "../worker/chain-account.ts";
import type { WorkerStatus } from "../worker/worker.ts";
import { type BytesThrough, bytesText, countText, reductionText } from "./amounts.ts";
import { tableText } from "./table-text.ts";

function sum<T>(all: readonly T[], count: (each: T) => number): number {
  return all.reduce((total, each) => total + count(each), 0);
}

/** The bytes of the records that came and of the rows that sinks have; the dead letter is apart. */
export function bytesThrough({ sources, sinks }: WorkerStatus): BytesThrough {
  return { bytes_in: sum(sources, ({ bytes }) => bytes), bytes_out: sum(sinks, ({ bytes }) => bytes) };
}

/** Records that could not enter: they are in the ledger of every branch. */
function refusedOf({ branches }: PipelineStatus): number {
  const ledger = branches[0]?.ledger ?? [];
  return sum(
    ledger.filter(({ step }) => isIntakeStep(step)),
    ({ records }) => records,
  );
}

/** A table of the pipelines; its first line is the head. */
export function runLines(statuses: readonly WorkerStatus[]): string[] {
  const rows = statuses.map((status) => {
    const { name, pipeline, sources, sinks } = status;
    const through = bytesThrough(status);
    return [
      name,
      countText(sum(sources, ({ records }) => records)),
      countText(refusedOf(pipeline)),
      countText(sum(pipeline.branches, ({ rows: sent }) => sent)),
      countText(sum(sinks, ({ pending }) => pending)),
      bytesText(through.bytes_in),
      bytesText(through.bytes_out),
      reductionText(through),
    ];
  });
  return tableText([
    ["PIPELINE", "RECORDS", "REFUSED", "ROWS", "PENDING", "BYTES IN", "OUT", "REDUCTION"],
    ...rows,
  ]);
}

/** By pipeline, that its state finds no room; nothing while it does. */
export function lackingLines(statuses: readonly WorkerStatus[]): string[] {
  return statuses.flatMap(({ name, lacks_room }) =>
    lacks_room === undefined ? [] : [`${name}: nothing new is taken: ${lacks_room}`],
  );
}

function reasonsText(dropped: Readonly<Record<string, number>>): string {
  return Object.entries(dropped)
    .filter(([, count]) => count > 0)
    .map(([reason, count]) => `${reason} ${countText(count)}`)
    .join(", ");
}

/** What sources read and no step ever saw, as a line that is too long; nothing where there is none. */
function unreadLines(sources: WorkerStatus["sources"]): string[] {
  return sources.flatMap(({ name, dropped }) => {
    const reasons = reasonsText(dropped);
    return reasons === "" ? [] : [`${name} let go: ${reasons}`];
  });
}

/** What was let go before it was a record, and rows that were made and will never arrive as they are. */
function letGoLines({ sources, sinks }: Pick<WorkerStatus, "sources" | "sinks">): string[] {
  const reasons = reasonsText(sumOf(sinks).dropped);
  const rows = reasons === "" ? [] : [`rows that were let go: ${reasons}`];
  return [...unreadLines(sources), ...rows];
}

/** The same by pipeline. */
export function droppedLines(statuses: readonly WorkerStatus[]): string[] {
  return statuses.flatMap((status) => letGoLines(status).map((line) => `${status.name}: ${line}`));
}

/** `9.6 kB in, 310 B out (31×)`. */
export function throughText(status: WorkerStatus): string {
  const through = bytesThrough(status);
  const isNone = through.bytes_in === 0 || through.bytes_out === 0;
  const saved = isNone ? "" : ` (${reductionText(through)})`;
  return `${bytesText(through.bytes_in)} in, ${bytesText(through.bytes_out)} out${saved}`;
}

/** One line a pipeline: what came in, what went out, where the rest went, and what its steps show besides. */
export function summaryOf(status: WorkerStatus): string {
  const { name, pipeline, sources } = status;
  const read = sources.map((source) => `${source.name} ${source.records}`).join(", ");
  const branches = pipeline.branches.map((branch) => {
    const ledger = branch.ledger
      .map(({ step, reason, records }) => `${reason} at ${step}: ${records}`)
      .join(", ");
    const rows = `${branch.name}: in ${branch.in}, out ${branch.out} in ${branch.rows} rows, held ${branch.held}`;
    return ledger === "" ? rows : `${rows}, ${ledger}`;
  });
  const metrics = pipeline.metrics.map((each) => `${each.name} at ${each.step}: ${each.value}`);
  const tables = pipeline.references.map(
    ({ table, rows, loads, refused }) =>
      `table ${table}: ${rows} rows, loaded ${loads} times, ${refused} refused`,
  );
  const parts = [...letGoLines(status), ...branches, ...metrics, ...tables, throughText(status)];
  return `${name}: ${sources.length > 1 ? `read ${read}; ` : ""}${parts.join("; ")}`;
}
