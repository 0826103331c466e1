// An entry as a message, and what a message says of its chain. Pure; the same entry is the same message whenever it is sent,
// apart from the epoch of who sends it and what it expects of the stream.

import { limits } from "../../limits.ts";
import type { Entry } from "../../state/outbox/entry.ts";
import { causedAtHeader, ownHeaders } from "../row-headers.ts";
import { publishSubjectFault } from "../subject.ts";
import type { ChainIdentity } from "./chain.ts";
import type { Publication, StoredMessage } from "./stream-port.ts";

/** Names as a stored message has them. */
const chainHeader = "weir-chain";
const numberHeader = "weir-out-seq";
const epochHeader = "weir-epoch";
const termHeader = "weir-term";

/** What the server compares before it stores a message. */
export const expectedLast = "Nats-Expected-Last-Sequence";
export const expectedLastOfSubject = "Nats-Expected-Last-Subject-Sequence";
export const expectedLastId = "Nats-Expected-Last-Msg-Id";

/** What a message of the chain says of itself. */
export interface Mark {
  /** The chain's number, of a message of many entries that of the last. */
  readonly number: number;
  readonly epoch: number;
}

/** What tells a message apart for duplicate suppression. */
export function messageId(id: string, name: string | number): string {
  return `${id}.${name}`;
}

/** The chain's own headers, for the entry `number`; `name` tells messages apart for duplicate suppression. */
export function chainHeaders(
  { id, epoch, term }: ChainIdentity,
  name: string,
  number: number,
): Record<string, string> {
  return {
    "Nats-Msg-Id": messageId(id, name),
    "Weir-Chain": id,
    "Weir-Out-Seq": `${number}`,
    "Weir-Epoch": `${epoch}`,
    ...(term === undefined ? {} : { "Weir-Term": `${term}` }),
  };
}

/** About what a message takes on the wire. */
export function wireLength({ subject, payload, headers }: Publication): number {
  let bytes = limits.uplink_head_bytes + subject.length + payload.length;
  for (const name in headers) bytes += name.length + headers[name]!.length + 4;
  return bytes;
}

/** In which term a stored message was sent; 0 for none. */
export function termOf(message: StoredMessage): number {
  return wholeOf(message.headers.get(termHeader)) ?? 0;
}

/** The message of one entry. `expected` is a header that makes the server compare, and what with; null for none. */
export function publicationOf(
  identity: ChainIdentity,
  { number, row }: Entry,
  expected: readonly [name: string, sequence: number] | null,
): Publication & { readonly headers: Record<string, string> } {
  const headers = chainHeaders(identity, String(number), number);
  if (expected !== null) headers[expected[0]] = String(expected[1]);
  headers[causedAtHeader] = String(row.caused);
  if (row.headers !== null) for (const [name, value] of ownHeaders(row.headers)) headers[name] = value;
  return { subject: row.subject, payload: row.payload, headers };
}

/** What a stored message says of the chain `id`; null when it is not of that chain. */
export function markOf(message: StoredMessage, id: string): Mark | null {
  if (message.headers.get(chainHeader) !== id) return null;
  const number = wholeOf(message.headers.get(numberHeader));
  const epoch = wholeOf(message.headers.get(epochHeader));
  return number === null || epoch === null ? null : { number, epoch };
}

/** A message of the same chain, from another state folder: an id is that of the folder's log, a dot, and the chain's name. */
export function isNamesake({ headers }: StoredMessage, id: string): boolean {
  const other = headers.get(chainHeader);
  return other !== undefined && other !== id && nameIn(other) === nameIn(id);
}

function nameIn(id: string): string {
  return id.slice(id.indexOf("."));
}

function wholeOf(text: string | undefined): number | null {
  if (text === undefined || !/^\d{1,16}$/.test(text)) return null;
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : null;
}

/** The most bytes that an entry's message takes beside its payload. */
function headersBytes({ id }: ChainIdentity, { row }: Entry): number {
  let bytes = 320 + 3 * id.length;
  if (row.headers === null) return bytes;
  for (const [name, value] of Object.entries(row.headers)) bytes += 4 + name.length + 3 * value.length;
  return bytes;
}

/** Subjects that were found good: there are few of them, and many rows of each. */
const goodSubjects = new Set<string>();

function isGoodSubject(subject: string): boolean {
  if (goodSubjects.has(subject)) return true;
  if (publishSubjectFault(subject) !== null) return false;
  if (goodSubjects.size >= limits.subject_texts_max) goodSubjects.clear();
  goodSubjects.add(subject);
  return true;
}

/** Why an entry can never be sent as a message of its own, as a reason to be counted; null when it can. */
export function unfitReason(
  identity: ChainIdentity,
  entry: Entry,
  messageBytesMax: number | undefined,
): "subject" | "oversize" | null {
  if (!isGoodSubject(entry.row.subject)) return "subject";
  const bytes = entry.row.payload.length + headersBytes(identity, entry);
  return messageBytesMax !== undefined && bytes > messageBytesMax ? "oversize" : null;
}

/** True where a stored message is what the entry would be: then it does not matter who sent it. */
export function isSameRow(message: StoredMessage, { row }: Entry): boolean {
  return message.subject === row.subject && Buffer.compare(message.payload, row.payload) === 0;
}
