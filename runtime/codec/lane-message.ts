// A message of a lane as a whole: rows one after the other (lane-rows.ts), or all of them packed as one frame of zstd. Backlog
// is, and all that goes over a connection whose bytes are counted: rows of one kind are like each other, so that a hundred of them take a
// fifth to a ninth of their bytes. How a message is packed is told by its first bytes: no row begins as a frame does.

import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { limits } from "../limits.ts";

/** What a frame of zstd begins with. */
const mark = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd);

/** Rows as one message; packed where that is asked for and gains. */
export function laneMessage(rows: readonly Uint8Array[], isPacked: boolean): Uint8Array {
  const body = Buffer.concat(rows);
  if (!isPacked || body.length < limits.lane_packed_bytes_min) return body;
  const packed = zstdCompressSync(body);
  return packed.length > body.length * limits.lane_packed_part_max ? body : packed;
}

/** The rows of a message one after the other; the message as it is where it cannot be unpacked. */
export function laneBody(message: Uint8Array): Uint8Array {
  if (mark.some((byte, place) => message[place] !== byte)) return message;
  try {
    return zstdDecompressSync(message, { maxOutputLength: limits.lane_body_bytes_max });
  } catch {
    return message;
  }
}
