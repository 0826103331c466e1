// The output of a container as an engine sends it: frames of 8 bytes of header and a payload, of standard output
// and standard error in turn. Keeps the last lines only. Never holds more than one line of each that has not ended.

import { limits } from "../../limits.ts";

const headerBytes = 8;
const newline = 0x0a;
const kinds: ReadonlySet<number> = new Set([0x01000000, 0x02000000]);

/** Takes chunks as they come; `lines` are the last ones so far. */
export class OutputLines {
  readonly #most: number;
  readonly #lines: string[] = [];
  /** Of each of the two outputs, the line that has not ended. */
  readonly #open = new Map<number, Buffer>();
  #rest: Buffer = Buffer.alloc(0);
  #broken = false;

  constructor(most: number) {
    this.#most = most;
  }

  /** True when something came that is no frame. */
  get broken(): boolean {
    return this.#broken;
  }

  push(chunk: Buffer): void {
    if (this.#broken) return;
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    while (this.#rest.length >= headerBytes && !this.#broken) {
      const kind = this.#rest.readUInt32BE(0);
      const end = headerBytes + this.#rest.readUInt32BE(4);
      this.#broken = !kinds.has(kind) || end > limits.worker_log_bytes_max;
      if (this.#broken || this.#rest.length < end) return;
      this.#take(kind, this.#rest.subarray(headerBytes, end));
      this.#rest = this.#rest.subarray(end);
    }
  }

  /** The last lines, those that have not ended included. */
  lines(): readonly string[] {
    const open = [...this.#open.values()].map((line) => line.toString());
    return [...this.#lines, ...open].slice(-this.#most);
  }

  #take(kind: number, payload: Buffer): void {
    let from = 0;
    for (let end = payload.indexOf(newline); end >= 0; end = payload.indexOf(newline, from)) {
      this.#lines.push(this.#joined(kind, payload.subarray(from, end)).toString());
      this.#open.delete(kind);
      if (this.#lines.length > this.#most) this.#lines.shift();
      from = end + 1;
    }
    if (from < payload.length) this.#open.set(kind, this.#joined(kind, payload.subarray(from)));
  }

  /** What was open with more behind it, up to the longest that a line may be. */
  #joined(kind: number, more: Buffer): Buffer {
    const before = this.#open.get(kind);
    const line = before === undefined ? more : Buffer.concat([before, more]);
    return line.subarray(0, limits.worker_log_line_bytes_max);
  }
}
