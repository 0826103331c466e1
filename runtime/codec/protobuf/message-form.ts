// A message as the kernel goes through it field by field, where a record fits no stencil.

import type { FieldRead } from "../codec.ts";
import type { MessageEntry, MessageForm } from "../kernel/layout.ts";
import { limits } from "../../limits.ts";
import { shiftOf } from "../time-unit.ts";
import { type ProtoField, type ProtoMessage, wireOf, wires } from "./message.ts";
import { slotOf } from "../kernel/layout.ts";
import { formOf } from "./stencil.ts";

/** The form of `message` when `fields` of it are read; null when it has too many for a template. */
export function messageForm(message: ProtoMessage, fields: readonly FieldRead[]): MessageForm | null {
  const nodes: MessageEntry[][] = [];
  const add = (of: ProtoMessage, prefix: string): number => {
    const place = nodes.push([]) - 1;
    nodes[place] = of.fields.map((field) => {
      const name = prefix + field.name;
      const child = field.message === null ? -1 : add(field.message, `${name}.`);
      return entryOf(field, child, fields, name);
    });
    return place;
  };
  add(message, "");
  return nodes.flat().length > limits.template_slots_max ? null : { nodes, signature: "message" };
}

const fixedSizes: Readonly<Record<number, number>> = { [wires.fixed64]: 8, [wires.fixed32]: 4 };

function entryOf(
  { number, scalar, presence }: ProtoField,
  child: number,
  fields: readonly FieldRead[],
  name: string,
): MessageEntry {
  const wire = scalar !== null ? wireOf(scalar) : child >= 0 ? wires.bytes : -1;
  const field = fields.findIndex((each) => each.name === name);
  const read = fields[field];
  const plain = { number, wire, presence, child, field, size: fixedSizes[wire] ?? 1 };
  if (scalar === null || read === undefined) return { ...plain, kind: 0, form: 0, shift: 0 };
  const kind = slotOf[read.type as keyof typeof slotOf];
  const shift = read.type === "time" ? (shiftOf(read) ?? 0) : 0;
  const form = formOf(scalar, read, plain.size);
  // Fractions as int64 are for nobody to ask for, so there is always a form.
  return { ...plain, kind, shift, ...form! };
}
