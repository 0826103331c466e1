// JSON payloads to columns: the door of this folder.

import type { Decoder, FieldRead } from "../codec.ts";
import { createKernelDecoder } from "../kernel/decoder.ts";
import { ReaderDecoder } from "../reader-decoder.ts";
import { compilePaths } from "./paths.ts";
import { JsonReader } from "./reader.ts";

/** `kernel: false` decodes without WebAssembly: same results, slower. */
export interface JsonDecoderOptions {
  readonly kernel?: boolean;
}

/** A decoder of JSON objects. With the kernel where there is one; `hasKernel` tells. */
export function createJsonDecoder(fields: readonly FieldRead[], options: JsonDecoderOptions = {}): Decoder {
  const paths = compilePaths(fields);
  const reader = new JsonReader(fields, paths);
  // Fields that share a value, or lie inside another, would need several columns from one slot.
  const kernel = options.kernel === false || !paths.disjoint ? null : createKernelDecoder(fields, reader);
  return kernel ?? new ReaderDecoder(fields, reader);
}
