// How a record is written: what stays the same from one record to the next, and what stands in between. What a
// format tells the kernel about one of its records; pure data.

import { limits } from "../../limits.ts";

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
