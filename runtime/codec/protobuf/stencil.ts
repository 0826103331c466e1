// The stencil of a protobuf record: tags, lengths and how long varints are make the pattern, values are free. A field
// that is left out is part of it too, so that its default needs no look.

import type { FieldRead } from "../codec.ts";
import {
  formBool,
  formDefault,
  formFloat32,
  formFloat64,
  formInteger,
  formText,
  formVarint,
} from "../kernel/assembly/shape.ts";
import { makeStencil, type Stencil, type StencilValue, slotOf } from "../kernel/layout.ts";
import { shiftOf } from "../time-unit.ts";
import { type Scalar, wires } from "./message.ts";

/** A value that is no message, as the scanner came by it. */
export interface PlacedValue {
  /** Behind its tag. */
  readonly position: number;
  /** Behind its length, where it has one. */
  readonly start: number;
  readonly end: number;
  readonly wire: number;
}

/** A field that is read, and what it is when it is not there. */
export interface StencilField {
  readonly read: FieldRead;
  readonly scalar: Scalar;
  /** Where its value stands in the record; -1 when it does not. */
  readonly position: number;
  /** What is in its place then. */
  readonly absent: "null" | "default";
}

/** Longer varints are negative numbers of types that are not meant for those. */
const varintBytesMax = 8;

/** True when the kernel can read these fields: it does not look into times as text. */
export function isForKernel(
  fields: readonly { readonly read: FieldRead; readonly scalar: Scalar }[],
): boolean {
  return fields.every(({ read, scalar }) => scalar !== "string" || read.type === "string");
}

/** The stencil of `record`, which began at `start` with these values; undefined where the kernel could not read them. */
export function protobufStencil(
  record: Uint8Array,
  start: number,
  placed: readonly PlacedValue[],
  fields: readonly StencilField[],
): Stencil | undefined {
  const mask = new Uint8Array(record.length).fill(0xff);
  for (const { start: from, end, wire } of placed) {
    if (wire === wires.group) return undefined;
    if (wire === wires.varint) mask.fill(0x80, from - start, end - start);
    else mask.fill(0, from - start, end - start);
  }
  const values: StencilValue[] = [];
  const absent: number[] = [];
  for (const [index, field] of fields.entries()) {
    const { read, absent: otherwise, position } = field;
    if (position < 0 && otherwise === "null") {
      absent.push(index);
      continue;
    }
    const kind = slotOf[read.type as keyof typeof slotOf];
    const plain = { field: index, kind, shift: read.type === "time" ? (shiftOf(read) ?? 0) : 0 };
    if (position < 0) {
      values.push({ ...plain, form: formDefault, offset: 0, size: 0 });
      continue;
    }
    const value = placed.find((each) => each.position === position)!;
    const size = value.end - value.start;
    const form = formOf(field.scalar, read, size);
    if (form === null) return undefined;
    const offset = value.start - start;
    if (form.form === formBool) {
      // All but one bit of a truth value is part of the pattern. Others than 0 and 1 mean true as well, and are read one by one.
      if (record[offset]! > 1) return undefined;
      mask[offset] = 0xfe;
    }
    values.push({ ...plain, offset, size, ...form });
  }
  return makeStencil({ pattern: record, mask, values, absent });
}

type Form = Pick<StencilValue, "form" | "spare" | "logical" | "zigzag">;

/** How the kernel reads a value of `size` bytes; null where it cannot. */
export function formOf(scalar: Scalar, read: FieldRead, size: number): Form | null {
  switch (scalar) {
    case "double":
    case "float":
      return read.type === "int64" ? null : { form: scalar === "double" ? formFloat64 : formFloat32 };
    case "string":
      return { form: formText };
    case "bool":
      return size === 1 ? { form: formBool } : null;
    case "fixed32":
    case "fixed64":
      return { form: formInteger, logical: scalar === "fixed64" };
    case "sfixed32":
      return { form: formInteger, spare: 32 };
    case "sfixed64":
      return { form: formInteger };
  }
  if (size > varintBytesMax) return null;
  if (scalar === "int64" || scalar === "uint64") return { form: formVarint, logical: scalar === "uint64" };
  if (scalar === "sint64") return { form: formVarint, zigzag: true, logical: true };
  if (scalar === "sint32") return { form: formVarint, spare: 32, zigzag: true, logical: true };
  return { form: formVarint, spare: 32, logical: scalar === "uint32" };
}
