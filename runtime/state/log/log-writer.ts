// The commit log while it is open: appends, snapshots, the end. One call at a time has the turn; a snapshot is written beside
// the commits that come after it.

import { WeirError } from "../../errors.ts";
import { limits } from "../../limits.ts";
import { pagedLength, writePaged } from "./block.ts";
import type { Disk, DiskFile, DiskLock } from "./disk.ts";
import { diskFault, diskRefusal, isLackOfRoom } from "./disk-fault.ts";
import { copies, logFiles, segmentName, snapshotName, unfinished } from "./file-names.ts";
import type { PositionFile } from "./position-file.ts";
import type { Reserve } from "./reserve.ts";
import { commitHead, type SegmentHead, segmentBytes } from "./segment.ts";
import { writeSnapshot } from "./snapshot-file.ts";
import { createWhole } from "./whole-file.ts";

export interface CommitLog {
  /** Random, made when the log was begun, or begun anew after a loss; unique for ever. */
  readonly id: string;
  /** Of segments since the last snapshot. */
  readonly bytes: number;
  /** Resolves with the commit's number once it is durable. `body` is not to change until then. */
  append(body: Uint8Array): Promise<number>;
  /**
   * A snapshot of all that was appended so far, to be asked for while no `append` is pending. Commits may be appended while it
   * is written; `body` is not to change until it resolves. What it stands for goes then.
   */
  checkpoint(body: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

export interface OpenSegment {
  readonly head: SegmentHead;
  readonly file: DiskFile;
  /** Bytes that it holds. */
  end: number;
}

/** A segment with what it holds at first, whole and durable under its name. */
export async function createSegment(
  disk: Disk,
  head: SegmentHead,
  commits: readonly Uint8Array[],
): Promise<OpenSegment> {
  const name = segmentName(head.sequence);
  const bytes = segmentBytes(head, commits);
  const file = await createWhole(disk, unfinished(name), [bytes], bytes.length);
  try {
    await disk.rename(unfinished(name), name);
    await disk.syncNames().catch((error: unknown) => {
      // It may be there or not: none of the two may be built upon.
      throw diskFault(disk.place, "make a segment durable", error);
    });
  } catch (error) {
    await file.close();
    throw error;
  }
  return { head, file, end: bytes.length };
}

export interface LogParts {
  readonly disk: Disk;
  readonly lock: DiskLock;
  readonly reserve: Reserve;
  readonly position: PositionFile;
  readonly segment: OpenSegment;
  /** Of the last commit. */
  readonly number: number;
  /** Of the newest snapshot. */
  readonly generation: number;
  /** Of segments since that. */
  readonly bytes: number;
}

export class LogWriter implements CommitLog {
  readonly #parts: LogParts;
  #segment: OpenSegment;
  #number: number;
  #generation: number;
  #bytes: number;
  #buffer: Buffer = Buffer.alloc(0);
  /** Why no call is taken any more. */
  #end: WeirError | null = null;
  /** Calls of `append` that did not end. */
  #appending = 0;
  #turn: Promise<unknown> = Promise.resolve();
  #checkpointing: Promise<void> | null = null;

  constructor(parts: LogParts) {
    this.#parts = parts;
    this.#segment = parts.segment;
    this.#number = parts.number;
    this.#generation = parts.generation;
    this.#bytes = parts.bytes;
  }

  get id(): string {
    return this.#segment.head.id;
  }

  get bytes(): number {
    return this.#bytes;
  }

  async append(body: Uint8Array): Promise<number> {
    if (body.length > limits.log_commit_bytes_max) throw this.#tooLong("commit", body.length);
    this.#appending++;
    try {
      return await this.#inTurn("write a commit", () => this.#append(body));
    } finally {
      this.#appending--;
    }
  }

  async checkpoint(body: Uint8Array): Promise<void> {
    if (body.length > limits.log_snapshot_bytes_max) throw this.#tooLong("snapshot", body.length);
    if (this.#appending > 0 || this.#checkpointing !== null)
      throw new WeirError(
        "WEIR_INTERNAL",
        "a checkpoint was asked for beside a commit or another checkpoint",
      );
    this.#checkpointing = this.#checkpoint(body);
    try {
      await this.#checkpointing;
    } finally {
      this.#checkpointing = null;
    }
  }

  async close(): Promise<void> {
    await Promise.allSettled([this.#checkpointing, this.#turn]);
    const { disk, position, lock } = this.#parts;
    const isWhole = this.#end === null;
    this.#end ??= new WeirError("WEIR_INTERNAL", "the commit log was closed");
    try {
      if (isWhole) await position.sync();
    } catch (error) {
      throw diskFault(disk.place, "close the commit log", error);
    } finally {
      await Promise.allSettled([position.close(), this.#segment.file.close()]);
      await lock.release();
    }
  }

  async #append(body: Uint8Array): Promise<number> {
    const { disk, reserve } = this.#parts;
    if (this.#segment.end >= limits.log_segment_bytes) await this.#nextSegment().catch(unlessRoomIsLacking);
    const segment = this.#segment;
    const number = this.#number + 1;
    const bytes = this.#bufferOf(pagedLength(body.length));
    writePaged(bytes, commitHead(segment.head, number), body);
    await reserve.tryWith(() => this.#write(segment, bytes));
    await segment.file.sync().catch((error: unknown) => {
      throw diskFault(disk.place, "make a commit durable", error);
    });
    await this.#notePosition(number);
    segment.end += bytes.length;
    this.#bytes += bytes.length;
    this.#number = number;
    return number;
  }

  /** Writes all or nothing, where there is no room. */
  async #write(segment: OpenSegment, bytes: Uint8Array): Promise<void> {
    try {
      await segment.file.write(segment.end, bytes);
    } catch (error) {
      if (isLackOfRoom(error))
        await segment.file.truncate(segment.end).catch((failure: unknown) => {
          throw diskFault(this.#parts.disk.place, "take a commit back", failure);
        });
      throw error;
    }
  }

  /**
   * Where it cannot be written, the commit before it does not stand either: ext4 says of a synchronisation that all is well while
   * it gives the disk up, keeps nothing of it, and refuses only what is written after that.
   */
  async #notePosition(number: number): Promise<void> {
    const { origin, sequence, epoch } = this.#segment.head;
    try {
      await this.#parts.position.write({ origin, sequence, epoch, number });
    } catch (error) {
      if (!isLackOfRoom(error)) throw diskFault(this.#parts.disk.place, "note a position", error);
    }
  }

  async #checkpoint(body: Uint8Array): Promise<void> {
    const { disk, reserve } = this.#parts;
    const doing = "write a snapshot";
    // From here on commits go to another segment, so that those before it can go.
    const replaced = await this.#inTurn(doing, async () => {
      if (this.#segment.head.first <= this.#number) await this.#nextSegment();
      return this.#bytes;
    });
    const { head } = this.#segment;
    const { origin, epoch, sequence, first } = head;
    const generation = ++this.#generation;
    try {
      await writeSnapshot(disk, { origin, generation, epoch, number: first - 1 }, body);
      this.#bytes -= replaced;
      await this.#removeBefore(sequence, generation);
      await reserve.keep();
    } catch (error) {
      const fault = this.#judged(doing, error);
      if (fault.retry) await this.#forgetSnapshot(generation);
      throw fault;
    }
  }

  /** What there is of one that found no room would keep even more of it. */
  async #forgetSnapshot(generation: number): Promise<void> {
    const { disk } = this.#parts;
    try {
      for (const copy of copies) await disk.remove(unfinished(snapshotName(generation, copy)));
    } catch (error) {
      this.#end ??= diskFault(disk.place, "remove an unfinished snapshot", error);
    }
  }

  async #nextSegment(): Promise<void> {
    const { disk } = this.#parts;
    const { head, file } = this.#segment;
    const next = { ...head, sequence: head.sequence + 1, first: this.#number + 1 };
    this.#segment = await createSegment(disk, next, []);
    await file.close();
  }

  async #removeBefore(sequence: number, generation: number): Promise<void> {
    const { disk } = this.#parts;
    const files = logFiles(await disk.list());
    for (const each of files.segments) if (each < sequence) await disk.remove(segmentName(each));
    for (const each of files.snapshots)
      if (each < generation) for (const copy of copies) await disk.remove(snapshotName(each, copy));
  }

  #inTurn<Done>(doing: string, task: () => Promise<Done>): Promise<Done> {
    const before = this.#turn;
    const run = async (): Promise<Done> => {
      await before;
      if (this.#end !== null) throw this.#end;
      try {
        return await task();
      } catch (error) {
        throw this.#judged(doing, error);
      }
    };
    const done = run();
    this.#turn = done.catch(() => null);
    return done;
  }

  /** What is thrown for an error of the disk. All but lack of room ends the log. */
  #judged(doing: string, error: unknown): WeirError {
    const fault = diskRefusal(this.#parts.disk.place, doing, error);
    if (!fault.retry) this.#end ??= fault;
    return fault;
  }

  /** Memory for the next commit, kept from one to the next as long as it is small. */
  #bufferOf(length: number): Buffer {
    if (length > limits.log_buffer_bytes) return Buffer.allocUnsafeSlow(length);
    if (this.#buffer.length < length) this.#buffer = Buffer.allocUnsafeSlow(length);
    return this.#buffer.subarray(0, length);
  }

  #tooLong(what: string, length: number): WeirError {
    return new WeirError(
      "WEIR_STATE",
      `${this.#parts.disk.place}: a ${what} of ${length} bytes is too long`,
      {
        remedy: "let the steps of the pipeline keep less: fewer keys, shorter windows",
      },
    );
  }
}

/** A segment that could not be followed by another one goes on. */
function unlessRoomIsLacking(error: unknown): void {
  if (!isLackOfRoom(error)) throw error;
}
