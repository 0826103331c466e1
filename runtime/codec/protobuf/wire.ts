// The wire format of protobuf, value by value: where each ends, and what numbers say. Knows no message, and never reads past
// the end that it is given.

import { limits } from "../../limits.ts";
import { type Scalar, wires } from "./message.ts";

const varintBytesMax = 10;

export class WireReader {
  /** What is wrong where -1 was answered. */
  fault = "";
  /** The varint that was read last, as its lower and upper 32 bits. */
  low = 0;
  high = 0;
  /** Of the tag that was read last. */
  number = 0;
  wire = 0;
  bytes: Uint8Array = new Uint8Array(0);
  #start = 0;

  /** A record begins at `start`; faults say how far behind that. */
  begin(bytes: Uint8Array, start: number): void {
    this.bytes = bytes;
    this.#start = start;
  }

  /** Reads the varint at `at` into `low` and `high`; where it ends, or -1. */
  varint(at: number, end: number): number {
    const { bytes } = this;
    let low = 0;
    let high = 0;
    for (let i = 0; i < varintBytesMax && at + i < end; i++) {
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
    const isLong = end - at >= varintBytesMax;
    return this.#broken(isLong ? "a varint of more than 10 bytes" : "the end of its bytes", at);
  }

  /** Reads the tag at `at` into `number` and `wire`; where it ends, or -1. */
  tag(at: number, end: number): number {
    const next = this.varint(at, end);
    if (next < 0) return -1;
    this.number = this.low >>> 3;
    this.wire = this.low & 7;
    return this.high !== 0 || this.number === 0 ? this.#broken("a field number out of range", at) : next;
  }

  /** Where the value at `at` ends, or -1. */
  skip(wire: number, number: number, at: number, end: number, depth = 1): number {
    switch (wire) {
      case wires.varint:
        return this.varint(at, end);
      case wires.fixed64:
      case wires.fixed32: {
        const next = at + (wire === wires.fixed64 ? 8 : 4);
        return next <= end ? next : this.#broken("the end of its bytes", at);
      }
      case wires.bytes: {
        const body = this.varint(at, end);
        if (body < 0) return -1;
        const fits = this.high === 0 && this.low <= end - body;
        return fits ? body + this.low : this.#broken("a length beyond the end", at);
      }
      case wires.group:
        return this.#skipGroup(number, at, end, depth);
      default:
        return this.#broken(`wire type ${wire}`, at);
    }
  }

  #skipGroup(group: number, start: number, end: number, depth: number): number {
    if (depth >= limits.payload_depth_max) return this.#broken("too many levels", start);
    let at = start;
    for (;;) {
      const tag = this.tag(at, end);
      if (tag < 0) return -1;
      if (this.wire === wires.groupEnd)
        return this.number === group ? tag : this.#broken("the end of another group", at);
      at = this.skip(this.wire, this.number, tag, end, depth + 1);
      if (at < 0) return -1;
    }
  }

  #broken(what: string, position: number): -1 {
    this.fault = `expected protobuf, got ${what} at byte ${position - this.#start}`;
    return -1;
  }

  /** Any scalar but text and integers of 64 bits, which stands at `position`, whole. */
  numberAt(scalar: Scalar, view: DataView, position: number): number {
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
    this.varint(position, this.bytes.length);
    const { low, high } = this;
    if (scalar === "bool") return (low | high) === 0 ? 0 : 1;
    if (scalar === "uint32") return low;
    return scalar === "sint32" ? (low >>> 1) ^ -(low & 1) : low | 0;
  }

  /** An integer of 64 bits. */
  integerAt(scalar: Scalar, view: DataView, position: number): bigint {
    if (scalar === "fixed64") return view.getBigUint64(position, true);
    if (scalar === "sfixed64") return view.getBigInt64(position, true);
    this.varint(position, this.bytes.length);
    const bits = (BigInt(this.high) << 32n) | BigInt(this.low);
    if (scalar === "uint64") return bits;
    return scalar === "sint64" ? BigInt.asIntN(64, (bits >> 1n) ^ -(bits & 1n)) : BigInt.asIntN(64, bits);
  }
}
