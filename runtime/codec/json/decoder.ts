// JSON payloads to columns: the door of this folder.

import type { Decoder, FieldRead } from "../codec.ts";
import { createKernelDecoder } from "../kernel/decoder.ts";
import { ReaderDecoder } from "./reader-decoder.ts";

export { ReaderDecoder };

/** `kernel: false` decodes without WebAssembly: same results, slower. */
export interface JsonDecoderOptions {
  readonly kernel?: boolean;
}

/** A decoder of JSON objects. With the kernel where there is one; `hasKernel` tells. */
export function createJsonDecoder(fields: readonly FieldRead[], options: JsonDecoderOptions = {}): Decoder {
  const kernel = options.kernel === false ? null : createKernelDecoder(fields);
  return kernel ?? new ReaderDecoder(fields);
}
