// The stencil of a MessagePack record: keys, tokens and lengths are the pattern, bodies are free.

import type { FieldRead } from "../codec.ts";
import { formBool, formFloat32, formFloat64, formInteger, formText } from "../kernel/assembly/shape.ts";
import { makeStencil, type Stencil, type StencilValue, slotOf } from "../kernel/layout.ts";
import { shiftOf } from "../time-unit.ts";
import type { PlacedValue } from "./layout.ts";
import { headerLength, type Kind, kindOf } from "./token.ts";

/** The stencil of `record`, which began at `start` with these values; undefined where the kernel could not read them. */
export function msgpackStencil(
  record: Uint8Array,
  start: number,
  fields: readonly FieldRead[],
  placed: readonly PlacedValue[],
): Stencil | undefined {
  const mask = new Uint8Array(record.length).fill(0xff);
  const values: StencilValue[] = [];
  const absent = new Set(fields.keys());
  for (const { start: from, end, field } of placed) {
    const at = from - start;
    const token = record[at]!;
    const kind = kindOf(token)!;
    // What is in an array would have to be checked value by value.
    if (kind === "array") return undefined;
    mask[at] = tokenMask(token, kind);
    mask.fill(0, at + headerLength(token), end - start);
    if (field === undefined || kind === "nil") continue;
    const value = valueOf(token, kind, at, end - from, field, fields[field]!);
    if (value === null) return undefined;
    values.push(value);
    absent.delete(field);
  }
  return makeStencil({ pattern: record, mask, values, absent: [...absent] });
}

/** The bits of a token that say what it is. */
function tokenMask(token: number, kind: Kind): number {
  if (kind === "bool") return 0xfe;
  if (token < 0x80) return 0x80;
  return token >= 0xe0 ? 0xe0 : 0xff;
}

function valueOf(
  token: number,
  kind: Kind,
  at: number,
  length: number,
  field: number,
  read: FieldRead,
): StencilValue | null {
  const header = headerLength(token);
  const shift = shiftOf(read) ?? 0;
  const value = { field, kind: slotOf[read.type as keyof typeof slotOf], shift };
  switch (kind) {
    case "bool":
      return { ...value, form: formBool, offset: at, size: 1 };
    case "string":
      return { ...value, form: formText, offset: at + header, size: length - header };
    case "float":
      if (read.type === "int64") return null;
      return {
        ...value,
        form: token === 0xca ? formFloat32 : formFloat64,
        offset: at + 1,
        size: length - 1,
        bigEndian: true,
      };
    case "integer": {
      // The smallest are their own token.
      const size = Math.max(length - 1, 1);
      const signed = token >= 0xd0;
      const logical = token === 0xcf;
      return {
        ...value,
        form: formInteger,
        offset: at + length - size,
        size,
        bigEndian: true,
        spare: signed ? 64 - size * 8 : 0,
        logical,
      };
    }
    default:
      return null;
  }
}
