// The demonstration's table: figures to text of a given width. Pure; knows no terminal and no clock.

import { bytesText, countText, latencyText, reductionText } from "./amounts.ts";
import type { ContainerFigures, KillFigures, PipelineFigures } from "./demo-figures.ts";

/** How parts of the text stand out; each returns its text as it is where there are no colours. */
export interface TableStyles {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly good: (text: string) => string;
}

export interface TableState {
  readonly elapsed_ms: number;
  /** Null when it runs until it is interrupted. */
  readonly for_ms: number | null;
  readonly ended: boolean;
  readonly pipelines: readonly PipelineFigures[];
  readonly rowsByStream: Readonly<Record<string, number>>;
  /** How often worker and servers were killed, where they are. */
  readonly kills?: KillFigures;
  /** The containers of workers, where they are such. */
  readonly containers?: readonly ContainerFigures[];
}

interface Column {
  readonly title: string;
  /** What goes first where the terminal is narrow: the smallest. */
  readonly rank: number;
  text(pipeline: PipelineFigures): string;
}

const gap = "  ";

const columns: readonly Column[] = [
  { title: "pipeline", rank: 9, text: ({ name }) => name },
  { title: "records in", rank: 7, text: (each) => countText(each.in) },
  { title: "rows out", rank: 8, text: ({ rows }) => countText(rows) },
  { title: "bytes in", rank: 2, text: ({ bytes_in }) => bytesText(bytes_in) },
  { title: "bytes out", rank: 3, text: ({ bytes_out }) => bytesText(bytes_out) },
  { title: "reduction", rank: 6, text: reductionText },
  { title: "p50", rank: 5, text: ({ p50_ms }) => latencyText(p50_ms) },
  { title: "p99", rank: 4, text: ({ p99_ms }) => latencyText(p99_ms) },
];

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}…`;
}

/** The columns that fit, in their order: on a narrow terminal the least telling ones go first. */
function fitting(pipelines: readonly PipelineFigures[], width: number): { column: Column; width: number }[] {
  let kept = columns.map((column) => ({
    column,
    width: Math.max(column.title.length, ...pipelines.map((each) => column.text(each).length)),
  }));
  const total = (): number => kept.reduce((sum, each) => sum + each.width + gap.length, -gap.length);
  while (kept.length > 1 && total() > width) {
    const least = Math.min(...kept.map(({ column }) => column.rank));
    kept = kept.filter(({ column }) => column.rank !== least);
  }
  return kept;
}

function titleText({ elapsed_ms, for_ms, ended }: TableState): string {
  const seconds = Math.floor(elapsed_ms / 1000);
  if (ended) return `after ${seconds} s`;
  return for_ms === null ? `${seconds} s, Ctrl-C ends it` : `${seconds} s of ${Math.round(for_ms / 1000)} s`;
}

function cloudText(rowsByStream: Readonly<Record<string, number>>): string {
  const streams = Object.entries(rowsByStream);
  const total = streams.reduce((sum, [, rows]) => sum + rows, 0);
  const each = streams.map(([name, rows]) => `${name} ${countText(rows)}`).join(", ");
  return `read back from the cloud: ${countText(total)} rows${each === "" ? "" : ` (${each})`}`;
}

function killsText({ worker, edge, cloud }: KillFigures): string {
  return `killed: worker ${worker} times, edge ${edge}, cloud ${cloud}`;
}

function containersText(containers: readonly ContainerFigures[]): string {
  const each = containers.map(({ name, id, memory_bytes }) => {
    const memory = memory_bytes === null ? "" : `, ${bytesText(memory_bytes)}`;
    return `${name} (${id.slice(0, 12)}${memory})`;
  });
  return `containers: ${each.length === 0 ? "none yet" : each.join(", ")}`;
}

/** The whole table, no line longer than `width`; lines end with a line feed but for the last. */
export function renderTable(state: TableState, width: number, styles: TableStyles): string {
  const kept = fitting(state.pipelines, width);
  const line = (text: (column: Column) => string): string =>
    cut(
      kept
        .map((each, place) =>
          place === 0 ? text(each.column).padEnd(each.width) : text(each.column).padStart(each.width),
        )
        .join(gap),
      width,
    );
  return [
    styles.bold(cut(titleText(state), width)),
    styles.dim(line(({ title }) => title)),
    ...state.pipelines.map((pipeline) => line((column) => column.text(pipeline))),
    ...(state.kills === undefined ? [] : [cut(killsText(state.kills), width)]),
    ...(state.containers === undefined ? [] : [cut(containersText(state.containers), width)]),
    styles.good(cut(cloudText(state.rowsByStream), width)),
  ].join("\n");
}

/** One pipeline in one line, where there is no terminal. */
export function plainLine(pipeline: PipelineFigures, elapsed_ms: number): string {
  const { name, rows, bytes_in, bytes_out, p50_ms, p99_ms } = pipeline;
  return [
    `${Math.floor(elapsed_ms / 1000)} s  ${name}: ${countText(pipeline.in)} records in`,
    `${countText(rows)} rows out`,
    `${bytesText(bytes_in)} in, ${bytesText(bytes_out)} out (${reductionText(pipeline)})`,
    `p50 ${latencyText(p50_ms)}, p99 ${latencyText(p99_ms)}`,
  ].join(", ");
}
