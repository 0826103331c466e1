// Outbox files: frames of rows that outlive the log's segments, or that memory has no room for. Files are only appended to,
// are never gone on with after a restart, and go whole. Knows nothing of chains and numbers: a manifest says what is where.
//
// A frame: "WOUT", CRC-32 of all that follows it, length of the body, rows, length of the block, 1 where the body is the
// block packed by zstd and 0 where it is the block itself (four bytes each, little-endian), then the body.

import { crc32, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { type Clock, sleep } from "../../clock.ts";
import { messageOf, WeirError } from "../../errors.ts";
import { limits } from "../../limits.ts";
import type { Disk, DiskFile } from "../log/disk.ts";
import { diskRefusal, isLackOfRoom } from "../log/disk-fault.ts";
import { rowsOf } from "./block.ts";
import type { KeptRow } from "./entry.ts";
import type { Place } from "./piece.ts";

const mark = "WOUT";
const checkedFrom = 8;
export const headerLength = 24;

/** What a frame says about itself. */
export interface FrameHeader {
  readonly bodyLength: number;
  readonly rows: number;
  readonly blockLength: number;
  readonly packed: boolean;
}

/** The file with the number `file`. */
export function fileName(file: number): string {
  return `outbox-${String(file).padStart(8, "0")}.rows`;
}

/** The number of a file called `name`; null where it is none of the outbox's. */
export function fileNumber(name: string): number | null {
  const digits = /^outbox-(\d{8,})\.rows$/.exec(name)?.[1];
  return digits === undefined ? null : Number(digits);
}

/** A block as a frame. */
export function frameOf(block: Uint8Array, rows: number): Uint8Array {
  const packed = block.length < limits.outbox_packed_bytes_min ? block : zstdCompressSync(block);
  const gains = packed.length <= block.length * limits.outbox_packed_part_max;
  const body = gains ? packed : block;
  const frame = Buffer.allocUnsafe(headerLength + body.length);
  frame.write(mark, "latin1");
  [body.length, rows, block.length, gains ? 1 : 0].forEach((value, place) =>
    frame.writeUInt32LE(value, checkedFrom + place * 4),
  );
  frame.set(body, headerLength);
  frame.writeUInt32LE(crc32(frame.subarray(checkedFrom)), 4);
  return frame;
}

/** What the header of a frame says; null where it is none. Whether the frame is whole, is told by `blockIn`. */
export function headerIn(bytes: Uint8Array): FrameHeader | null {
  const frame = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (frame.length < headerLength || frame.toString("latin1", 0, 4) !== mark) return null;
  const [bodyLength, rows, blockLength, packed] = [0, 4, 8, 12].map((at) =>
    frame.readUInt32LE(checkedFrom + at),
  ) as [number, number, number, number];
  return packed > 1 ? null : { bodyLength, rows, blockLength, packed: packed === 1 };
}

/** The block of a frame. Throws where the frame is damaged, or has another number of rows. */
export function blockIn(frame: Uint8Array, rows: number): Uint8Array {
  const header = headerIn(frame);
  if (header === null || header.bodyLength !== frame.length - headerLength || header.rows !== rows)
    throw damagedFrame("no frame begins where one is expected");
  const checksum = Buffer.from(frame.buffer, frame.byteOffset, frame.length).readUInt32LE(4);
  if (checksum !== crc32(frame.subarray(checkedFrom)))
    throw damagedFrame("a frame's checksum is not that of its bytes");
  const body = frame.subarray(headerLength);
  const block = header.packed ? zstdDecompressSync(body, { maxOutputLength: header.blockLength }) : body;
  if (block.length !== header.blockLength)
    throw damagedFrame("a frame's block has another length than it says");
  return block;
}

/** What it is of, and what to do, says whoever reads the file. */
function damagedFrame(what: string): WeirError {
  return new WeirError("WEIR_STATE", what);
}

/** What is done about rows that are not to be had any more: they are behind nothing but this file. */
const damageRemedy =
  "start it again, which helps where the disk only failed to read; else `weir outbox fsck FOLDER` says which rows are affected and " +
  "`weir outbox export FOLDER` writes all others that wait; then move that folder out of the state folder, and the pipeline begins anew with what its source still has: " +
  "of that, what was sent already comes twice";

/** One that is written on. */
interface Writing {
  readonly file: number;
  readonly handle: DiskFile;
  length: number;
  isDirty: boolean;
}

export interface FileOptions {
  /** Bytes of one file. */
  readonly fileBytes?: number | undefined;
  /** Nothing is written, and nothing is sent. */
  readonly lookedAt?: boolean | undefined;
}

export class OutboxFiles {
  readonly #disk: Disk;
  readonly #clock: Clock;
  readonly #fileBytes: number;
  #nextFile: number;
  /** By number, the bytes of each. */
  readonly #lengths: Map<number, number> = new Map();
  readonly #writing: Map<string, Writing> = new Map();
  /** Full, and not known to be durable yet. */
  #full: Writing[] = [];
  /** By number, how many reads are under way. */
  readonly #reading: Map<number, number> = new Map();
  #namesChanged = false;
  #fault: WeirError | null = null;
  #waiting: string | null = null;
  #isEnding = false;

  private constructor(disk: Disk, clock: Clock, fileBytes: number, nextFile: number) {
    this.#disk = disk;
    this.#clock = clock;
    this.#fileBytes = fileBytes;
    this.#nextFile = nextFile;
  }

  /**
   * `needed`: by number, how many bytes at least a file has to hold. Rejects where one is missing or shorter, unless it is
   * `lookedAt` only: then whoever reads what was there is told.
   */
  static async open(
    disk: Disk,
    clock: Clock,
    needed: ReadonlyMap<number, number>,
    { fileBytes = limits.outbox_file_bytes_max, lookedAt = false }: FileOptions = {},
  ): Promise<OutboxFiles> {
    const found = (await disk.list()).map(fileNumber).filter((file) => file !== null);
    const files = new OutboxFiles(disk, clock, fileBytes, Math.max(0, ...found, ...needed.keys()) + 1);
    for (const file of found) files.#lengths.set(file, await lengthOf(disk, file));
    for (const [file, bytes] of needed) {
      const length = files.#lengths.get(file);
      if (!lookedAt && (length === undefined || length < bytes))
        throw new WeirError(
          "WEIR_STATE",
          `${disk.place}: ${fileName(file)} ${length === undefined ? "is missing" : `ends at byte ${length}`}, expected ${bytes} bytes`,
          { remedy: damageRemedy },
        );
    }
    return files;
  }

  /** Why a read waits; null where none does. */
  get waiting(): string | null {
    return this.#waiting;
  }

  /** Bytes of all files. */
  get bytes(): number {
    return [...this.#lengths.values()].reduce((sum, bytes) => sum + bytes, 0);
  }

  /** Appends a frame to the file that `writer` writes. Readable at once; durable after `sync`. One at a time. */
  async append(writer: string, block: Uint8Array, rows: number): Promise<Place> {
    const frame = frameOf(block, rows);
    const writing = await this.#fileFor(writer);
    const offset = writing.length;
    // What an earlier write that failed left behind is written over.
    await writing.handle.write(offset, frame);
    writing.length = offset + frame.length;
    writing.isDirty = true;
    this.#lengths.set(writing.file, writing.length);
    return { file: writing.file, offset, length: frame.length, rows, skip: 0 };
  }

  async read(place: Place): Promise<readonly KeptRow[]> {
    return rowsOf(await this.readBlock(place), place.rows);
  }

  async readBlock({ file, offset, length, rows }: Place): Promise<Uint8Array> {
    this.#reading.set(file, (this.#reading.get(file) ?? 0) + 1);
    try {
      return blockIn(await readFrom(await this.#opened(fileName(file)), offset, length), rows);
    } catch (error) {
      if (isLackOfRoom(error)) throw diskRefusal(this.#disk.place, "read rows that wait", error);
      throw new WeirError(
        "WEIR_STATE",
        `${this.#disk.place}: ${fileName(file)} at byte ${offset}: ${messageOf(error)}`,
        {
          remedy: damageRemedy,
          cause: error,
        },
      );
    } finally {
      const others = (this.#reading.get(file) ?? 1) - 1;
      if (others > 0) this.#reading.set(file, others);
      else this.#reading.delete(file);
    }
  }

  /** That a process may open no more files just now harms nothing, and passes: what is to be read waits for it. */
  async #opened(name: string): Promise<DiskFile> {
    for (;;) {
      try {
        const handle = await this.#disk.open(name);
        this.#waiting = null;
        return handle;
      } catch (error) {
        if (!isLackOfRoom(error) || this.#isEnding) throw error;
        this.#waiting = messageOf(error);
        await sleep(this.#clock, limits.outbox_relieve_again_ms);
      }
    }
  }

  /** From here on no read waits. */
  end(): void {
    this.#isEnding = true;
  }

  /** Makes durable what was appended. After a failure all later calls fail: nobody knows what is on the disk. */
  async sync(): Promise<void> {
    if (this.#fault !== null) throw this.#fault;
    const full = this.#full;
    try {
      for (const writing of [...full, ...this.#writing.values()]) {
        if (writing.isDirty) await writing.handle.sync();
        writing.isDirty = false;
      }
      if (this.#namesChanged) await this.#disk.syncNames();
      this.#namesChanged = false;
    } catch (error) {
      this.#fault = new WeirError(
        "WEIR_STATE",
        `${this.#disk.place}: outbox files cannot be made durable: ${messageOf(error)}`,
        { remedy: "look after the disk, then start again: the log still has what is needed", cause: error },
      );
      throw this.#fault;
    }
    this.#full = this.#full.filter((writing) => !full.includes(writing));
    for (const { handle } of full) await handle.close();
  }

  /** Removes all files but `needed` and those that are written on or read. One that is written on and has nothing left is ended. */
  async keepOnly(needed: ReadonlySet<number>): Promise<void> {
    for (const [writer, { file, handle }] of this.#writing)
      if (!needed.has(file) && !this.#reading.has(file)) {
        this.#writing.delete(writer);
        await handle.close();
      }
    const writing = new Set([...this.#full, ...this.#writing.values()].map(({ file }) => file));
    for (const file of this.#lengths.keys()) {
      if (needed.has(file) || writing.has(file) || this.#reading.has(file)) continue;
      await this.#disk.remove(fileName(file));
      this.#lengths.delete(file);
    }
  }

  async close(): Promise<void> {
    for (const { handle } of [...this.#full, ...this.#writing.values()]) await handle.close();
    this.#full = [];
    this.#writing.clear();
  }

  async #fileFor(writer: string): Promise<Writing> {
    const writing = this.#writing.get(writer);
    if (writing !== undefined && writing.length < this.#fileBytes) return writing;
    if (writing !== undefined) {
      this.#full.push(writing);
      this.#writing.delete(writer);
    }
    const file = this.#nextFile++;
    const begun = { file, handle: await this.#disk.create(fileName(file)), length: 0, isDirty: true };
    this.#namesChanged = true;
    this.#lengths.set(file, 0);
    this.#writing.set(writer, begun);
    return begun;
  }
}

async function lengthOf(disk: Disk, file: number): Promise<number> {
  const handle = await disk.open(fileName(file));
  try {
    return await handle.size();
  } finally {
    await handle.close();
  }
}

/** Reads and closes. */
async function readFrom(handle: DiskFile, offset: number, length: number): Promise<Uint8Array> {
  try {
    return await handle.read(offset, length);
  } finally {
    await handle.close();
  }
}
