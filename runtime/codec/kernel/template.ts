// A layout as the kernel reads it: written into a region of its memory that has room for the largest.

import { limits } from "../../limits.ts";
import {
  absentBytes,
  absentNulls,
  absentValid,
  entryChild,
  entryNumber,
  entryPresence,
  entryWire,
  messageNodes,
  nodeBytes,
  nodeCount,
  nodeEntries,
  nodeNodes,
  nodeOpened,
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
  stencilForm,
  stencilLength,
  stencilLogical,
  stencilOffset,
  stencilPattern,
  stencilSize,
  stencilSpare,
  stencilSwizzle,
  stencilZigzag,
  templateAbsent,
  templateAbsentCount,
  templateBytesMax,
  templateHeader,
} from "./assembly/shape.ts";
import type { AnyLayout, Layout, MessageForm, Stencil, StencilValue } from "./layout.ts";
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
  layout: AnyLayout,
  fields: readonly FieldAddresses[],
): void {
  const { words } = memory;
  words[(address + stencilLength) >> 2] = 0;
  words[(address + messageNodes) >> 2] = 0;
  if ("nodes" in layout) {
    writeMessage(memory, address, layout, fields);
    return;
  }
  const slots = "pattern" in layout ? layout.values.length : layout.slots.length;
  const absent = address + templateHeader + (slots + 1) * segmentBytes;
  const behind = absent + layout.absent.length * absentBytes;
  words[(address + templateAbsent) >> 2] = absent;
  words[(address + templateAbsentCount) >> 2] = layout.absent.length;
  for (const [i, field] of layout.absent.entries()) {
    words[(absent + i * absentBytes + absentValid) >> 2] = fields[field]!.valid;
    words[(absent + i * absentBytes + absentNulls) >> 2] = fields[field]!.nulls;
  }
  if ("pattern" in layout) writeStencil(memory, address, layout, fields, behind);
  else writeSegments(memory, address, layout, fields, behind);
}

function writeSegments(
  { bytes, words }: KernelMemory,
  address: number,
  layout: Layout,
  fields: readonly FieldAddresses[],
  behind: number,
): void {
  const put = (at: number, value: number): void => {
    words[at >> 2] = value;
  };
  let leads = behind;
  put(address + templateBytesMax, layout.bytesMax);
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
    writeField(words, segment, slot === undefined ? undefined : fields[slot.field]);
    leads += lead;
  }
}

function writeField(words: Uint32Array, segment: number, field: FieldAddresses | undefined): void {
  words[(segment + segmentValues) >> 2] = field?.values ?? 0;
  words[(segment + segmentValid) >> 2] = field?.valid ?? 0;
  words[(segment + segmentNulls) >> 2] = field?.nulls ?? 0;
  words[(segment + segmentExtra) >> 2] = field?.extra ?? 0;
}

function writeValue(words: Uint32Array, segment: number, value: Omit<StencilValue, "offset">): void {
  words[(segment + segmentKind) >> 2] = value.kind;
  words[(segment + segmentShift) >> 2] = value.shift;
  words[(segment + stencilForm) >> 2] = value.form;
  words[(segment + stencilSize) >> 2] = value.size;
  words[(segment + stencilSpare) >> 2] = value.spare ?? 0;
  words[(segment + stencilLogical) >> 2] = value.logical === true ? 1 : 0;
  words[(segment + stencilZigzag) >> 2] = value.zigzag === true ? 1 : 0;
}

function writeMessage(
  { bytes, words }: KernelMemory,
  address: number,
  { nodes }: MessageForm,
  fields: readonly FieldAddresses[],
): void {
  const put = (at: number, value: number): void => {
    words[at >> 2] = value;
  };
  let entry = address + templateHeader;
  const first = entry + nodes.flat().length * segmentBytes;
  put(address + templateBytesMax, limits.payload_bytes_max);
  put(address + messageNodes, first);
  for (const [i, entries] of nodes.entries()) {
    const node = first + i * nodeBytes;
    put(node + nodeEntries, entry);
    put(node + nodeCount, entries.length);
    put(node + nodeOpened, 0);
    put(node + nodeNodes, nodes.length);
    for (const value of entries) {
      bytes.fill(0, entry, entry + segmentBytes);
      put(entry + entryNumber, value.number);
      put(entry + entryWire, value.wire);
      put(entry + entryPresence, value.presence ? 1 : 0);
      put(entry + entryChild, value.child < 0 ? 0 : first + value.child * nodeBytes);
      writeValue(words, entry, value);
      writeField(words, entry, fields[value.field]);
      entry += segmentBytes;
    }
  }
}

function writeStencil(
  { bytes, words }: KernelMemory,
  address: number,
  { pattern, mask, values }: Stencil,
  fields: readonly FieldAddresses[],
  behind: number,
): void {
  const put = (at: number, value: number): void => {
    words[at >> 2] = value;
  };
  put(address + templateBytesMax, pattern.length);
  put(address + stencilLength, pattern.length);
  put(address + stencilPattern, behind);
  for (const [i, value] of values.entries()) {
    const segment = address + templateHeader + i * segmentBytes;
    bytes.fill(0, segment, segment + segmentBytes);
    for (let byte = 0; byte < 16; byte++) {
      const from = value.bigEndian === true ? value.size - 1 - byte : byte;
      bytes[segment + stencilSwizzle + byte] = byte < value.size ? from : 0xff;
    }
    put(segment + stencilOffset, value.offset);
    writeValue(words, segment, value);
    writeField(words, segment, fields[value.field]);
  }
  put(address + templateHeader + values.length * segmentBytes + segmentKind, slotEnd);
  // Four chunks are always compared.
  for (let chunk = 0; chunk < Math.max(pattern.length, 64); chunk += 16) {
    const at = behind + chunk * 2;
    bytes.fill(0, at, at + 32);
    bytes.set(pattern.subarray(chunk, chunk + 16), at);
    bytes.set(mask.subarray(chunk, chunk + 16), at + 16);
  }
}
