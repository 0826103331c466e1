// Records from a file of lines, NDJSON or CSV: flat out, at a rate, or in the file's own time. Ends with
// the file, and goes on in it behind a position of an earlier run, if it is still that file. Never follows
// a file that grows, and reads regular files only: a pipe or a device could block or have no end.

import { open as openFile, stat, type FileHandle } from "node:fs/promises";
import { type PayloadBatch, PayloadBuilder } from "../batch/payloads.ts";
import { LineSplitter } from "../codec/kernel/line-splitter.ts";
import { sleep, wallClock, type Clock } from "../clock.ts";
import { messageOf, WeirError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { Plain } from "../state/plain.ts";
import type { Delivery, ReadLimits, Source, SourceStats } from "./connect.ts";
import { type ConnectorLog, silentLog } from "./connector-log.ts";
import { FairTurn } from "./fair-turn.ts";
import { FileIdentity, type FilePosition, filePositionOf } from "./file-identity.ts";
import { LineReader } from "./line-reader.ts";
import { Schedule, type Pace } from "./pace.ts";

export interface FileSourceOptions extends Pace {
  readonly path: string;
  /** `csv`: the first line names the columns and is not a record. One record a line, so no line ends inside quotes. */
  readonly format: "lines" | "csv";
  readonly log?: ConnectorLog;
  readonly clock?: Clock;
}

export interface FileSource extends Source {
  /** The first line of a CSV file, known once `open` has resolved; null for other files. */
  readonly header: string | null;
}

export function fileSource(options: FileSourceOptions): FileSource {
  return new LineSource(options);
}

class LineSource implements FileSource {
  readonly #options: FileSourceOptions;
  readonly #clock: Clock;
  /** Where nothing has to wait for its time: lines are taken many at once. */
  readonly #splitter: LineSplitter | null;
  readonly #turn = new FairTurn();
  #builder: PayloadBuilder = new PayloadBuilder();
  #file: FileHandle | null = null;
  #lines: LineReader | null = null;
  #schedule!: Schedule;
  /** A line that was read and is not due yet, or had no room; a copy. */
  #held: { readonly line: Uint8Array; readonly due: number } | null = null;
  #header: string | null = null;
  #identity!: FileIdentity;
  /** Why a position of an earlier run meant nothing to this file; null where it did. */
  #fault: "truncated" | "replaced" | null = null;
  #records = 0;
  #bytes = 0;

  constructor(options: FileSourceOptions) {
    this.#options = options;
    this.#clock = options.clock ?? wallClock;
    const paced = options.rate !== undefined || options.speed !== undefined;
    this.#splitter = paced ? null : LineSplitter.create();
  }

  get header(): string | null {
    return this.#header;
  }

  async open(resume?: Plain | null): Promise<void> {
    this.#file = await openRegular(this.#options.path);
    this.#identity = await FileIdentity.of(this.#options.path, this.#file);
    this.#lines = this.#reader(this.#file, 0);
    if (this.#options.format === "csv") {
      const header = await this.#nextLine();
      // One that is too long is left out, and a record would name the columns.
      const isTooLong = this.#lines.oversize > 0;
      if (header === null || isTooLong) {
        await this.close();
        const what = isTooLong
          ? `that line is longer than ${limits.payload_bytes_max} bytes`
          : "the file is empty";
        throw new WeirError(
          "WEIR_FILE",
          `${this.#options.path}: expected a first line with the columns' names, ${what}`,
          {
            remedy: "Put the names of the columns in the first line, separated by commas.",
          },
        );
      }
      this.#header = Buffer.from(header).toString("utf8");
    }
    if (resume !== undefined && resume !== null) this.#goOn(this.#file, filePositionOf(resume));
    this.#schedule = new Schedule(this.#options, this.#clock.elapsed());
  }

  /** Behind the position, if the file is the one that it was taken in. */
  #goOn(file: FileHandle, position: FilePosition): void {
    const { path, log = silentLog } = this.#options;
    this.#fault = this.#identity.fault(position);
    if (this.#fault === null) {
      if (position.offset > this.#lines!.offset) this.#lines = this.#reader(file, position.offset);
      return;
    }
    const what =
      this.#fault === "truncated"
        ? `it ends before byte ${position.offset}, up to which it was read`
        : "it is not the file that was read before";
    log.warn(`source ${path}: ${what}; reading it from its start`);
  }

  #reader(file: FileHandle, offset: number): LineReader {
    return new LineReader(file, offset, limits.payload_bytes_max, this.#splitter);
  }

  async read(wanted: ReadLimits): Promise<Delivery | null | "end"> {
    if (this.#turn.isOver) await this.#turn.end();
    if (this.#file === null) return "end";
    if (this.#splitter !== null) return this.#split(this.#splitter, wanted);
    this.#builder.reset();
    const offset = await this.#fill(wanted);
    if (this.#builder.count > 0) return this.#deliver(this.#builder.view(), offset);
    if (this.#held === null) return "end";
    const wait = Math.min(wanted.wait_ms, this.#held.due - this.#clock.elapsed());
    if (wait > 0) await sleep(this.#clock, wait);
    return null;
  }

  commit(): Promise<void> {
    return Promise.resolve();
  }

  stats(): SourceStats {
    const oversize = this.#lines?.oversize ?? 0;
    const dropped: Record<string, number> = oversize > 0 ? { oversize } : {};
    // How many records the file lost nobody can tell.
    if (this.#fault !== null) dropped[this.#fault] = 0;
    return { records: this.#records, bytes: this.#bytes, dropped, lag: null };
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = null;
    await file?.close();
  }

  /** As many lines as there is room for, while the file has any. */
  async #split(splitter: LineSplitter, { rows, bytes }: ReadLimits): Promise<Delivery | "end"> {
    const lines = this.#lines!;
    splitter.begin();
    while (!lines.take(rows, bytes) && !lines.ended) await lines.fill();
    if (splitter.count === 0) return "end";
    lines.ahead();
    return this.#deliver(splitter.view(this.#options.path, this.#clock.now()), lines.offset);
  }

  #deliver(payloads: PayloadBatch, offset: number): Delivery {
    this.#records += payloads.count;
    this.#bytes += payloads.bytes.length;
    return { payloads, position: this.#identity.position(offset) };
  }

  /** Puts the lines that are due into the builder; returns where the next one begins. */
  async #fill(limits: ReadLimits): Promise<number> {
    const [now, elapsed] = [this.#clock.now(), this.#clock.elapsed()];
    const lines = this.#lines!;
    let offset = lines.offset;
    for (;;) {
      const held = this.#held;
      // Awaiting costs more than a line does, so only a new chunk is awaited.
      const line = held?.line ?? lines.next() ?? (await this.#nextLine());
      if (line === null) return lines.offset;
      const due = held === null ? this.#schedule.due(line) : held.due;
      if (due > elapsed || !this.#hasRoom(line.length, limits)) {
        this.#held = held ?? { line: line.slice(), due };
        return offset;
      }
      this.#held = null;
      this.#builder.add(line, this.#options.path, now);
      offset = lines.offset;
    }
  }

  #hasRoom(length: number, limits: ReadLimits): boolean {
    const { count, size } = this.#builder;
    if (count === 0) return true;
    return count < limits.rows && size + length <= limits.bytes && this.#builder.fits(length);
  }

  async #nextLine(): Promise<Uint8Array | null> {
    const lines = this.#lines!;
    for (;;) {
      const line = lines.next();
      if (line !== null) return line;
      if (lines.ended) return null;
      await lines.fill();
    }
  }
}

/** Opens a regular file for reading. */
export async function openRegular(path: string): Promise<FileHandle> {
  try {
    const kind = await stat(path);
    if (!kind.isFile()) {
      throw new WeirError(
        "WEIR_FILE",
        `${path}: expected a regular file, it is ${kind.isDirectory() ? "a folder" : "a pipe or a device"}`,
        {
          remedy: "Name a file with one record a line.",
        },
      );
    }
    return await openFile(path, "r");
  } catch (fault) {
    if (fault instanceof WeirError) throw fault;
    throw new WeirError("WEIR_FILE", `cannot read ${path}: ${messageOf(fault)}`, {
      remedy: "Check the path, which is relative to the working folder, and its permissions.",
      cause: fault,
    });
  }
}
