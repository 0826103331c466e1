// The layout of a JSON document that the exact reader took without a fault. Parses no value.

import type { FieldRead } from "../codec.ts";
import { slotIso, slotJson, slotScalar, slotSkip, slotTime } from "../kernel/assembly/shape.ts";
import { type Layout, type LayoutSlot, makeLayout, slotOf as slotOfType } from "../kernel/layout.ts";
import { limits } from "../../limits.ts";
import { shiftOf } from "../time-unit.ts";
import { kinds, type Scanner, type Slot } from "./scanner.ts";

const slotOf = { ...slotOfType, json: slotJson } as const;

/** The shortest member is `"":1` and a comma; so many bytes for each that is allowed cannot hold too many. */
const memberBytesMin = 5;

/** The layout of the document `bytes[start … end)`; undefined when it has too much in it for a template. `winners` are the fields' targets. */
export function jsonLayout(
  bytes: Uint8Array,
  start: number,
  end: number,
  fields: readonly FieldRead[],
  scanner: Scanner,
  winner: (field: number) => number,
): Layout | undefined {
  const found: Slot[] = [];
  scanner.slots = found;
  scanner.scan(bytes, start, end);
  scanner.slots = null;

  const fieldAt = new Map<number, number>();
  const absent: number[] = [];
  for (let field = 0; field < fields.length; field++) {
    const target = winner(field);
    if (scanner.kinds[target] !== kinds.absent) fieldAt.set(scanner.starts[target]!, field);
    else absent.push(field);
  }
  const slots = found.map((slot) => layoutSlot(slot, fieldAt.get(slot.start), fields));
  const ends = [start, ...found.map((slot) => slot.end)];
  const literals = ends.map((from, place) => bytes.slice(from, found[place]?.start ?? end));
  const nesting = slots.some(({ kind }) => kind >= slotJson);
  const membersMax = limits.payload_fields_max * memberBytesMin;
  const bytesMax = nesting ? Math.min(limits.payload_bytes_max, membersMax) : limits.payload_bytes_max;
  return makeLayout({ literals, slots, absent, bytesMax });
}

function layoutSlot(slot: Slot, index: number | undefined, fields: readonly FieldRead[]): LayoutSlot {
  // Where a field is found at another place that comes first, a slot that was a target is read by nobody.
  if (index === undefined) return { kind: slot.looked ? slotScalar : slotSkip, field: -1, shift: slot.depth };
  const field = fields[index]!;
  if (field.type !== "time") return { kind: slotOf[field.type], field: index, shift: slot.depth };
  const shift = shiftOf(field);
  return { kind: shift === null ? slotIso : slotTime, field: index, shift: shift ?? 0 };
}
