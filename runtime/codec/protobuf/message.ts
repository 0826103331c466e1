// What a message of a .proto file holds, as plain data that crosses threads: fields, numbers, encodings. What of it
// can be a column, and of which type. Reads no file and no payload.

import type { ColumnType } from "../../../operators/sdk/index.ts";

/** Scalars as .proto files call them. An `enum` is an int32 with names. */
export type Scalar =
  | "double"
  | "float"
  | "int32"
  | "int64"
  | "uint32"
  | "uint64"
  | "sint32"
  | "sint64"
  | "fixed32"
  | "fixed64"
  | "sfixed32"
  | "sfixed64"
  | "bool"
  | "string"
  | "enum";

export interface ProtoField {
  readonly name: string;
  readonly number: number;
  /** Null where it is no scalar: a message, or what stays unread. */
  readonly scalar: Scalar | null;
  /** The message that stands here; null for scalars, for what is read as JSON, and for what stays unread: a message inside itself. */
  readonly message: ProtoMessage | null;
  /** How it is read as a whole: repeated fields, maps and bytes; null for all others. */
  readonly json: ProtoJson | null;
  /** True where "not there" can be told from the default: then it is null, else 0, false or "". */
  readonly presence: boolean;
  /** The names of an enum by number. */
  readonly names: readonly (readonly [number, string])[];
}

/** What one value is: a scalar or a message, and where it is neither, bytes. */
export type ProtoValue = Pick<ProtoField, "scalar" | "message" | "names">;

/** What is read as a text of JSON: a list of values, an object of them by key, or bytes alone, in base64. */
export interface ProtoJson {
  readonly kind: "list" | "map" | "bytes";
  readonly value: ProtoValue;
  /** Of a map, what its keys are. */
  readonly key: Scalar | null;
}

export interface ProtoMessage {
  readonly name: string;
  readonly fields: readonly ProtoField[];
}

/** A field of a message, or of one inside it, that can be a column. */
export interface ProtoColumn {
  /** With the names of the messages around it: `engine.temp`. */
  readonly name: string;
  /** The numbers that lead to it. */
  readonly path: readonly number[];
  readonly field: ProtoField;
}

/** Every scalar, in the order of the .proto file. */
export function columnsOf(message: ProtoMessage): readonly ProtoColumn[] {
  return columnsIn(message, ({ scalar }) => scalar !== null);
}

/** Every field that is read as JSON, in the order of the .proto file. */
export function jsonColumnsOf(message: ProtoMessage): readonly ProtoColumn[] {
  return columnsIn(message, ({ json }) => json !== null);
}

function columnsIn(
  message: ProtoMessage,
  isColumn: (field: ProtoField) => boolean,
  prefix = "",
  path: readonly number[] = [],
): readonly ProtoColumn[] {
  return message.fields.flatMap((field) => {
    const own = { name: prefix + field.name, path: [...path, field.number] };
    if (field.message !== null) return columnsIn(field.message, isColumn, `${own.name}.`, own.path);
    return isColumn(field) ? [{ ...own, field }] : [];
  });
}

const wide: ReadonlySet<Scalar> = new Set(["int64", "uint64", "sint64", "fixed64", "sfixed64"]);

/** True for integers of 64 bits. */
export function isWide(scalar: Scalar): boolean {
  return wide.has(scalar);
}

/** The type that a scalar has as a column when nobody asks for another. */
export function typeOf(scalar: Scalar): ColumnType {
  if (scalar === "bool") return "bool";
  if (scalar === "string" || scalar === "enum") return "string";
  return isWide(scalar) ? "int64" : "float64";
}

/** The types that a scalar may be read as, and that a column may have which is written to it; its own comes first. */
export function typesFor(scalar: Scalar): readonly ColumnType[] {
  const own = typeOf(scalar);
  if (scalar === "string") return [own, "time"];
  if (own === "bool" || own === "string") return [own];
  if (scalar === "double" || scalar === "float") return [own, "time"];
  return own === "int64" ? ["int64", "float64", "time"] : ["float64", "int64", "time"];
}

/** How values stand on the wire. */
export const wires = { varint: 0, fixed64: 1, bytes: 2, group: 3, groupEnd: 4, fixed32: 5 } as const;

export function wireOf(scalar: Scalar): number {
  if (scalar === "string") return wires.bytes;
  if (scalar === "double" || scalar === "fixed64" || scalar === "sfixed64") return wires.fixed64;
  if (scalar === "float" || scalar === "fixed32" || scalar === "sfixed32") return wires.fixed32;
  return wires.varint;
}
