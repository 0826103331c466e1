// Plain data as bytes and back. Whoever keeps the bytes knows whether they are whole.

import { damaged, type Plain } from "./plain.ts";
import { PlainReader, PlainWriter } from "./plain-bytes.ts";

/** Memory of its own. */
export function written(data: Plain): Uint8Array<ArrayBuffer> {
  const writer = new PlainWriter();
  writer.value(data);
  return writer.take();
}

/** What `written` was given, its bytes in memory of their own. Throws WEIR_STATE where `bytes` from `start` on are no such data. */
export function readPlain(bytes: Uint8Array, start = 0): Plain {
  const reader = new PlainReader(bytes, start);
  const data = reader.value();
  if (reader.left > 0) throw damaged("more follows behind its end");
  return data;
}
