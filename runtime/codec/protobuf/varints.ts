// Varints, and the numbers that scalars are: where they stand, what they say. Knows no message.

import type { Scalar } from "./message.ts";

const bytesMax = 10;

export class Varints {
  /** The varint that was read last, as its lower and upper 32 bits. */
  low = 0;
  high = 0;

  /** Reads the varint at `at` into `low` and `high`; where it ends, or -1 where it does not. */
  readVarint(bytes: Uint8Array, at: number, end: number): number {
    let low = 0;
    let high = 0;
    for (let i = 0; i < bytesMax && at + i < end; i++) {
      const byte = bytes[at + i]!;
      const bits = byte & 0x7f;
      if (i < 4) low |= bits << (i * 7);
      else if (i === 4) {
        low |= bits << 28;
        high = bits >>> 4;
      } else high |= bits << (i * 7 - 32);
      if (byte >= 0x80) continue;
      this.low = low >>> 0;
      this.high = high >>> 0;
      return at + i + 1;
    }
    return -1;
  }

  /** Why there is none at `at`. */
  varintFault(at: number, end: number): string {
    return end - at >= bytesMax ? "a varint of more than 10 bytes" : "the end of its bytes";
  }

  /** Any scalar but text and integers of 64 bits, which stands at `position`, whole. */
  numberAt(scalar: Scalar, bytes: Uint8Array, view: DataView, position: number): number {
    switch (scalar) {
      case "double":
        return view.getFloat64(position, true);
      case "float":
        return view.getFloat32(position, true);
      case "fixed32":
        return view.getUint32(position, true);
      case "sfixed32":
        return view.getInt32(position, true);
    }
    this.readVarint(bytes, position, bytes.length);
    const { low, high } = this;
    if (scalar === "bool") return (low | high) === 0 ? 0 : 1;
    if (scalar === "uint32") return low;
    return scalar === "sint32" ? (low >>> 1) ^ -(low & 1) : low | 0;
  }

  /** An integer of 64 bits. */
  integerAt(scalar: Scalar, bytes: Uint8Array, view: DataView, position: number): bigint {
    if (scalar === "fixed64") return view.getBigUint64(position, true);
    if (scalar === "sfixed64") return view.getBigInt64(position, true);
    this.readVarint(bytes, position, bytes.length);
    const bits = (BigInt(this.high) << 32n) | BigInt(this.low);
    if (scalar === "uint64") return bits;
    return scalar === "sint64" ? BigInt.asIntN(64, (bits >> 1n) ^ -(bits & 1n)) : BigInt.asIntN(64, bits);
  }
}
