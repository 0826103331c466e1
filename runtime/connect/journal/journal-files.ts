// The files of a journal in its folder: segments, of which only the newest is written to, by one process, while another reads.
// Each begins with a block that says of which journal it is and the number of its first record. Decides nothing.
//
// A segment's number is never used again, and a process that writes begins a segment of its own: so a place in a segment is the
// same place for ever, whatever a power cut takes from its end.

import {
  type BlockHead,
  bufferOf,
  headBytes,
  pagedLength,
  type ReadHead,
  readHead,
  readPagedBody,
  writePaged,
} from "../../state/log/block.ts";
import type { Disk } from "../../state/log/disk.ts";
import { refuseNewer } from "../../state/log/segment.ts";

/** Where a segment's first frame begins. */
export const firstOffset: number = pagedLength(0);

const form = /^journal-(\d{12})$/;

export function segmentName(segment: number): string {
  return `journal-${String(segment).padStart(12, "0")}`;
}

/** Numbers of the segments in the folder, the oldest first. */
export async function segmentsOf(disk: Disk): Promise<number[]> {
  const names = await disk.list();
  return names
    .flatMap((name) => form.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => a - b);
}

/** Whose segment it is. */
export interface SegmentHead {
  /** The journal's identity: 32 hexadecimal digits, made when it was begun. */
  readonly journal: string;
  readonly segment: number;
  /** The run of the ingest that wrote it: the number of its first segment. */
  readonly run: number;
  /** Of the next record when it was begun. */
  readonly first: number;
}

function blockOf(
  { journal, segment, run }: SegmentHead,
  kind: "segment" | "commit",
  number: number,
): BlockHead {
  return { kind, origin: journal, sequence: segment, epoch: run, number };
}

/** The first block of a segment. */
export function segmentBlock(head: SegmentHead): Buffer {
  const block = Buffer.allocUnsafe(firstOffset);
  writePaged(block, blockOf(head, "segment", head.first), new Uint8Array(0));
  return block;
}

/** Writes a frame to the start of `target`, which has room for it; how many bytes it takes. `number`: of its first record. */
export function writeFrame(target: Buffer, head: SegmentHead, number: number, body: Uint8Array): number {
  return writePaged(target, blockOf(head, "commit", number), body);
}

/** What the first bytes of a segment say; null where they are none of a segment of this number, or not whole. */
export function readSegmentHead(bytes: Uint8Array, segment: number): SegmentHead | null {
  const buffer = bufferOf(bytes);
  const head = readHead(buffer, 0);
  if (head === null) return null;
  refuseNewer(head);
  if (head.kind !== "segment" || head.sequence !== segment || readPagedBody(buffer, 0, head) === null)
    return null;
  return { journal: head.origin, segment, run: head.epoch, first: head.number };
}

/** A frame where it stands. */
export interface FoundFrame {
  readonly run: number;
  /** Of its first record. */
  readonly number: number;
  readonly body: Uint8Array;
  /** Bytes that it takes. */
  readonly length: number;
}

/**
 * The frame at `at`. `short`: all of it that is there is right, or too little is there to tell. `bad`: what is there is no frame
 * of this segment.
 */
export function readFrame(
  bytes: Buffer,
  at: number,
  { journal, segment }: SegmentHead,
): FoundFrame | "short" | "bad" {
  if (bytes.length - at < headBytes) return "short";
  const head: ReadHead | null = readHead(bytes, at);
  if (head === null || head.kind !== "commit" || head.origin !== journal || head.sequence !== segment)
    return "bad";
  const length = pagedLength(head.length);
  if (bytes.length - at < length) return "short";
  const body = readPagedBody(bytes, at, head);
  return body === null ? "bad" : { run: head.epoch, number: head.number, body, length };
}

/** How many bytes from `at` on the frame needs whose head stands there; null where none does. */
export function frameLength(bytes: Buffer, at: number): number | null {
  const head = readHead(bytes, at);
  return head === null ? null : pagedLength(head.length);
}
