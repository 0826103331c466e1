// A layout as the kernel reads it: written into a region of its memory that has room for the largest.

import { limits } from "../../limits.ts";
import {
  absentBytes,
  absentNulls,
  absentValid,
  padding,
  segmentBytes,
  segmentExtra,
  segmentKind,
  segmentLead,
  segmentLeadLength,
  segmentLength,
  segmentMask,
  segmentNulls,
  segmentShift,
  segmentText,
  segmentValid,
  segmentValues,
  slotEnd,
  templateAbsent,
  templateAbsentCount,
  templateBytesMax,
  templateHeader,
} from "./assembly/shape.ts";
import type { Layout } from "./layout.ts";
import type { KernelMemory } from "./memory.ts";

/** Where the kernel writes a field. */
export interface FieldAddresses {
  readonly values: number;
  readonly valid: number;
  readonly nulls: number;
  readonly extra: number;
}

/** The room that any template needs, with `fields` fields. */
export function templateRoom(fields: number): number {
  const segments = limits.template_slots_max + 1;
  return templateHeader + segments * segmentBytes + fields * absentBytes + literalRoom(segments);
}

function literalRoom(segments: number): number {
  return limits.template_bytes_max + segments * 16 + padding;
}

/** Writes the layout to `address`. */
export function writeTemplate(
  memory: KernelMemory,
  address: number,
  layout: Layout,
  fields: readonly FieldAddresses[],
): void {
  const { bytes, words } = memory;
  const put = (at: number, value: number): void => {
    words[at >> 2] = value;
  };
  const absent = address + templateHeader + (layout.slots.length + 1) * segmentBytes;
  let leads = absent + layout.absent.length * absentBytes;

  put(address + templateAbsent, absent);
  put(address + templateAbsentCount, layout.absent.length);
  put(address + templateBytesMax, layout.bytesMax);
  for (const [i, field] of layout.absent.entries()) {
    put(absent + i * absentBytes + absentValid, fields[field]!.valid);
    put(absent + i * absentBytes + absentNulls, fields[field]!.nulls);
  }
  for (const [i, literal] of layout.literals.entries()) {
    const segment = address + templateHeader + i * segmentBytes;
    const slot = layout.slots[i];
    // Compared last, and at once with the value behind them: as many bytes as a vector takes.
    const lead = Math.max(literal.length - 16, 0);
    const length = literal.length - lead;
    bytes.fill(0, segment, segment + segmentBytes);
    bytes.set(literal.subarray(lead), segment + segmentText);
    bytes.set(literal.subarray(0, lead), leads);
    put(segment + segmentMask, 2 ** length - 1);
    put(segment + segmentLength, length);
    put(segment + segmentLead, leads);
    put(segment + segmentLeadLength, lead);
    put(segment + segmentKind, slot?.kind ?? slotEnd);
    put(segment + segmentShift, slot?.shift ?? 0);
    const field = slot === undefined ? undefined : fields[slot.field];
    put(segment + segmentValues, field?.values ?? 0);
    put(segment + segmentValid, field?.valid ?? 0);
    put(segment + segmentNulls, field?.nulls ?? 0);
    put(segment + segmentExtra, field?.extra ?? 0);
    leads += lead;
  }
}
