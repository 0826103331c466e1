// A segment: one file of the log. First a block that says whose it is and with which commit it begins, then commits in order.
// Only ever appended to, by one incarnation. Pure: from bytes to what they hold; what a gap means is decided in recovery.ts.

import { WeirError } from "../../errors.ts";
import { limits } from "../../limits.ts";
import {
  type BlockHead,
  bufferOf,
  formatVersion,
  pageBytes,
  pagedLength,
  type ReadHead,
  readHead,
  readPagedBody,
  writePaged,
} from "./block.ts";

/** What the first block says. */
export interface SegmentHead {
  readonly origin: string;
  readonly sequence: number;
  readonly epoch: number;
  /** Number of its first commit. It settles what earlier segments count for: their commits up to the one before it. */
  readonly first: number;
  /** Of the log, as the outside knows it. */
  readonly id: string;
  /** Whose log. */
  readonly owner: string;
}

export interface Commit {
  readonly number: number;
  readonly body: Uint8Array;
  /** Bytes that it takes in its segment. */
  readonly bytes: number;
}

export interface Segment extends SegmentHead {
  /** Whole commits, numbered from `first` without a gap. */
  readonly commits: readonly Commit[];
  /** Bytes behind the last whole commit: of one that was not finished, or damaged. */
  readonly restBytes: number;
  /** Number of the last commit that begins behind the first bad place; null where none does. */
  readonly beyond: number | null;
}

/** Longest file that a segment can be. */
export const segmentFileBytesMax: number =
  limits.log_segment_bytes + pagedLength(limits.log_commit_bytes_max) + pagedLength(limits.string_bytes_max);

/** A new segment with its commits so far. */
export function segmentBytes(head: SegmentHead, commits: readonly Uint8Array[]): Buffer {
  const about = Buffer.from(JSON.stringify({ id: head.id, owner: head.owner }));
  const length = commits.reduce((sum, body) => sum + pagedLength(body.length), pagedLength(about.length));
  const bytes = Buffer.allocUnsafe(length);
  let at = writePaged(bytes, { ...head, kind: "segment", number: head.first }, about);
  commits.forEach((body, index) => {
    at += writePaged(bytes.subarray(at), commitHead(head, head.first + index), body);
  });
  return bytes;
}

export function commitHead(segment: SegmentHead, number: number): BlockHead {
  const { origin, sequence, epoch } = segment;
  return { kind: "commit", origin, sequence, epoch, number };
}

/** All that the file of segment `sequence` holds; null where its first block is damaged. */
export function readSegment(bytes: Uint8Array, sequence: number): Segment | null {
  const buffer = bufferOf(bytes);
  const head = readSegmentHead(buffer, sequence);
  if (head === null) return null;
  const commits: Commit[] = [];
  let at = head.end;
  for (;;) {
    const number = head.first + commits.length;
    const found = headOfCommit(buffer, at, head);
    const body = found?.number === number ? readPagedBody(buffer, at, found) : null;
    if (found === null || body === null) break;
    const length = pagedLength(found.length);
    commits.push({ number, body, bytes: length });
    at += length;
  }
  const beyond = beyondOf(buffer, at, head, head.first + commits.length);
  return { ...head, commits, restBytes: buffer.length - at, beyond };
}

function readSegmentHead(buffer: Buffer, sequence: number): (SegmentHead & { readonly end: number }) | null {
  const head = readHead(buffer, 0);
  if (head === null) return null;
  refuseNewer(head);
  if (head.kind !== "segment" || head.sequence !== sequence) return null;
  const body = readPagedBody(buffer, 0, head);
  const about = body === null ? null : aboutOf(body);
  if (about === null) return null;
  const { origin, epoch, number } = head;
  return { origin, sequence, epoch, first: number, ...about, end: pagedLength(head.length) };
}

function headOfCommit(bytes: Buffer, at: number, segment: SegmentHead): ReadHead | null {
  const head = readHead(bytes, at);
  const own =
    head !== null &&
    head.kind === "commit" &&
    head.origin === segment.origin &&
    head.sequence === segment.sequence &&
    head.epoch === segment.epoch;
  return own ? head : null;
}

/** Commits begin at pages, so that all that begin behind a bad place are found however long that says it is. */
function beyondOf(bytes: Buffer, from: number, segment: SegmentHead, expected: number): number | null {
  let last: number | null = null;
  for (let at = from + pageBytes; at < bytes.length; at += pageBytes) {
    const head = headOfCommit(bytes, at, segment);
    if (head !== null && head.number > expected) last = Math.max(last ?? 0, head.number);
  }
  return last;
}

function aboutOf(body: Uint8Array): { readonly id: string; readonly owner: string } | null {
  try {
    const about: unknown = JSON.parse(bufferOf(body).toString());
    if (typeof about !== "object" || about === null || !("id" in about && "owner" in about)) return null;
    const { id, owner } = about;
    return typeof id === "string" && typeof owner === "string" ? { id, owner } : null;
  } catch {
    return null;
  }
}

/** Throws where a block is of a format that this weir does not know. */
export function refuseNewer(head: ReadHead): void {
  if (head.version === formatVersion) return;
  throw new WeirError(
    "WEIR_STATE",
    `the commit log is of format ${head.version}, expected ${formatVersion}`,
    { remedy: "start the weir that wrote it, or give this one another state folder" },
  );
}
