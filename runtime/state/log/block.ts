// Blocks: what every file of the log is made of. A head of 64 bytes that says whose the block is, what it is and how long,
// and that can be believed by itself, then the body. Pure; which blocks may follow which is decided elsewhere.
//
//   bytes    what; numbers are little-endian
//   4        "WLOG"
//   2        version of the format
//   2        kind: 1 segment, 2 commit, 3 snapshot, 4 position
//   16       origin: random, the same in every file of one folder and nowhere else
//   8        sequence: of the segment that it stands in; of a snapshot, its generation
//   8        epoch of the incarnation that wrote it
//   8        number of a commit
//   8        length of the body
//   4        CRC-32 of the body, with the zeros behind it where there are any
//   4        CRC-32 of the head up to here
//
// A head has this form in every version, so that an older weir can tell a newer format from damage.
// Blocks of segments begin at multiples of 4 KiB and are filled up with zeros, so that no write touches a page of the disk that
// holds what is durable already: a write that is torn then tears only itself.

import { crc32 } from "node:zlib";

export const pageBytes = 4096;
export const headBytes = 64;
export const formatVersion = 1;

const mark = "WLOG";
const kinds = ["segment", "commit", "snapshot", "position"] as const;
export type BlockKind = (typeof kinds)[number];

export interface BlockHead {
  readonly kind: BlockKind;
  /** 16 bytes as hexadecimal digits. */
  readonly origin: string;
  readonly sequence: number;
  readonly epoch: number;
  readonly number: number;
}

export interface ReadHead extends BlockHead {
  readonly version: number;
  readonly length: number;
  readonly bodyCrc: number;
}

/** Bytes that a block with a body of `length` takes where blocks begin at pages. */
export function pagedLength(length: number): number {
  return Math.ceil((headBytes + length) / pageBytes) * pageBytes;
}

/** Writes the head of a block to the first bytes of `target`. */
export function writeHead(target: Buffer, head: BlockHead, length: number, bodyCrc: number): void {
  target.write(mark, 0, "latin1");
  target.writeUInt16LE(formatVersion, 4);
  target.writeUInt16LE(kinds.indexOf(head.kind) + 1, 6);
  target.write(head.origin, 8, 16, "hex");
  target.writeBigUInt64LE(BigInt(head.sequence), 24);
  target.writeBigUInt64LE(BigInt(head.epoch), 32);
  target.writeBigUInt64LE(BigInt(head.number), 40);
  target.writeBigUInt64LE(BigInt(length), 48);
  target.writeUInt32LE(bodyCrc, 56);
  target.writeUInt32LE(crc32(target.subarray(0, 60)), 60);
}

/** Writes a whole block, with its zeros, to the first bytes of `target`; how many those are. */
export function writePaged(target: Buffer, head: BlockHead, body: Uint8Array): number {
  const end = pagedLength(body.length);
  target.set(body, headBytes);
  target.fill(0, headBytes + body.length, end);
  writeHead(target, head, body.length, crc32(target.subarray(headBytes, end)));
  return end;
}

/** The head at `at`; null where no head is, or one that is damaged. */
export function readHead(bytes: Buffer, at: number): ReadHead | null {
  if (at + headBytes > bytes.length || bytes.toString("latin1", at, at + 4) !== mark) return null;
  if (bytes.readUInt32LE(at + 60) !== crc32(bytes.subarray(at, at + 60))) return null;
  const kind = kinds[bytes.readUInt16LE(at + 6) - 1];
  if (kind === undefined) return null;
  return {
    kind,
    version: bytes.readUInt16LE(at + 4),
    origin: bytes.toString("hex", at + 8, at + 24),
    sequence: Number(bytes.readBigUInt64LE(at + 24)),
    epoch: Number(bytes.readBigUInt64LE(at + 32)),
    number: Number(bytes.readBigUInt64LE(at + 40)),
    length: Number(bytes.readBigUInt64LE(at + 48)),
    bodyCrc: bytes.readUInt32LE(at + 56),
  };
}

/** The body behind the head at `at` of a block that was filled up; null where it is not whole. */
export function readPagedBody(bytes: Buffer, at: number, head: ReadHead): Uint8Array | null {
  const end = at + pagedLength(head.length);
  if (end > bytes.length || crc32(bytes.subarray(at + headBytes, end)) !== head.bodyCrc) return null;
  return new Uint8Array(bytes.buffer, bytes.byteOffset + at + headBytes, head.length);
}

/** A Buffer on the same memory. */
export function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
