// The layout of a MessagePack record that the scanner took. Maps are part of it, whoever reads inside them; arrays,
// whose length changes, are one value.

import type { FieldRead } from "../codec.ts";
import { slotMsgpack, slotScalar } from "../kernel/assembly/shape.ts";
import { type Layout, type LayoutSlot, makeLayout, slotOf } from "../kernel/layout.ts";
import { limits } from "../../limits.ts";
import { shiftOf } from "../time-unit.ts";
import type { MsgpackScanner } from "./scanner.ts";
import { headerLength, kindOf, sizeAt } from "./token.ts";

/** The shortest entry is a key and a value of one byte each. */
const entryBytesMin = 2;

/** True when the kernel can read these fields: JSON text it cannot make, and ISO times it does not look into. */
export function isForKernel(fields: readonly FieldRead[]): boolean {
  return fields.every((field) => field.type !== "json" && shiftOf(field) !== null);
}

/** A value that is no map, and the field that is read there, if any. */
export interface PlacedValue {
  readonly start: number;
  readonly end: number;
  readonly field: number | undefined;
  /** Of the value, were it an array. */
  readonly depth: number;
}

/** The values of the record at `start`, which `scanner` went through last, in order. */
export function placedValues(
  start: number,
  fields: readonly FieldRead[],
  scanner: MsgpackScanner,
): PlacedValue[] {
  const { bytes } = scanner;
  const fieldAt = new Map(fields.map((_, field) => [scanner.at(field), field]));
  const values: PlacedValue[] = [];
  const visit = (value: number, depth: number): number => {
    if (kindOf(bytes[value]!) !== "map") {
      const end = scanner.skip(value, depth);
      values.push({ start: value, end, field: fieldAt.get(value), depth });
      return end;
    }
    let position = value + headerLength(bytes[value]!);
    for (let left = sizeAt(scanner, value); left > 0; left--)
      position = visit(scanner.skip(position, depth + 1), depth + 1);
    return position;
  };
  visit(start, 1);
  return values;
}

/** The layout of the record `bytes[start … end)` with these values. */
export function msgpackLayout(
  bytes: Uint8Array,
  start: number,
  end: number,
  fields: readonly FieldRead[],
  values: readonly PlacedValue[],
): Layout | undefined {
  const ends = [start, ...values.map((value) => value.end)];
  const literals = ends.map((from, place) => bytes.slice(from, values[place]?.start ?? end));
  const slots = values.map(({ field, depth }) => layoutSlot(field, fields, depth));
  const absent = [...fields.keys()].filter((field) => !values.some((value) => value.field === field));
  const bytesMax = Math.min(limits.payload_bytes_max, limits.payload_fields_max * entryBytesMin);
  return makeLayout({ literals, slots, absent, bytesMax });
}

function layoutSlot(index: number | undefined, fields: readonly FieldRead[], depth: number): LayoutSlot {
  if (index === undefined) return { kind: slotMsgpack + slotScalar, field: -1, shift: depth };
  const field = fields[index]!;
  const kind = slotMsgpack + slotOf[field.type as keyof typeof slotOf];
  return { kind, field: index, shift: field.type === "time" ? (shiftOf(field) ?? 0) : depth };
}
