// Where a MessagePack value ends, for messages that hold several. Reads no value, and follows no nesting with a call.

import { headerLength, kindOf, type Source, sizeAt } from "./token.ts";

/** The bytes of a message, as tokens are read from them. */
export function sourceOf(message: Uint8Array): Source {
  const { buffer, byteOffset, length } = message;
  return { bytes: Buffer.from(buffer, byteOffset, length), view: new DataView(buffer, byteOffset, length) };
}

/** The position behind the value at `position`; -1 where the bytes end before it does, or it is none. */
export function valueEnd(source: Source, position: number): number {
  const { bytes } = source;
  let open = 1;
  for (; open > 0; open--) {
    const token = bytes[position];
    if (token === undefined) return -1;
    const header = position + headerLength(token);
    const kind = kindOf(token);
    if (header > bytes.length || kind === undefined) return -1;
    const size = sizeAt(source, position);
    position = header;
    if (kind === "array") open += size;
    else if (kind === "map") open += size * 2;
    else position += size;
    // Each value takes a byte at least, so a count larger than what is left is known for a lie at once.
    if (open - 1 > bytes.length - position) return -1;
  }
  return position;
}
