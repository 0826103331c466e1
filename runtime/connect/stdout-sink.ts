// Rows to the process's standard output, one a line, so that weir stands in a shell pipeline. A reader that
// goes away (`| head`) is a clean end and not a fault; a disk behind it that is full is one. Never closes the stream, which is
// the process's.

import type { Writable } from "node:stream";
import { messageOf, WeirError } from "../errors.ts";
import { limits } from "../limits.ts";
import { Conditions } from "./conditions.ts";
import type { OutputRow, Sink, SinkStats } from "./connect.ts";
import { joined } from "./file-sink.ts";
import { SinkCounts } from "./sink-counts.ts";

export interface StdoutSinkOptions {
  /** Default: the process's own. */
  readonly stream?: Writable;
  /** The first line, as CSV needs one. */
  readonly header?: string;
  /** The reader has gone: nothing more can be written. */
  readonly onEnd?: (() => void) | undefined;
}

export function stdoutSink(options: StdoutSinkOptions = {}): Sink {
  return new StreamSink(options);
}

class StreamSink implements Sink {
  readonly #stream: Writable;
  readonly #options: StdoutSinkOptions;
  readonly #counts: SinkCounts = new SinkCounts();
  readonly #conditions: Conditions = new Conditions();
  #queue: Uint8Array[] = [];
  #queueBytes = 0;
  #writing = false;
  #ended = false;
  #closed = false;
  /** Why nothing more can be written, where that is not that the reader has gone. */
  #fault: WeirError | null = null;
  readonly #onError: (fault: NodeJS.ErrnoException) => void = (fault) => this.#fail(fault);

  constructor(options: StdoutSinkOptions) {
    this.#options = options;
    this.#stream = options.stream ?? process.stdout;
  }

  open(): Promise<void> {
    this.#stream.on("error", this.#onError);
    const { header } = this.#options;
    if (header !== undefined) this.#stream.write(`${header}\n`);
    return Promise.resolve();
  }

  write(row: OutputRow): void {
    this.#counts.taken++;
    if (this.#ended) return this.#counts.drop(this.#reason);
    if (this.#closed) return this.#counts.drop("closed");
    this.#queue.push(row.payload);
    this.#queueBytes += row.payload.length + 1;
    if (this.#writing) return;
    this.#writing = true;
    // Rows written in one go become one piece.
    queueMicrotask(() => this.#next());
  }

  async ready(): Promise<void> {
    await this.#conditions.until(() => this.#ended || this.#queueBytes < limits.file_sink_queue_bytes_max);
    if (this.#fault !== null) throw this.#fault;
  }

  async flush(): Promise<void> {
    await this.#conditions.until(() => this.#ended || this.#counts.pending === 0);
    if (this.#fault !== null) throw this.#fault;
  }

  stats(): SinkStats {
    return this.#counts.stats();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.flush().catch(() => undefined);
    // The listener stays: an error of the pipe may come later and must not end the process.
  }

  /** Writes what has gathered; the stream's call-back, not its buffer, says when the next piece may follow. */
  #next(): void {
    if (this.#ended || this.#queue.length === 0) {
      this.#writing = false;
      return;
    }
    const rows = this.#queue.length;
    const bytes = joined(this.#queue, this.#queueBytes);
    this.#queue = [];
    this.#queueBytes = 0;
    this.#stream.write(bytes, (fault) => {
      if (this.#ended) return;
      if (fault != null) return this.#fail(fault);
      this.#counts.confirm(rows, bytes.length);
      this.#conditions.check();
      this.#next();
    });
  }

  get #reason(): string {
    return this.#fault === null ? "reader_gone" : "write_failed";
  }

  #fail(fault: NodeJS.ErrnoException): void {
    if (this.#ended) return;
    if (fault.code !== "EPIPE")
      this.#fault = new WeirError("WEIR_SINK", `standard output takes no more: ${messageOf(fault)}`, {
        remedy: "look at where it goes: a full disk, say",
        cause: fault,
      });
    this.#ended = true;
    this.#writing = false;
    this.#queue = [];
    this.#counts.drop(this.#reason, this.#counts.pending);
    this.#conditions.check();
    if (this.#fault === null) this.#options.onEnd?.();
  }
}
