// Plain data as bytes and back. Whoever keeps the bytes knows whether they are whole.

import { damaged, type Plain } from "./plain.ts";
import { lengthOf, PlainReader, PlainWriter } from "./plain-bytes.ts";

/** Memory of its own. */
export function written(data: Plain): Uint8Array<ArrayBuffer> {
  const writer = new PlainWriter();
  writer.reserve(lengthOf(data));
  writer.value(data);
  return writer.take();
}

/** What `written` was given, its bytes in memory of their own. Throws WEIR_STATE where `bytes` from `start` on are no such data. */
export function readPlain(bytes: Uint8Array, start: number = 0): Plain {
  return readFrom(new PlainReader(bytes, start));
}

/** The same, but that its bytes are views of `bytes`, which last as long as any of them. */
export function viewPlain(bytes: Uint8Array): Plain {
  return readFrom(new PlainReader(bytes, 0, true));
}

function readFrom(reader: PlainReader): Plain {
  const data = reader.value();
  if (reader.left > 0) throw damaged("more follows behind its end");
  return data;
}
