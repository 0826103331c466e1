// The lines of a file or a message as payloads, split and put side by side by the kernel: about 7 ns a line, where JavaScript takes
// 140. Holds one batch at a time; where lines begin and end is all that it knows of them.

import { Buffer } from "node:buffer";
import type { PayloadBatch, Payloads } from "../../batch/payloads.ts";
import { limits } from "../../limits.ts";
import { createKernel } from "./kernel.ts";
import { KernelMemory } from "./memory.ts";

export interface SplitLimits {
  /** A longer line is left out, and counted. */
  readonly lengthMax: number;
  /** Of the batch. A first line always fits. */
  readonly rows: number;
  readonly bytes: number;
}

/** The longest line with its end, what is read of the file behind it, and a line end that may be missing. */
const bufferBytes: number = limits.payload_bytes_max + 2 + limits.file_chunk_bytes + 1;

/** A batch, or a first line that is longer. */
const outBytes: number = Math.max(limits.batch_bytes_max, limits.payload_bytes_max);

export class LineSplitter {
  /** Where the bytes are put that are split. */
  readonly buffer: Buffer;
  readonly #memory: KernelMemory;
  readonly #from: number;
  readonly #out: number;
  readonly #offsets: number;
  /** Of every batch, as the memory of arrays that come and go makes the garbage collector go over all there is. */
  readonly #subject = new Uint16Array(limits.batch_rows_max);
  readonly #arrived = new Float64Array(limits.batch_rows_max);
  #count = 0;

  private constructor(memory: KernelMemory) {
    this.#memory = memory;
    this.#from = memory.allocate(bufferBytes);
    this.#offsets = memory.allocate((limits.batch_rows_max + 1) * 4);
    this.#out = memory.allocate(outBytes);
    // Nothing is allocated from here on, so that the buffer stays where it is while a file is read into it.
    this.buffer = Buffer.from(memory.buffer, this.#from, bufferBytes);
  }

  /** Null where there is no kernel. */
  static create(): LineSplitter | null {
    const kernel = createKernel();
    return kernel === null ? null : new LineSplitter(new KernelMemory(kernel));
  }

  get count(): number {
    return this.#count;
  }

  /** Begins a batch; the one before is no longer valid. */
  begin(): void {
    this.#count = 0;
  }

  /** Takes the lines of `buffer[from … to)` that end there. `at`: where the next one begins; `full`: there was no room for it. */
  split(
    from: number,
    to: number,
    { lengthMax, rows, bytes }: SplitLimits,
  ): { readonly at: number; readonly full: boolean; readonly oversize: number } {
    const { kernel } = this.#memory;
    const countMax = Math.min(rows, limits.batch_rows_max);
    this.#count = kernel.splitLines(
      this.#from + from,
      this.#from + to,
      this.#out,
      this.#out + outBytes,
      this.#offsets,
      this.#count,
      countMax,
      Math.min(bytes, limits.batch_bytes_max),
      lengthMax,
    );
    const at = kernel.next() - this.#from;
    const full = this.#count === countMax || this.buffer.subarray(at, to).includes(0x0a);
    return { at, full, oversize: kernel.oversize() };
  }

  /** The lines so far. Valid until the next batch begins. */
  lines(): Payloads {
    const count = this.#count;
    const offsets = new Uint32Array(this.#memory.buffer, this.#offsets, count + 1);
    return { bytes: new Uint8Array(this.#memory.buffer, this.#out, offsets[count]!), offsets, count };
  }

  /** The batch so far, all of which arrived at once. Valid until the next one begins. */
  view(subject: string, arrived: number): PayloadBatch {
    const count = this.#count;
    return {
      ...this.lines(),
      subjects: [subject],
      subject: this.#subject.subarray(0, count),
      arrived: this.#arrived.subarray(0, count).fill(arrived),
    };
  }
}
