// The layout of a MessagePack record that the scanner took. Maps are part of it, whoever reads inside them; arrays,
// whose length changes, are one value.

import type { FieldRead } from "../codec.ts";
import {
  slotBool,
  slotFloat64,
  slotInt64,
  slotMsgpack,
  slotScalar,
  slotString,
  slotTime,
} from "../kernel/assembly/shape.ts";
import { type Layout, type LayoutSlot, makeLayout } from "../kernel/layout.ts";
import { limits } from "../../limits.ts";
import { shiftOf } from "../time-unit.ts";
import type { MsgpackScanner } from "./scanner.ts";
import { headerLength, kindOf, sizeAt } from "./token.ts";

const slotOf = {
  float64: slotFloat64,
  int64: slotInt64,
  bool: slotBool,
  string: slotString,
  time: slotTime,
} as const;

/** The shortest entry is a key and a value of one byte each. */
const entryBytesMin = 2;

/** True when the kernel can read these fields: JSON text it cannot make, and ISO times it does not look into. */
export function isForKernel(fields: readonly FieldRead[]): boolean {
  return fields.every((field) => field.type !== "json" && shiftOf(field) !== null);
}

/** The layout of the record `bytes[start … end)`, which `scanner` went through last. */
export function msgpackLayout(
  bytes: Uint8Array,
  start: number,
  end: number,
  fields: readonly FieldRead[],
  scanner: MsgpackScanner,
): Layout | undefined {
  const fieldAt = new Map(fields.map((_, field) => [scanner.at(field), field]));
  const literals: Uint8Array[] = [];
  const slots: LayoutSlot[] = [];
  let literal = start;
  const visitMap = (map: number, depth: number): number => {
    let position = map + headerLength(bytes[map]!);
    for (let left = sizeAt(scanner, map); left > 0; left--)
      position = visit(scanner.skip(position, depth + 1), depth);
    return position;
  };
  /** Returns where the value ends that stands in a map at `depth`. */
  const visit = (value: number, depth: number): number => {
    if (kindOf(bytes[value]!) === "map") return visitMap(value, depth + 1);
    const field = fieldAt.get(value);
    const ends = scanner.skip(value, depth + 1);
    literals.push(bytes.slice(literal, value));
    slots.push(layoutSlot(field, fields, depth + 1));
    literal = ends;
    return ends;
  };
  visitMap(start, 1);
  literals.push(bytes.slice(literal, end));
  const absent = [...fields.keys()].filter((field) => scanner.at(field) < 0);
  const bytesMax = Math.min(limits.payload_bytes_max, limits.payload_fields_max * entryBytesMin);
  return makeLayout({ literals, slots, absent, bytesMax });
}

function layoutSlot(index: number | undefined, fields: readonly FieldRead[], depth: number): LayoutSlot {
  if (index === undefined) return { kind: slotMsgpack + slotScalar, field: -1, shift: depth };
  const field = fields[index]!;
  const kind = slotMsgpack + slotOf[field.type as keyof typeof slotOf];
  return { kind, field: index, shift: field.type === "time" ? (shiftOf(field) ?? 0) : depth };
}
