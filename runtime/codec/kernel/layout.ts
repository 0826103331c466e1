// How a record is written: what stays the same from one record to the next, and what stands in between. What a
// format tells the kernel about one of its records; pure data.

import type { ColumnType } from "../../../operators/sdk/index.ts";
import { limits } from "../../limits.ts";
import { slotBool, slotFloat64, slotInt64, slotString, slotTime } from "./assembly/shape.ts";

/** By what a field is read as, the number of its slot; JSON text has none that all formats know. */
export const slotOf: Readonly<Record<Exclude<ColumnType, "json">, number>> = {
  float64: slotFloat64,
  int64: slotInt64,
  bool: slotBool,
  string: slotString,
  time: slotTime,
};

export interface LayoutSlot {
  /** One of the slot numbers of assembly/shape.ts. */
  readonly kind: number;
  /** The field that is read here, or -1. */
  readonly field: number;
  /** Time: the power of ten to milliseconds. Where nesting may stand: how deep it, or what surrounds it, lies. */
  readonly shift: number;
}

export interface Layout {
  /** One more than there are slots. */
  readonly literals: readonly Uint8Array[];
  readonly slots: readonly LayoutSlot[];
  /** Fields that records of this layout do not have. */
  readonly absent: readonly number[];
  /** Longer records are not tried: inside values that it steps over, the kernel counts no members. */
  readonly bytesMax: number;
  /** Equal for equal layouts, and for those only. */
  readonly signature: string;
}

/** A value that stands at one place of all records that fit a stencil. The numbers are those of assembly/shape.ts. */
export interface StencilValue {
  readonly field: number;
  /** The slot of the field's type. */
  readonly kind: number;
  readonly form: number;
  /** Time: the power of ten to milliseconds. */
  readonly shift: number;
  readonly offset: number;
  /** Bytes. */
  readonly size: number;
  /** Numbers but varints: whether their highest byte comes first. */
  readonly bigEndian?: boolean;
  /** Integers: how many bits of 64 they do not have. */
  readonly spare?: number;
  /** Integers without a sign. */
  readonly logical?: boolean;
  readonly zigzag?: boolean;
}

/** A record whose values are all as long as those of an earlier one. */
export interface Stencil {
  readonly pattern: Uint8Array;
  /** The bits of the pattern that every record has. */
  readonly mask: Uint8Array;
  readonly values: readonly StencilValue[];
  readonly absent: readonly number[];
  readonly signature: string;
}

/** A field of a message. */
export interface MessageEntry extends Omit<StencilValue, "offset"> {
  /** The field that is read, or -1. */
  readonly field: number;
  readonly number: number;
  /** How it stands on the wire; -1 where it may be any. */
  readonly wire: number;
  readonly presence: boolean;
  /** The node of the message that stands here, or -1. */
  readonly child: number;
}

/** Messages of any form, by the numbers of their fields. */
export interface MessageForm {
  /** The fields of the record, then those of the messages in it. */
  readonly nodes: readonly (readonly MessageEntry[])[];
  readonly signature: string;
}

/** What a template is made of. */
export type AnyLayout = Layout | Stencil | MessageForm;

/** The stencil of these parts; undefined when that is too much for a template. */
export function makeStencil(parts: Omit<Stencil, "signature">): Stencil | undefined {
  const { pattern, mask, values } = parts;
  if (
    pattern.length === 0 ||
    pattern.length > limits.stencil_bytes_max ||
    values.length > limits.template_slots_max
  )
    return undefined;
  const shared = pattern.map((byte, place) => byte & mask[place]!);
  const bits = [shared, mask].map((bytes) => Buffer.from(bytes).toString("latin1"));
  return {
    ...parts,
    signature: JSON.stringify([bits, values.map(({ field, form, offset }) => [field, form, offset])]),
  };
}

/** The layout of these parts; undefined when that is too much for a template. */
export function makeLayout(parts: Omit<Layout, "signature">): Layout | undefined {
  const { literals, slots } = parts;
  const literalBytes = literals.reduce((total, { length }) => total + length, 0);
  if (slots.length > limits.template_slots_max || literalBytes > limits.template_bytes_max) return undefined;
  const signature = JSON.stringify([
    literals.map((literal) => Buffer.from(literal).toString("latin1")),
    slots.map(({ kind, field }) => [kind, field]),
  ]);
  return { ...parts, signature };
}
