// Snapshots: the whole state behind a commit, as two files with the same bytes, so that one that is damaged costs nothing. They
// get their names only once both are durable and read back as they were given.

import { crc32 } from "node:zlib";
import { WeirError } from "../../errors.ts";
import { limits } from "../../limits.ts";
import { type BlockHead, bufferOf, headBytes, readHead, writeHead } from "./block.ts";
import type { Disk } from "./disk.ts";
import { copies, snapshotName, unfinished } from "./file-names.ts";
import { refuseNewer } from "./segment.ts";
import { createWhole } from "./whole-file.ts";

export interface SnapshotHead {
  readonly origin: string;
  readonly generation: number;
  readonly epoch: number;
  /** The last commit that it holds. */
  readonly number: number;
}

export interface Snapshot extends SnapshotHead {
  readonly body: Uint8Array;
}

/** What a copy of snapshot `generation` holds; null where it is damaged. */
export function readSnapshot(bytes: Uint8Array, generation: number): Snapshot | null {
  const buffer = bufferOf(bytes);
  const head = readHead(buffer, 0);
  if (head === null) return null;
  refuseNewer(head);
  if (head.kind !== "snapshot" || head.sequence !== generation) return null;
  const body = bytes.subarray(headBytes);
  if (body.length !== head.length || crc32(body) !== head.bodyCrc) return null;
  const { origin, epoch, number } = head;
  return { origin, generation, epoch, number, body };
}

/** Resolves once both copies are durable under their names. */
export async function writeSnapshot(disk: Disk, head: SnapshotHead, body: Uint8Array): Promise<void> {
  const { origin, epoch, number, generation } = head;
  const first = Buffer.alloc(headBytes);
  const blockHead: BlockHead = { kind: "snapshot", origin, epoch, number, sequence: generation };
  const names = copies.map((copy) => snapshotName(generation, copy));
  let sum = 0;
  // The first copy is summed up as it is written, and its head follows then: nobody waits for all of it at once.
  function* parts(): Iterable<Uint8Array> {
    yield first;
    for (const piece of piecesOf(body)) {
      sum = crc32(piece, sum);
      yield piece;
    }
  }
  for (const name of names) {
    const isFirst = name === names[0];
    const file = await createWhole(
      disk,
      unfinished(name),
      isFirst ? parts() : [first, body],
      limits.log_snapshot_piece_bytes,
    );
    try {
      if (isFirst) {
        writeHead(first, blockHead, body.length, sum);
        await file.write(0, first);
        await file.sync();
      }
    } finally {
      await file.close();
    }
  }
  for (const name of names) await compare(disk, unfinished(name), [first, body]);
  for (const name of names) await disk.rename(unfinished(name), name);
  await disk.syncNames();
}

/** Rejects where the file does not hold the parts. */
async function compare(disk: Disk, name: string, parts: readonly Uint8Array[]): Promise<void> {
  const file = await disk.open(name);
  try {
    let position = 0;
    for (const part of parts) {
      for (const piece of piecesOf(part)) {
        if (!bufferOf(piece).equals(await file.read(position, piece.length)))
          throw notAsWritten(disk.place, name);
        position += piece.length;
      }
    }
    if ((await file.size()) !== position) throw notAsWritten(disk.place, name);
  } finally {
    await file.close();
  }
}

function* piecesOf(part: Uint8Array): Iterable<Uint8Array> {
  const length = limits.log_snapshot_piece_bytes;
  for (let from = 0; from < part.length; from += length) yield part.subarray(from, from + length);
}

function notAsWritten(place: string, name: string): WeirError {
  return new WeirError("WEIR_STATE", `${place}: ${name} does not read back as it was written`, {
    remedy: "replace the disk; the snapshot before this one and the log behind it are kept",
  });
}
