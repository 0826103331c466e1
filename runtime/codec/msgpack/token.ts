// The wire format of MessagePack, one value at a time, in place: what a value is, how long its header
// and body are, and the number or time that it holds. Allocates nothing, follows no nesting, trusts
// only positions that the scanner has checked.

import { limits } from "../../limits.ts";

/** The bytes that are read from, and the same as a view; both begin at 0. */
export interface Source {
  readonly bytes: Buffer;
  readonly view: DataView;
}

export type Kind = "nil" | "bool" | "integer" | "float" | "string" | "bytes" | "array" | "map" | "extension";

/** What the value is that begins with `token`; undefined for 0xc1, which is none. */
export function kindOf(token: number): Kind | undefined {
  if (token < 0x80 || token >= 0xe0) return "integer";
  if (token < 0x90) return "map";
  if (token < 0xa0) return "array";
  if (token < 0xc0) return "string";
  return kinds[token - 0xc0];
}

const kinds: readonly (Kind | undefined)[] = [
  "nil",
  undefined,
  "bool",
  "bool",
  "bytes",
  "bytes",
  "bytes",
  "extension",
  "extension",
  "extension",
  "float",
  "float",
  "integer",
  "integer",
  "integer",
  "integer",
  "integer",
  "integer",
  "integer",
  "integer",
  "extension",
  "extension",
  "extension",
  "extension",
  "extension",
  "string",
  "string",
  "string",
  "array",
  "array",
  "map",
  "map",
];

/** Bytes before the body: the token and its length field. By token from 0xc0. */
const headers = [
  1, 1, 1, 1, 2, 3, 5, 2, 3, 5, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 3, 5, 3, 5, 3, 5,
];
/** Bytes of a body of fixed length; -1 where the header says. Extensions count their type byte. */
const bodies = [
  0, 0, 0, 0, -1, -1, -1, -1, -1, -1, 4, 8, 1, 2, 4, 8, 1, 2, 4, 8, 2, 3, 5, 9, 17, -1, -1, -1, -1, -1, -1,
  -1,
];

/** Length of the header of the value that begins with `token`. */
export function headerLength(token: number): number {
  return token >= 0xc0 && token < 0xe0 ? headers[token - 0xc0]! : 1;
}

/** Bytes in the body of a scalar; entries of an array or a map. The header must lie within the source. */
export function sizeAt({ bytes, view }: Source, position: number): number {
  const token = bytes[position]!;
  if (token < 0x80 || token >= 0xe0) return 0;
  if (token < 0xa0) return token & 0x0f;
  if (token < 0xc0) return token & 0x1f;
  const fixed = bodies[token - 0xc0]!;
  if (fixed >= 0) return fixed;
  const header = headers[token - 0xc0]!;
  const size =
    header === 2
      ? bytes[position + 1]!
      : header === 3
        ? view.getUint16(position + 1)
        : view.getUint32(position + 1);
  return token < 0xc7 || token > 0xc9 ? size : size + 1;
}

/**
 * The number at `position`, which must hold an integer or a float. NaN where a 64-bit integer has no
 * exact float64.
 */
export function numberAt({ bytes, view }: Source, position: number): number {
  const token = bytes[position]!;
  if (token < 0x80) return token;
  if (token >= 0xe0) return token - 0x100;
  switch (token) {
    case 0xca:
      return view.getFloat32(position + 1);
    case 0xcb:
      return view.getFloat64(position + 1);
    case 0xcc:
      return bytes[position + 1]!;
    case 0xcd:
      return view.getUint16(position + 1);
    case 0xce:
      return view.getUint32(position + 1);
    case 0xd0:
      return view.getInt8(position + 1);
    case 0xd1:
      return view.getInt16(position + 1);
    case 0xd2:
      return view.getInt32(position + 1);
    default:
      return exact(
        token === 0xcf ? view.getUint32(position + 1) : view.getInt32(position + 1),
        view.getUint32(position + 5),
      );
  }
}

// 2^53 is 0x20_0000 times 2^32; from there on a float64 skips integers.
function exact(high: number, low: number): number {
  const within = high >= -0x20_0000 && (high < 0x20_0000 || (high === 0x20_0000 && low === 0));
  return within ? high * 0x1_0000_0000 + low : Number.NaN;
}

/** The integer at `position`, which must hold one, without loss. */
export function integerAt(source: Source, position: number): bigint {
  const token = source.bytes[position]!;
  if (token === 0xcf) return source.view.getBigUint64(position + 1);
  if (token === 0xd3) return source.view.getBigInt64(position + 1);
  return BigInt(numberAt(source, position));
}

/** The timestamp at `position`, which must hold an extension, in ms; NaN for any other extension. */
export function timestampAt(source: Source, position: number): number {
  const { bytes, view } = source;
  const body = position + headerLength(bytes[position]!);
  if (view.getInt8(body) !== -1) return Number.NaN;
  switch (sizeAt(source, position)) {
    case 5:
      return view.getUint32(body + 1) * 1000;
    case 9: {
      const high = view.getUint32(body + 1);
      return timeOf((high & 3) * 0x1_0000_0000 + view.getUint32(body + 5), high >>> 2);
    }
    case 13:
      return timeOf(Number(view.getBigInt64(body + 5)), view.getUint32(body + 1));
    default:
      return Number.NaN;
  }
}

function timeOf(seconds: number, nanoseconds: number): number {
  const time = seconds * 1000 + nanoseconds / 1e6;
  return nanoseconds < 1e9 && Math.abs(time) <= limits.payload_time_ms_max ? time : Number.NaN;
}
