// What an outbox holds, as lines for people and as data for machines. Pure.

import { sizeText } from "../pipeline/state-bound.ts";
import type { Entry } from "../state/outbox/entry.ts";
import type { ChainStats, OutboxStats } from "../state/outbox/outbox-stats.ts";

interface Column {
  readonly title: string;
  /** Numbers stand at the right. */
  readonly isNumber: boolean;
  text(chain: ChainStats): string;
}

const columns: readonly Column[] = [
  { title: "chain", isNumber: false, text: ({ chain }) => chain },
  { title: "waits", isNumber: true, text: ({ rows }) => `${rows} rows` },
  { title: "size", isNumber: true, text: ({ bytes }) => sizeText(bytes) },
  { title: "oldest", isNumber: true, text: ({ age }) => (age === null ? "-" : ageText(age)) },
  { title: "retained", isNumber: true, text: ({ retained }) => sizeText(retained) },
  { title: "confirmed", isNumber: true, text: ({ confirmed, last }) => `${confirmed} of ${last}` },
  { title: "dropped", isNumber: false, text: ({ dropped }) => droppedText(dropped) },
];

/** A line for the titles, and one for each chain. */
export function chainTable({ chains }: OutboxStats): readonly string[] {
  if (chains.length === 0) return ["nothing was ever added"];
  const rows = [
    columns.map(({ title }) => title),
    ...chains.map((chain) => columns.map(({ text }) => text(chain))),
  ];
  const widths = columns.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map((row) =>
    row
      .map((text, column) => {
        const width = widths[column]!;
        return columns[column]!.isNumber ? text.padStart(width) : text.padEnd(width);
      })
      .join("  ")
      .trimEnd(),
  );
}

export function uplinkLines({ uplinks }: OutboxStats): readonly string[] {
  return uplinks.map(
    ({ connection, bytes, used, others, left, until }) =>
      `uplink ${connection}: ${sizeText(used)} of ${sizeText(bytes)} used${others === 0 ? "" : `, ${sizeText(others)} by other folders`}, ${sizeText(left)} left until ${new Date(until).toISOString()}`,
  );
}

function droppedText(dropped: Readonly<Record<string, number>>): string {
  const parts = Object.entries(dropped).map(([reason, rows]) => `${reason} ${rows}`);
  return parts.length === 0 ? "-" : parts.join(", ");
}

const units: readonly (readonly [name: string, ms: number])[] = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1_000],
];

/** `2d3h`, `4m10s`, `0s`: the two largest units. */
export function ageText(ms: number): string {
  let rest = Math.max(0, Math.floor(ms / 1_000) * 1_000);
  const parts: string[] = [];
  for (const [name, unit] of units) {
    const count = Math.floor(rest / unit);
    rest -= count * unit;
    if (count > 0) parts.push(`${count}${name}`);
    else if (parts.length > 0) break;
    if (parts.length === 2) break;
  }
  return parts.length === 0 ? "0s" : parts.join("");
}

const shownMax = 60;

/** An entry in one line, with the beginning of its payload. */
export function entryLine({ number, row, skipped }: Entry, now: number): string {
  const text = textIn(row.payload);
  const shown = text === null ? `${row.payload.length} bytes` : text.replaceAll(/\p{Cc}+/gu, " ");
  const payload = shown.length > shownMax ? `${shown.slice(0, shownMax)}…` : shown;
  const left = skipped === undefined ? "" : `  (${skipped} left out before it)`;
  return `${number}  ${ageText(now - row.caused)} ago  ${row.subject}  ${payload}${left}`;
}

/** An entry as data: its payload as text where it is one, else as base64. */
export function entryRecord({ number, row, skipped }: Entry): Readonly<Record<string, unknown>> {
  const text = textIn(row.payload);
  return {
    number,
    ...(skipped === undefined ? {} : { skipped }),
    subject: row.subject,
    caused: row.caused,
    rows: row.rows,
    headers: row.headers,
    ...(text === null ? { base64: Buffer.from(row.payload).toString("base64") } : { payload: text }),
  };
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function textIn(payload: Uint8Array): string | null {
  try {
    return utf8.decode(payload);
  } catch {
    return null;
  }
}
