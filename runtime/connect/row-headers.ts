// The headers of a row on its way out. What would end a header line, or pretend to be the server's or
// another sender's, never gets through.

import type { OutputRow } from "./connect.ts";

/** Milliseconds since the epoch: when the record that completed the row arrived at the edge. */
export const causedAtHeader = "Weir-Caused-At";
const idHeader = "Nats-Msg-Id";

/** One line of printable text, without white space around it. */
function oneLine(value: string): string {
  return value.replaceAll(/[\r\n\0]/g, " ").trim();
}

/** What means something to the server, or is said of every row. Weir's other headers are a dead letter's. */
function isReserved(name: string): boolean {
  return (
    /^nats-|^weir-(chain|out-seq|epoch|term)$/i.test(name) ||
    name.toLowerCase() === causedAtHeader.toLowerCase()
  );
}

/** The headers of somebody's row that may be sent. */
export function* ownHeaders(headers: Readonly<Record<string, string>>): Generator<readonly [string, string]> {
  for (const [name, value] of Object.entries(headers))
    if (/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name) && !isReserved(name)) yield [name, oneLine(value)];
}

/** Headers, each of them one line already, as a message carries them. */
export function headerBlock(headers: Readonly<Record<string, string>>): string {
  let text = "NATS/1.0\r\n";
  for (const name in headers) text += `${name}: ${headers[name]}\r\n`;
  return `${text}\r\n`;
}

/** The headers as a message carries them. */
export function headerText(row: OutputRow): string {
  let text = "NATS/1.0\r\n";
  if (row.id !== null) text += `${idHeader}: ${oneLine(row.id)}\r\n`;
  text += `${causedAtHeader}: ${row.caused}\r\n`;
  if (row.headers !== undefined) {
    for (const [name, value] of ownHeaders(row.headers)) text += `${name}: ${value}\r\n`;
  }
  return `${text}\r\n`;
}

/** The bytes that the headers take in a message, at most. */
export function headersSize(row: OutputRow): number {
  let size = 64 + idHeader.length + causedAtHeader.length + 3 * (row.id?.length ?? 0);
  for (const [name, value] of Object.entries(row.headers ?? {})) size += 4 + name.length + 3 * value.length;
  return size;
}
