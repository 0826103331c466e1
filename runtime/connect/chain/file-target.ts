// Rows appended to a file, one a line, each exactly once: what is written is synchronised, then a mark beside the file says
// how far it is, then it is confirmed. At the start the file is cut back to its mark, because nobody knows how much of what
// is behind it is whole. A file that is shorter than its mark was cut or replaced by somebody, who is taken to know why.

import { type FileHandle, open as openFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { type Clock, sleep } from "../../clock.ts";
import { messageOf, WeirError } from "../../errors.ts";
import { limits } from "../../limits.ts";
import type { Entry } from "../../state/outbox/entry.ts";
import { backOff } from "../back-off.ts";
import type { ConnectorLog } from "../connector-log.ts";
import { missingHeader } from "../file-header.ts";
import { joined } from "../file-sink.ts";
import type { ChainIdentity, Tail, Target, TargetEvents } from "./chain.ts";
import { type CountedMark, readMark, writeMark } from "./file-mark.ts";

export interface FileTargetOptions {
  readonly path: string;
  /** The first line of a new file, as CSV needs one. */
  readonly header?: string;
  readonly identity: ChainIdentity;
  readonly events: TargetEvents;
  readonly clock: Clock;
  readonly log: ConnectorLog;
}

export function fileTarget(options: FileTargetOptions): Target {
  return new FileTarget(options);
}

const lineFeed = 10;

interface Files {
  readonly rows: FileHandle;
  readonly marks: FileHandle;
}

class FileTarget implements Target {
  readonly #options: FileTargetOptions;
  #files: Files | null = null;
  #mark: CountedMark;
  #queue: Entry[] = [];
  #writing: Promise<void> | null = null;
  #closed = false;

  constructor(options: FileTargetOptions) {
    this.#options = options;
    const { id: chain, epoch } = options.identity;
    this.#mark = { chain, epoch, number: 0, offset: 0, count: 0 };
  }

  get room(): number {
    return this.#files === null || this.#closed
      ? 0
      : Math.max(0, limits.chain_file_rows_max - this.#queue.length);
  }

  async attach(_: readonly Entry[], confirmed: number): Promise<Tail> {
    const { path } = this.#options;
    try {
      this.#files ??= await openFiles(path);
      return await this.#begin(this.#files, confirmed);
    } catch (fault) {
      if (fault instanceof WeirError) throw fault;
      throw new WeirError("WEIR_FILE", `cannot write ${path} and ${markPath(path)}: ${messageOf(fault)}`, {
        remedy: "Check that the folder exists and that both may be written.",
        cause: fault,
      });
    }
  }

  send(entries: readonly Entry[]): void {
    this.#queue.push(...entries);
    this.#writing ??= this.#drain();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#writing;
    const files = this.#files;
    this.#files = null;
    await files?.rows.close();
    await files?.marks.close();
  }

  async #begin({ rows, marks }: Files, confirmed: number): Promise<Tail> {
    const { identity, path, log } = this.#options;
    const found = await readMark(marks);
    const own = found?.chain === identity.id ? found : null;
    const tail = { number: own?.number ?? confirmed, epoch: own?.epoch ?? 0 };
    // Another start owns it: the sender ends, and nothing is changed.
    if (tail.epoch > identity.epoch) return tail;
    const { size } = await rows.stat();
    let offset = own?.offset ?? size;
    if (size > offset) {
      log.warn(
        `sink ${path}: ${size - offset} bytes behind what was confirmed are cut off; their rows are written again`,
      );
      await rows.truncate(offset);
    } else if (size < offset) {
      log.warn(`sink ${path}: ${offset - size} bytes that were written are gone; going on at its end`);
      offset = size;
    }
    offset = await this.#lineStart(rows, offset);
    await rows.datasync();
    this.#mark = {
      chain: identity.id,
      epoch: identity.epoch,
      number: tail.number,
      offset,
      count: (found?.count ?? 0) + 1,
    };
    await writeMark(marks, this.#mark);
    return tail;
  }

  /** Where the next row begins: behind the header of a new file, and on a line of its own. */
  async #lineStart(rows: FileHandle, size: number): Promise<number> {
    const { header, path } = this.#options;
    let text = header === undefined ? "" : await missingHeader(rows, size, path, header);
    if (text === "" && size > 0) {
      const last = Buffer.alloc(1);
      await rows.read(last, 0, 1, size - 1);
      if (last[0] !== lineFeed) text = "\n";
    }
    const bytes = Buffer.from(text);
    await writeAll(rows, bytes, size);
    return size + bytes.length;
  }

  async #drain(): Promise<void> {
    // Rows that are sent in one go become one piece.
    await Promise.resolve();
    while (this.#queue.length > 0 && this.#files !== null) {
      const entries = this.#queue;
      this.#queue = [];
      if (!(await this.#append(this.#files, entries))) break;
      this.#options.events.confirmed(this.#mark.number);
    }
    this.#writing = null;
  }

  /**
   * Writes the rows and their mark, trying again as long as it takes; false when closed before. A try begins from the first
   * byte: after a fault nobody knows what of it is on the disk, and here all of it still is.
   */
  async #append({ rows, marks }: Files, entries: readonly Entry[]): Promise<boolean> {
    const { clock, path, log } = this.#options;
    const payloads = entries.map(({ row }) => row.payload);
    const bytes = joined(
      payloads,
      payloads.reduce((size, payload) => size + payload.length + 1, 0),
    );
    const { offset, count } = this.#mark;
    const number = entries.at(-1)?.number ?? this.#mark.number;
    const mark = { ...this.#mark, number, offset: offset + bytes.length, count: count + 1 };
    for (let attempt = 0; ; attempt++) {
      try {
        await writeAll(rows, bytes, offset);
        await rows.datasync();
        await writeMark(marks, mark);
        this.#mark = mark;
        return true;
      } catch (fault) {
        if (attempt === 0) log.warn(`sink ${path}: cannot write, trying again for ever: ${messageOf(fault)}`);
      }
      if (this.#closed) return false;
      await sleep(clock, backOff(attempt, 1));
    }
  }
}

function markPath(path: string): string {
  return `${path}.weir`;
}

async function openFiles(path: string): Promise<Files> {
  // Made where it is not there, and never emptied.
  await (await openFile(path, "a")).close();
  const rows = await openFile(path, "r+");
  const kind = await rows.stat();
  if (!kind.isFile()) {
    await rows.close();
    throw new WeirError("WEIR_CONFIG", `${path} is no file that can be cut back after a crash`, {
      remedy: "Name a file, or write to standard output with `stdout: {}`.",
    });
  }
  await (await openFile(markPath(path), "a")).close();
  // A new file is only there for good once its folder says so.
  const folder = await openFile(dirname(resolve(path)), "r");
  await folder.sync();
  await folder.close();
  return { rows, marks: await openFile(markPath(path), "r+") };
}

async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    written += (await file.write(bytes, written, bytes.length - written, position + written)).bytesWritten;
  }
}
