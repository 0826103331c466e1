// The JSON kernel as a module: found, compiled once a thread, and made into instances. Never fails: where there
// is no WebAssembly with SIMD, or no file, there is no kernel, and decoders read without it.

import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { partUrl } from "../../layout.ts";
import { limits } from "../../limits.ts";

interface Memory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

/** The part of WebAssembly that is used: the language's own library does not describe it. */
interface Engine {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
}

/** What assembly/index.ts exports. Addresses and counts are unsigned, but arrive signed. */
export interface KernelExports {
  readonly memory: Memory;
  heapStart(): number;
  configure(stringBytesMax: number, payloadDepthMax: number, seedLow: bigint, seedHigh: bigint): void;
  decode(template: number, rows: number, count: number, left: number, bytes: number, offsets: number): number;
  done(): number;
  needed(): number;
  lookUp(dictionary: number, text: number, length: number): number;
  rehash(dictionary: number, places: number, shift: number): void;
  splitLines(
    from: number,
    to: number,
    out: number,
    last: number,
    offsets: number,
    count: number,
    countMax: number,
    bytesMax: number,
    lengthMax: number,
  ): number;
  next(): number;
  oversize(): number;
  writeRows(members: number, memberCount: number, count: number, out: number, ends: number): number;
}

const { WebAssembly } = globalThis as unknown as { readonly WebAssembly?: Engine };

let compiled: object | null | undefined;

function compile(): object | null {
  if (WebAssembly === undefined) return null;
  try {
    return new WebAssembly.Module(readFileSync(partUrl("kernel.wasm")));
  } catch {
    // Not there, or not for this machine.
    return null;
  }
}

/** True when decoders of this thread have a kernel. */
export function hasKernel(): boolean {
  compiled ??= compile();
  return compiled !== null;
}

function secret(): bigint {
  return randomBytes(8).readBigInt64LE();
}

/** A kernel with a memory of its own; null where there can be none. */
export function createKernel(): KernelExports | null {
  if (!hasKernel()) return null;
  try {
    const kernel = new WebAssembly!.Instance(compiled!).exports as KernelExports;
    kernel.configure(limits.string_bytes_max, limits.payload_depth_max, secret(), secret());
    return kernel;
  } catch {
    // Each memory takes some gigabytes of address space; a process with very many decoders runs out of it.
    return null;
  }
}
