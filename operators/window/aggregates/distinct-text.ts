// What count_distinct keeps, as a text that can travel in a payload, and back. Reads only what it is sure
// of: any other text is no sketch, and no text makes it take more room than one may.
//
// Texts, numbers and the first bytes are those of sketch-bytes.ts.
//
//   bytes            what
//   0x48 0x4c 0x01   "HL", version 1
//   number           0: the hashes of few values; 1: registers
//   hashes           number n, then n numbers: the first hash, and the difference of each from the one before
//   registers        2,560 bytes: 4,096 registers of 5 bits, the first in the low bits of the first byte
//
// A hash is the 52 bits of hash.ts; its 12 highest bits name a register, which holds one more than the
// greatest number of leading zeros among the 20 bits that follow (HyperLogLog).

import { exactMax } from "./bounds.ts";
import { rankMax, registers } from "./count-distinct.ts";
import { type NumberReader, putNumber, reading, textOfBytes } from "./sketch-bytes.ts";

const magic = "HL";
const version = 1;
const hashEnd = 2 ** 52;
const rankBits = 5;
const packedBytes = (registers * rankBits) / 8;

/** The text of a slot's few hashes or of its registers. */
export function distinctText(sketch: Float64Array | Uint8Array): string {
  const bytes: number[] = [];
  if (sketch instanceof Uint8Array) {
    putNumber(bytes, 1);
    putRegisters(bytes, sketch);
  } else {
    putNumber(bytes, 0);
    putNumber(bytes, sketch[0]!);
    for (let i = 1; i <= sketch[0]!; i++)
      putNumber(bytes, i === 1 ? sketch[1]! : sketch[i]! - sketch[i - 1]!);
  }
  return textOfBytes(magic, version, bytes);
}

function putRegisters(bytes: number[], ranks: Uint8Array): void {
  let bits = 0;
  let held = 0;
  for (const rank of ranks) {
    bits |= rank << held;
    for (held += rankBits; held >= 8; held -= 8) {
      bytes.push(bits & 0xff);
      bits >>>= 8;
    }
  }
}

/** The hashes or registers that a text is; null when it is none. */
export function distinctOf(text: string): Float64Array | Uint8Array | null {
  const reader = reading(text, magic, version);
  if (reader === null) return null;
  const form = reader.next();
  const sketch = form === 0 ? readHashes(reader) : form === 1 ? readRegisters(reader) : null;
  return sketch !== null && reader.atEnd ? sketch : null;
}

function readHashes(reader: NumberReader): Float64Array | null {
  const size = reader.next();
  if (!(size <= exactMax)) return null;
  const list = new Float64Array(Math.max(8, size + 1));
  list[0] = size;
  for (let i = 1; i <= size; i++) {
    const step = reader.next();
    if (!(step > 0) && i > 1) return null;
    const hash = i === 1 ? step : list[i - 1]! + step;
    if (!(hash < hashEnd)) return null;
    list[i] = hash;
  }
  return list;
}

function readRegisters(reader: NumberReader): Uint8Array | null {
  const packed = reader.take(packedBytes);
  if (packed === null) return null;
  const ranks = new Uint8Array(registers);
  for (let register = 0; register < registers; register++) {
    const bit = register * rankBits;
    const at = bit >>> 3;
    const rank = ((packed[at]! | ((packed[at + 1] ?? 0) << 8)) >>> (bit & 7)) & 0x1f;
    if (rank > rankMax) return null;
    ranks[register] = rank;
  }
  return ranks;
}
