// A snapshot as bytes: a header that says what the bytes are and whether they are whole, then plain data.
// Knows nothing of pipelines; whose state it is, is told by a fingerprint.
//
//   bytes    what
//   4        "WEIR"
//   4        version of the format, little-endian as all numbers
//   4        CRC-32 of all that follows
//   32       the fingerprint
//   others   the data, as in plain-bytes.ts

import { crc32 } from "node:zlib";
import { WeirError } from "../errors.ts";
import { damaged, type Plain } from "./plain.ts";
import { readPlain, written } from "./written.ts";

const version = 2;
const mark = "WEIR";
const checkedFrom = 12;
const headerLength = checkedFrom + 32;

/** `fingerprint`: 32 bytes. */
export function frameOf(fingerprint: Uint8Array, data: Plain): Uint8Array {
  const body = written(data);
  // Memory of its own, which may go to another thread.
  const frame = Buffer.from(new ArrayBuffer(headerLength + body.length));
  frame.write(mark, "latin1");
  frame.writeUInt32LE(version, 4);
  frame.set(fingerprint, checkedFrom);
  frame.set(body, headerLength);
  frame.writeUInt32LE(crc32(frame.subarray(checkedFrom)), 8);
  return new Uint8Array(frame.buffer);
}

/** What `frameOf` was given. Throws where the frame is of another version, damaged, or has none of the fingerprints. */
export function dataOf(frame: Uint8Array, fingerprints: readonly Uint8Array[]): Plain {
  const bytes = Buffer.from(frame.buffer, frame.byteOffset, frame.length);
  if (bytes.length < headerLength || bytes.toString("latin1", 0, 4) !== mark)
    throw damaged("it does not begin as one");
  const found = bytes.readUInt32LE(4);
  if (found !== version)
    throw new WeirError("WEIR_STATE", `the snapshot is of format ${found}, expected ${version}`, {
      remedy: "restore it with the weir that wrote it, or begin without one",
    });
  if (bytes.readUInt32LE(8) !== crc32(bytes.subarray(checkedFrom)))
    throw damaged("its checksum is not that of its bytes");
  if (!fingerprints.some((each) => bytes.subarray(checkedFrom, headerLength).equals(each)))
    throw new WeirError(
      "WEIR_STATE",
      "the snapshot is of a pipeline with other steps, settings, tables or columns",
      {
        remedy: "restore it into the pipeline as it was, or begin without one",
      },
    );
  return readPlain(bytes, headerLength);
}
