// MessagePack payloads to columns: the door of this folder.

import type { Decoder, FieldRead } from "../codec.ts";
import { compilePaths } from "../json/paths.ts";
import { createKernelDecoder } from "../kernel/decoder.ts";
import { ReaderDecoder } from "../reader-decoder.ts";
import { isForKernel } from "./layout.ts";
import { MsgpackReader } from "./reader.ts";

/** A decoder of standard MessagePack (no records, no shared structures). `kernel: false`: same results, slower. */
export function createMsgpackDecoder(
  fields: readonly FieldRead[],
  options: { readonly kernel?: boolean } = {},
): Decoder {
  const reader = new MsgpackReader(fields);
  const fits = options.kernel !== false && isForKernel(fields) && compilePaths(fields).disjoint;
  return (fits ? createKernelDecoder(fields, reader) : null) ?? new ReaderDecoder(fields, reader);
}
