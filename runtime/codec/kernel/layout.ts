// How a record is written: what stays the same from one record to the next, and what stands in between. Made
// out of a document that the exact reader took without a fault; pure data.

import type { FieldRead } from "../codec.ts";
import { limits } from "../../limits.ts";
import { type RecordReader, shiftOf } from "../json/reader.ts";
import { kinds, type Slot } from "../json/scanner.ts";
import {
  slotBool,
  slotFloat64,
  slotInt64,
  slotIso,
  slotJson,
  slotScalar,
  slotSkip,
  slotString,
  slotTime,
} from "./assembly/shape.ts";

export interface LayoutSlot {
  /** One of the slot numbers of assembly/shape.ts. */
  readonly kind: number;
  /** The field that is read here, or -1. */
  readonly field: number;
  /** Time: the power of ten to milliseconds. Where nesting may stand: how deep what surrounds it lies. */
  readonly shift: number;
}

export interface Layout {
  /** One more than there are slots. */
  readonly literals: readonly Uint8Array[];
  readonly slots: readonly LayoutSlot[];
  /** Fields that records of this layout do not have. */
  readonly absent: readonly number[];
  /** Equal for equal layouts, and for those only. */
  readonly signature: string;
}

const slotOf = {
  float64: slotFloat64,
  int64: slotInt64,
  bool: slotBool,
  string: slotString,
  time: slotTime,
  json: slotJson,
} as const;

/** The layout of the document `bytes[start … end)`; undefined when it has too much in it for a template. */
export function layoutOf(
  bytes: Uint8Array,
  start: number,
  end: number,
  fields: readonly FieldRead[],
  reader: RecordReader,
): Layout | undefined {
  const { scanner } = reader;
  const found: Slot[] = [];
  scanner.slots = found;
  scanner.scan(bytes, start, end);
  scanner.slots = null;
  if (found.length > limits.json_template_slots_max) return undefined;

  const fieldAt = new Map<number, number>();
  const absent: number[] = [];
  for (let field = 0; field < fields.length; field++) {
    const target = reader.winner(field);
    if (scanner.kinds[target] !== kinds.absent) fieldAt.set(scanner.starts[target]!, field);
    else absent.push(field);
  }

  const literals: Uint8Array[] = [];
  const slots: LayoutSlot[] = [];
  let at = start;
  let literalBytes = 0;
  for (const slot of found) {
    literals.push(bytes.slice(at, slot.start));
    literalBytes += slot.start - at;
    slots.push(layoutSlot(slot, fieldAt.get(slot.start), fields));
    at = slot.end;
  }
  literals.push(bytes.slice(at, end));
  literalBytes += end - at;
  if (literalBytes > limits.json_template_bytes_max) return undefined;
  return { literals, slots, absent, signature: signatureOf(literals, slots) };
}

function layoutSlot(slot: Slot, index: number | undefined, fields: readonly FieldRead[]): LayoutSlot {
  // Of members with one name only the last is read, so a slot that was a target may be read by nobody.
  if (index === undefined) return { kind: slot.looked ? slotScalar : slotSkip, field: -1, shift: slot.depth };
  const field = fields[index]!;
  if (field.type !== "time") return { kind: slotOf[field.type], field: index, shift: slot.depth };
  const shift = shiftOf(field);
  return { kind: shift === null ? slotIso : slotTime, field: index, shift: shift ?? 0 };
}

function signatureOf(literals: readonly Uint8Array[], slots: readonly LayoutSlot[]): string {
  // A literal holds no zero byte, so that nothing can be mistaken for what separates them.
  return literals
    .map((literal, i) => {
      const slot = slots[i];
      return Buffer.from(literal).toString("latin1") + (slot ? `\0${slot.kind}\0${slot.field}\0` : "");
    })
    .join("");
}
