// The kernel's memory as JavaScript sees it: views that stay right when it grows, and a hand that gives out
// regions. Nothing is given back: whatever grows doubles, so that at most half of the memory is left behind.

import { padding } from "./assembly/shape.ts";
import type { KernelExports } from "./kernel.ts";

const pageBytes = 65_536;

export class KernelMemory {
  readonly kernel: KernelExports;
  #free: number;
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #words: Uint32Array<ArrayBuffer> = new Uint32Array(0);

  constructor(kernel: KernelExports) {
    this.kernel = kernel;
    this.#free = align(kernel.heapStart());
  }

  get buffer(): ArrayBuffer {
    return this.kernel.memory.buffer;
  }

  /** All of the memory. Not to be kept across `allocate`. */
  get bytes(): Uint8Array<ArrayBuffer> {
    if (this.#bytes.length === 0) this.#bytes = new Uint8Array(this.buffer);
    return this.#bytes;
  }

  /** The same by words of 32 bits, indexed by address / 4. */
  get words(): Uint32Array<ArrayBuffer> {
    if (this.#words.length === 0) this.#words = new Uint32Array(this.buffer);
    return this.#words;
  }

  /** The address of a region of zeros with room behind it for reads past its end. */
  allocate(length: number): number {
    const address = this.#free;
    const end = align(address + length + padding);
    const missing = end - this.buffer.byteLength;
    // Growing detaches every view: they are then empty, and made anew.
    if (missing > 0) this.kernel.memory.grow(Math.ceil(missing / pageBytes));
    this.#free = end;
    return address;
  }
}

function align(address: number): number {
  return Math.ceil(address / 64) * 64;
}
