// Rows appended to a file, one a line. Written in large pieces, forced to the disk on flush and close. A
// full disk is waited out. Never truncates or rotates a file.

import { open as openFile, type FileHandle } from "node:fs/promises";
import { wallClock, sleep, type Clock } from "../clock.ts";
import { messageOf, WeirError } from "../errors.ts";
import { limits } from "../limits.ts";
import { backOff } from "./back-off.ts";
import { Conditions } from "./conditions.ts";
import type { OutputRow, Sink, SinkStats } from "./connect.ts";
import type { ConnectorLog } from "./connector-log.ts";
import { missingHeader } from "./file-header.ts";
import { SinkCounts } from "./sink-counts.ts";

export interface FileSinkOptions {
  readonly path: string;
  /** The first line of a new file, as CSV needs one. */
  readonly header?: string;
  readonly log: ConnectorLog;
  readonly clock?: Clock;
}

export function fileSink(options: FileSinkOptions): Sink {
  return new LineSink(options);
}

const lineFeed = 10;

class LineSink implements Sink {
  readonly #options: FileSinkOptions;
  readonly #clock: Clock;
  readonly #counts: SinkCounts = new SinkCounts();
  readonly #conditions: Conditions = new Conditions();
  #file: FileHandle | null = null;
  #queue: Uint8Array[] = [];
  #queueBytes = 0;
  #writing: Promise<void> | null = null;
  #closed = false;

  constructor(options: FileSinkOptions) {
    this.#options = options;
    this.#clock = options.clock ?? wallClock;
  }

  async open(): Promise<void> {
    const { path, header } = this.#options;
    try {
      this.#file = await openFile(path, "a+");
      const kind = await this.#file.stat();
      if (kind.isDirectory()) throw new Error("it is a folder");
      // Once it is full a write never returns, and then not even the process ends.
      if (kind.isFIFO()) throw new Error("it is a pipe, which keeps nothing");
      const size = kind.isFile() ? kind.size : 0;
      const missing = header === undefined ? "" : await missingHeader(this.#file, size, path, header);
      if (missing !== "") await this.#file.appendFile(missing);
      else if (size > 0) await this.#startLine(this.#file, size);
    } catch (fault) {
      await this.#file?.close();
      this.#file = null;
      if (fault instanceof WeirError) throw fault;
      throw new WeirError("WEIR_FILE", `cannot append to ${path}: ${messageOf(fault)}`, {
        remedy: "Check that the folder exists and may be written to.",
        cause: fault,
      });
    }
  }

  /** A line that a crash cut off stays as it is: a new one must not become part of it. */
  async #startLine(file: FileHandle, size: number): Promise<void> {
    const last = Buffer.alloc(1);
    await file.read(last, 0, 1, size - 1);
    if (last[0] === lineFeed) return;
    const { path, log } = this.#options;
    log.warn(`sink ${path}: the last line has no end; it is left as it is and the next row starts a line`);
    await file.appendFile("\n");
  }

  write(row: OutputRow): void {
    this.#counts.taken++;
    if (this.#closed || this.#file === null) return this.#counts.drop("closed");
    this.#queue.push(row.payload);
    this.#queueBytes += row.payload.length + 1;
    this.#writing ??= this.#drain();
  }

  ready(): Promise<void> {
    return this.#conditions.until(() => this.#closed || this.#queueBytes < limits.file_sink_queue_bytes_max);
  }

  async flush(): Promise<void> {
    await this.#conditions.until(() => this.#closed || this.#counts.pending === 0);
    await this.#file?.datasync().catch((fault: unknown) => this.#warn("cannot sync", fault));
  }

  stats(): SinkStats {
    return this.#counts.stats();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#writing;
    this.#counts.drop("closed", this.#counts.pending);
    this.#conditions.check();
    const file = this.#file;
    this.#file = null;
    await file?.datasync().catch((fault: unknown) => this.#warn("cannot sync", fault));
    await file?.close();
  }

  async #drain(): Promise<void> {
    // Rows written in one go become one piece.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      const rows = this.#queue;
      const bytes = joined(rows, this.#queueBytes);
      this.#queue = [];
      this.#queueBytes = 0;
      if (!(await this.#append(bytes))) break;
      this.#counts.confirm(rows.length, bytes.length);
      this.#conditions.check();
    }
    this.#writing = null;
  }

  /** Appends all of it, trying again as long as it takes; false when the sink is closed before. */
  async #append(bytes: Uint8Array): Promise<boolean> {
    let written = 0;
    let told = false;
    for (let attempt = 0; ; attempt++) {
      try {
        while (written < bytes.length) {
          written += (await this.#file!.write(bytes, written)).bytesWritten;
        }
        return true;
      } catch (fault) {
        if (!told) this.#warn("cannot write, trying again for ever", fault);
        told = true;
      }
      if (this.#closed) return false;
      await sleep(this.#clock, backOff(attempt, Math.random()));
    }
  }

  #warn(what: string, fault: unknown): void {
    this.#options.log.warn(`sink ${this.#options.path}: ${what}: ${messageOf(fault)}`);
  }
}

/** The rows as lines, in one piece of `size` bytes. */
export function joined(rows: readonly Uint8Array[], size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  let end = 0;
  for (const row of rows) {
    bytes.set(row, end);
    end += row.length;
    bytes[end++] = lineFeed;
  }
  return bytes;
}
